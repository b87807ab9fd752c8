"""Smooth calibration curves with their bands, one diagram per classifier."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import GRID, MUTED
from covid_cxr.figures.panels import canvas

_COLUMNS = 3


def draw_smooth_curves(
    curves: Mapping[str, pd.DataFrame], *, colours: Mapping[str, str]
) -> Any:
    """Return the curves as a matplotlib `Figure`.

    Args:
        curves: By the classifier's title: `probability`, `share`, `lower`, `upper`; a
            bound is NaN where it is not known.
        colours: By the same title.
    """
    n_columns = min(_COLUMNS, len(curves))
    n_rows = -(-len(curves) // n_columns)
    figure = canvas(2.6 * n_columns + 0.6, 2.6 * n_rows + 0.5)
    grid = figure.subplots(
        n_rows, n_columns, sharex=True, sharey=True, squeeze=False
    ).ravel()
    for axes, (title, rows) in zip(grid, curves.items(), strict=False):
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (2, 2)), linewidth=1)
        axes.fill_between(
            rows["probability"],
            rows["lower"],
            rows["upper"],
            color=colours[title],
            alpha=0.18,
            linewidth=0,
        )
        axes.plot(rows["probability"], rows["share"], color=colours[title])
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set_title(literal(title, 30), size=9)
        axes.grid(color=GRID, linewidth=0.6)
    for axes in grid[len(curves) :]:
        axes.set_visible(False)
    figure.supxlabel("Output", size=10)
    figure.supylabel("Share of cases", size=10)
    return figure
