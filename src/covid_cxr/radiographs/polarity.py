"""Whether a stored radiograph looks like its own negative: border against centre.

In a radiograph as it is displayed, air around the body is dark and the spine in the
middle is bright; in its negative it is the other way round. PNG and JPEG files do not
say which they are, and a DICOM header may be wrong. A suspicion is recorded and nothing
is turned: whether an image is a negative is for a person to see.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_BORDER = 1 / 64  # of the side, all around: within collimation and most markers
_CENTRE = 3 / 16  # of the side, a square: spine and mediastinum, without the lungs


@dataclass(frozen=True, kw_only=True)
class Polarity:
    """Mean brightness on [0, 1] of two regions of a stored radiograph.

    Attributes:
        border_mean: Of a frame 1/64 of the side wide.
        centre_mean: Of the square in the middle, 3/16 of the side wide.
    """

    border_mean: float
    centre_mean: float

    @property
    def is_suspect(self) -> bool:
        """Whether the border is brighter than the centre.

        Where to draw the line was measured by `benchmarks/polarity.py` on the 222
        frontal radiographs among the real images of covid-chestxray-dataset, NIH and
        DICOM, and on their negatives. The border is darker by at least 0.028 in all
        but one, and brighter by as much in all negatives but one, so zero is the middle
        of the gap. The one (0.5 % in either direction) is a detail of a lung.
        """
        return self.border_mean > self.centre_mean


def measure_polarity(pixels: NDArray[np.uint8]) -> Polarity:
    """Return the brightness of border and centre of `pixels`, shape (size, size)."""
    size = len(pixels)
    frame = max(1, round(_BORDER * size))
    half = max(1, round(_CENTRE * size / 2))
    centre = slice(size // 2 - half, size // 2 + half)
    inside = pixels[frame : size - frame, frame : size - frame]
    border_sum = cv2.sumElems(pixels)[0] - cv2.sumElems(inside)[0]
    return Polarity(
        border_mean=border_sum / (pixels.size - inside.size) / 255,
        centre_mean=cv2.mean(pixels[centre, centre])[0] / 255,
    )
