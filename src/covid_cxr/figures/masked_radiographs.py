"""Classifiers where the lungs are hidden: one radiograph as they see it, and AUROCs."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.figures.names import literal, literals
from covid_cxr.figures.palette import GRID, INK, MUTED
from covid_cxr.study.current import current

_TITLE_CHARACTERS = 24


def draw_masked_radiograph(shown: Mapping[str, NDArray[np.uint8]]) -> Any:
    """Return one radiograph as each input shows it, as a matplotlib `Figure`.

    Args:
        shown: Pixels by title, each of shape (height, width).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2 * len(shown), 2.3), layout="constrained")
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, (title, pixels) in zip(panels, shown.items(), strict=True):
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
        axes.set_title(literal(title), size=9, color=INK)
        axes.set_axis_off()
    return figure


def draw_shortcuts(
    results: pd.DataFrame,
    *,
    inputs: Mapping[str, str],
    paths: Mapping[str, str],
    colours: Mapping[str, str],
) -> Any:
    """Return the AUROC of every path and input, a panel each, as a `Figure`.

    A ring marks the AUROC of the same images as a whole.

    Args:
        results: `path`, `input`, `auroc`, `lower`, `upper` and `whole_auroc`.
        inputs: Title of each input, in the order of the panels.
        paths: Title of each path, from top to bottom.
        colours: Of each path.
    """
    from matplotlib.figure import Figure

    titles = literals(paths.values(), _TITLE_CHARACTERS)
    beside = 0.1 * max(8, *map(len, titles))  # inches
    figure = Figure(
        figsize=(2.1 * len(inputs) + beside, 0.3 * len(paths) + 1.2),
        layout="constrained",
    )
    panels = figure.subplots(1, len(inputs), sharex=True, sharey=True, squeeze=False)
    rows = {(row["path"], row["input"]): row for row in results.to_dict("records")}
    for axes, (name, title) in zip(panels[0], inputs.items(), strict=True):
        for y, path in enumerate(paths):
            _draw_row(axes, rows[path, name], y=y, colour=colours[path])
        axes.axvline(0.5, color=MUTED, linestyle=":", linewidth=1)
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.set_title(literal(title), size=9, color=INK)
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    axes = panels[0, 0]
    axes.set_yticks(range(len(paths)), titles, color=INK)
    axes.set_ylim(len(paths) - 0.4, -0.6)
    figure.supxlabel(f"AUROC of {literal(current().stated_finding)}, test part", size=9)
    return figure


def _draw_row(axes: Any, row: Mapping[Hashable, Any], *, y: float, colour: str) -> None:
    """Draw one AUROC; what is NaN stays invisible."""
    axes.plot(row["whole_auroc"], y, "o", markersize=8, fillstyle="none", color=MUTED)
    axes.plot([row["lower"], row["upper"]], [y, y], color=colour, linewidth=2)
    axes.plot(row["auroc"], y, "o", markersize=5, color=colour)
