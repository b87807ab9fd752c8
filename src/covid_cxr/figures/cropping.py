"""Figure 2: one radiograph before and after its manual crop."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.figures.palette import PAPER

_CELLS = 16  # across the blurred image: wider than any letter, whatever its size


def draw_cropping(pixels: NDArray[np.uint8], box: Sequence[float]) -> Any:
    """Return the radiograph with its crop, and the crop, as a matplotlib `Figure`.

    What lies outside the crop is blurred: burned-in text may name a patient.

    Args:
        pixels: The raw radiograph, shape (height, width).
        box: x0, y0, x1, y1 in pixels of it; x1 and y1 are the first left out.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    x0, y0, x1, y1 = (round(float(edge)) for edge in box)
    figure = Figure(figsize=(8, 4.3), layout="constrained")
    before, after = figure.subplots(1, 2)
    grey: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255}
    before.imshow(_blurred_outside(pixels, (x0, y0, x1, y1)), **grey)
    before.add_patch(
        Rectangle(
            (x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=PAPER, linewidth=1.8
        )
    )
    before.set_title("Before, with the crop (outside blurred)")
    after.imshow(pixels[y0:y1, x0:x1], **grey)
    after.set_title("After")
    for axes in (before, after):
        axes.set_axis_off()
    return figure


def _blurred_outside(
    pixels: NDArray[np.uint8], box: tuple[int, int, int, int]
) -> NDArray[np.uint8]:
    """Return `pixels` with what is outside `box` too coarse to be read."""
    height, width = pixels.shape
    blurred = cv2.resize(
        cv2.resize(pixels, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA),
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    x0, y0, x1, y1 = box
    inside = np.zeros(pixels.shape, dtype=bool)
    inside[y0:y1, x0:x1] = True
    return np.where(inside, pixels, blurred).astype(np.uint8)
