"""Whether the grey values of a stored radiograph were cut off at both ends.

A window that is too narrow makes lungs black and bones white. Published radiographs
have much black or much white in their middle, but not both.
"""

import numpy as np
from numpy.typing import NDArray

_RIM = 1 / 8  # of the side, all around: margins and markers
_BLACK, _WHITE = 2, 253  # nearly, since JPEG and averaging soften an edge
_SHARE = 0.02  # of the middle. The largest of 218 real radiographs is 0.0099


def is_clipped_suspect(pixels: NDArray[np.uint8]) -> bool:
    """Return whether black and white each hold 2 % of the middle or more.

    Args:
        pixels: Shape (height, width), as stored.
    """
    rows, columns = (round(_RIM * side) for side in pixels.shape)
    height, width = pixels.shape
    middle = pixels[rows : height - rows, columns : width - columns]
    black, white = (middle <= _BLACK).mean(), (middle >= _WHITE).mean()
    return bool(min(black, white) >= _SHARE)
