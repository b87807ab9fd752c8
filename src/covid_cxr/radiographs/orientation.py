"""Whether a stored frontal radiograph lies on its side or stands on its head.

It is compared with what a frontal radiograph looks like, `upright.csv`: the mean of
drawn ones and their mirror images (`scripts/draw_upright.py`), as it is and turned by
90, 180 and 270 degrees. The closest must not be a turned one. PNG and JPEG files do not
say how they are turned. A suspicion is recorded and nothing is turned.
"""

from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.radiographs.margins import without_margins

_GRID = 16


def is_turned_suspect(pixels: NDArray[np.uint8]) -> bool:
    """Return whether a picture looks more like a frontal radiograph when it is turned.

    A negative looks so, too: see `polarity` first.

    Args:
        pixels: Shape (height, width).
    """
    picture, upright = standardised(pixels), _upright()
    as_it_is, *turned = ((picture * np.rot90(upright, k)).sum() for k in range(4))
    return bool(max(turned) > as_it_is)


def standardised(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return a picture without its margins on a small grid, of mean 0 and deviation 1.

    All are 0 where nothing is seen.

    Args:
        pixels: Shape (height, width).
    """
    picture = np.ascontiguousarray(without_margins(pixels))
    small = cv2.resize(picture, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    grid = np.asarray(small, dtype=np.float64)
    deviation = float(grid.std())
    return np.asarray((grid - grid.mean()) / (deviation or 1.0), dtype=np.float64)


@cache
def _upright() -> NDArray[np.float64]:
    lines = files(__package__).joinpath("upright.csv").read_text("utf-8").splitlines()
    return np.asarray(np.loadtxt(lines, delimiter=","), dtype=np.float64)
