"""Figures 4 to 7: radiograph, map and both; and whether maps deserve to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.figures.names import literal, literals
from covid_cxr.figures.palette import GRID, INK, MUTED
from covid_cxr.saliency.randomisation import block_title

_OPACITY = 0.4  # of the map over the radiograph


@dataclass(frozen=True, kw_only=True)
class ExplainedCase:
    """One radiograph and where the classifier looked.

    Attributes:
        patient_index: Random number of the patient within the test part.
        score: The classifier's output, 0 to 1.
        pixels: Shape (height, width), 8 bits.
        saliency: Any shape, 0 (low weight) to 1 (high weight).
    """

    patient_index: int
    score: float
    pixels: NDArray[np.uint8]
    saliency: NDArray[np.float64]

    @property
    def title(self) -> str:
        """Patient and output, as in the paper's figures."""
        return f"Patient {self.patient_index}: output {100 * self.score:.1f} %"


def draw_explained_cases(cases: Sequence[ExplainedCase], *, method: str) -> Any:
    """Return one row per case as a matplotlib `Figure`.

    The map is interpolated to the size of the radiograph and shown in the colours of
    the paper: red for high weight, blue for low.

    Args:
        cases: At least one.
        method: Name of the method by which the maps were made.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.2, 3.05 * len(cases)), layout="constrained")
    rows = figure.subplots(len(cases), 3, squeeze=False)
    for case, (radiograph, saliency, overlay) in zip(cases, rows, strict=True):
        weights = _to_size_of(case.pixels, case.saliency)
        radiograph.imshow(case.pixels, cmap="gray", vmin=0, vmax=255)
        radiograph.set_title(case.title, loc="left", size=11)
        image = saliency.imshow(weights, cmap="jet", vmin=0, vmax=1)
        saliency.set_title(literal(method), size=11)
        overlay.imshow(case.pixels, cmap="gray", vmin=0, vmax=255)
        overlay.imshow(weights, cmap="jet", vmin=0, vmax=1, alpha=_OPACITY)
        overlay.set_title("Overlay", size=11)
        for axes in (radiograph, saliency, overlay):
            axes.set_axis_off()
    figure.colorbar(image, ax=rows, label="Weight", fraction=0.03, pad=0.01)
    return figure


def draw_randomisation(
    tables: Mapping[str, pd.DataFrame], *, colours: Mapping[str, str]
) -> Any:
    """Return the similarity of maps by depth of randomisation as a `Figure`.

    A dotted line shows how similar the maps of different radiographs are: what comes
    down to it has nothing left of the trained classifier's maps.

    Args:
        tables: By the path's title: `layer`, `similarity` and `between_images`, head
            first; all of the same network.
        colours: By the path's title.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    axes = figure.subplots()
    lines = []
    for title, table in tables.items():
        similarity = [1.0, *table["similarity"]]
        lines += axes.plot(similarity, color=colours[title], marker="o", label=title)
        between = table["between_images"].iloc[0]
        axes.axhline(between, color=colours[title], linestyle=":", linewidth=1)
    steps = ["trained", *(block_title(layer) for layer in table["layer"])]
    axes.set_xticks(range(len(steps)), steps, rotation=25, ha="right", size=9)
    axes.set_xlabel("Randomised down to", size=10, color=INK)
    axes.set_ylabel("Similarity of maps", size=10, color=INK)
    axes.set_ylim(min(0.0, *axes.get_ylim()), 1.03)
    lines += axes.plot([], [], color=MUTED, linestyle=":")
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    names = literals([*tables, "different radiographs"])
    figure.legend(lines, names, loc="outside right upper", fontsize=9)
    return figure


def _to_size_of(
    pixels: NDArray[np.uint8], saliency: NDArray[np.float64]
) -> NDArray[np.float64]:
    height, width = pixels.shape
    resized = cv2.resize(saliency, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float64)
