"""Shapes with soft edges on an empty canvas: what every drawing is made of.

Points are (x, y) in pixels; a canvas is a float image of shape (height, width).
Positions and widths are fractions of pixels, so that one drawing looks the same at
every size.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float32]
Points = NDArray[np.float64]

_FRACTION_BITS = 4  # OpenCV takes coordinates as integers with this many binary places
_UNIT_LEVELS = (np.arange(256) / 255).astype(np.float32)  # of 8-bit pixels


def soften(image: FloatImage, softness_px: float) -> FloatImage:
    """Return `image` blurred by a Gaussian whose sigma is `softness_px` pixels."""
    if softness_px < 0.2:
        return image
    # A wide blur keeps no detail, so a coarse copy gives the same result much faster.
    if softness_px > 6:
        height, width = image.shape
        small = (width // 4, height // 4)
        coarse = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        blurred = soften(np.asarray(coarse, np.float32), softness_px / 4)
        return np.asarray(cv2.resize(blurred, (width, height)), np.float32)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), softness_px), np.float32)


def fill(
    shape: tuple[int, int], outline: Points, *, softness_px: float = 1.0
) -> FloatImage:
    """Return 1 inside the closed `outline` and 0 outside, with a soft edge.

    Args:
        shape: Height and width of the canvas.
        outline: Corners, shape (n, 2).
        softness_px: Sigma of the edge.
    """
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [_fixed_point(outline)], 255, cv2.LINE_AA, _FRACTION_BITS)
    return soften(_to_unit(canvas), softness_px)


def trace(
    shape: tuple[int, int],
    lines: Iterable[tuple[Points, float, float]],
    *,
    softness_px: float = 1.0,
) -> FloatImage:
    """Return open lines, each drawn over the ones before it.

    Args:
        shape: Height and width of the canvas.
        lines: Points of shape (n, 2), width in pixels, and strength from 0 to 1.
        softness_px: Sigma of the edges.
    """
    canvas = np.zeros(shape, np.uint8)
    drawn = list(lines)
    last = 0
    # All points at once: a call for each line would take longer than drawing it.
    corners = _fixed_point(np.concatenate([points for points, _, _ in drawn]))
    for points, width_px, strength in drawn:
        first, last = last, last + len(points)
        thickness = max(1, round(width_px))
        # A line thinner than a pixel is drawn one pixel wide and fainter.
        value = round(255 * min(1.0, strength * width_px / thickness))
        cv2.polylines(
            canvas,
            [corners[first:last]],
            isClosed=False,
            color=value,
            thickness=thickness,
            lineType=cv2.LINE_AA,
            shift=_FRACTION_BITS,
        )
    return soften(_to_unit(canvas), softness_px)


def blobs(
    shape: tuple[int, int], centres: Points, radii: Points, *, sharpness: float = 1.0
) -> FloatImage:
    """Return rounded spots, where they overlap the densest of them.

    Args:
        shape: Height and width of the canvas.
        centres: Shape (n, 2).
        radii: Half-widths along x and y, shape (n, 2).
        sharpness: 1 for a Gaussian spot; larger for a flat one with a clear edge.
    """
    canvas = np.zeros(shape, np.float32)
    reach = 1 + 2.0 / sharpness
    for (x, y), (radius_x, radius_y) in zip(centres, radii, strict=True):
        rows = _span(y, radius_y * reach, shape[0])
        columns = _span(x, radius_x * reach, shape[1])
        distance = ((np.arange(rows.start, rows.stop) - y) / radius_y)[:, None] ** 2 + (
            (np.arange(columns.start, columns.stop) - x) / radius_x
        )[None, :] ** 2  # (rows, columns)
        spot = np.exp(-(distance**sharpness)).astype(np.float32)
        np.maximum(canvas[rows, columns], spot, out=canvas[rows, columns])
    return canvas


def clouds(
    shape: tuple[int, int], *, grains: int, rng: np.random.Generator
) -> FloatImage:
    """Return a smooth random texture in [0, 1], `grains` of it along each side."""
    # The random draw does not depend on the canvas, so sizes can be compared.
    coarse = rng.random((grains, grains)).astype(np.float32)
    texture = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.asarray(texture, np.float32), 0, 1)


def _to_unit(canvas: NDArray[np.uint8]) -> FloatImage:
    return np.asarray(cv2.LUT(canvas, _UNIT_LEVELS), np.float32)


def _fixed_point(points: Points) -> NDArray[np.int32]:
    return np.asarray(np.round(points * 2**_FRACTION_BITS), np.int32)


def _span(centre: float, reach: float, size: int) -> slice:
    first = int(np.clip(np.floor(centre - reach), 0, size))
    return slice(first, int(np.clip(np.ceil(centre + reach) + 1, first, size)))
