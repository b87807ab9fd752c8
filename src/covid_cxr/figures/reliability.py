"""Reliability curves: what classifiers say against what happened."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.figures.names import literals
from covid_cxr.figures.palette import GRID, INK, MUTED
from covid_cxr.figures.panels import canvas

_COLUMNS = 3
_TITLE_CHARACTERS = 32


def draw_reliability(
    curves: Mapping[str, pd.DataFrame],
    *,
    recalibrated: Mapping[str, pd.DataFrame],
    colours: Mapping[str, str],
) -> Any:
    """Return one small diagram per classifier as a matplotlib `Figure`.

    Args:
        curves: By the classifier's title: bins with `mean_probability`,
            `share_of_cases`, `lower` and `upper`.
        recalibrated: The same of recalibrated outputs, by the same title, for the
            classifiers that could be recalibrated.
        colours: By the same title.
    """
    n_columns = min(len(curves), _COLUMNS)
    n_rows = -(-len(curves) // _COLUMNS)
    figure = canvas(2.9 * n_columns + 0.4, 2.9 * n_rows + 0.3)
    grid = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    shown = dict(zip(curves, literals(curves, _TITLE_CHARACTERS), strict=True))
    for axes, (title, bins) in zip(grid, curves.items(), strict=False):
        if title in recalibrated:
            _draw_recalibrated(axes, recalibrated[title])
        _draw_bins(axes, bins, colour=colours[title])
        axes.set_title(shown[title], size=10, color=INK)
    for axes in grid[len(curves) :]:
        axes.set_axis_off()
    figure.supxlabel("Mean output", size=10)
    figure.supylabel("Share of cases", size=10)
    return figure


def _draw_recalibrated(axes: Any, bins: pd.DataFrame) -> None:
    x, share = bins["mean_probability"], bins["share_of_cases"]
    axes.plot(x, share, color=MUTED, marker="D", markersize=2.5, linewidth=1)


def _draw_bins(axes: Any, bins: pd.DataFrame, *, colour: str) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1)
    x, share = bins["mean_probability"], bins["share_of_cases"]
    axes.vlines(x, bins["lower"], bins["upper"], color=colour, linewidth=1, alpha=0.6)
    axes.plot(x, share, color=colour, marker="o", markersize=4, linewidth=1.4)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_aspect("equal")
    axes.grid(color=GRID, linewidth=0.5)
    axes.tick_params(labelsize=8)
