"""Cropping and resampling of one 8-bit radiograph."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.radiographs.rendering import UnreadableRadiograph

Box = tuple[float, float, float, float]  # x0, y0, x1, y1


def crop(pixels: NDArray[np.uint8], box: Sequence[float]) -> NDArray[np.uint8]:
    """Return the part of `pixels` inside `box`.

    Args:
        pixels: Shape (height, width).
        box: x0, y0, x1, y1 in whole pixels from the upper left corner; x1 and y1 are
            the first column and row outside.

    Raises:
        UnreadableRadiograph: If the box is empty, not whole pixels, or not inside.
    """
    height, width = pixels.shape
    shown = ", ".join(f"{edge:g}" for edge in box)
    if len(box) != 4 or not all(float(edge).is_integer() for edge in box):
        raise UnreadableRadiograph(
            f"crop box ({shown}): expected x0, y0, x1, y1 in whole pixels"
        )
    x0, y0, x1, y1 = (int(edge) for edge in box)
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise UnreadableRadiograph(
            f"crop box ({shown}): not inside the image of {width} x {height} pixels, "
            f"or empty"
        )
    return pixels[y0:y1, x0:x1]


def resize(pixels: NDArray[np.uint8], *, size_px: int) -> NDArray[np.uint8]:
    """Return `pixels` resampled to (size_px, size_px), shape (height, width) before.

    As in the paper (Section 2.1) the image is stretched to a square: nothing is cut off
    or padded, and most sources are square or nearly so. A side that shrinks is averaged
    over the area of each new pixel (exact for whole factors); a side that grows is
    interpolated linearly.
    """
    height, width = pixels.shape
    shrunk = cv2.resize(
        pixels,
        (min(width, size_px), min(height, size_px)),
        interpolation=cv2.INTER_AREA,
    )
    resized = cv2.resize(shrunk, (size_px, size_px), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)
