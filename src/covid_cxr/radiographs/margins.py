"""Plain margins around a radiograph: collimation, letterboxes, the page of a scan."""

import cv2
import numpy as np
from numpy.typing import NDArray

_GRID = 128  # rows and columns that are looked at, at most
_PLAIN = 3.0  # grey levels: standard deviation along a row or column, noise included
_SMALLEST = 1 / 4  # of the side: what is smaller is not taken for the radiograph


def without_margins(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `pixels` without the rows and columns of one grey at the edges.

    A margin is cut off whatever its grey, so that neither a black collimation nor the
    white page of a scan counts as part of the picture. What would leave less than a
    quarter of a side is left as it is.

    Args:
        pixels: Shape (height, width).

    Returns:
        A view of `pixels`, of one pixel at least.
    """
    height, width = pixels.shape
    grid = cv2.resize(
        pixels, (min(_GRID, width), min(_GRID, height)), interpolation=cv2.INTER_AREA
    )
    small = np.asarray(grid, dtype=np.float32)
    rows, columns = slice(0, small.shape[0]), slice(0, small.shape[1])
    for _ in range(2):  # a row may be plain only between margins at its ends
        rows = _inside(small[:, columns].std(axis=1))
        columns = _inside(small[rows].std(axis=0))
    return pixels[
        _scaled(rows, height / small.shape[0]),
        _scaled(columns, width / small.shape[1]),
    ]


def _inside(deviations: NDArray[np.float32]) -> slice:
    """Return from the first line that is not plain to the last one."""
    n_lines = len(deviations)
    lines = np.flatnonzero(deviations >= _PLAIN)
    if len(lines) == 0 or lines[-1] + 1 - lines[0] < _SMALLEST * n_lines:
        return slice(0, n_lines)
    first, end = int(lines[0]), int(lines[-1]) + 1
    if end - first <= 2:
        return slice(first, end)
    # A line of the grid where a margin ends is partly margin.
    return slice(first + (first > 0), end - (end < n_lines))


def _scaled(lines: slice, factor: float) -> slice:
    return slice(round(lines.start * factor), round(lines.stop * factor))
