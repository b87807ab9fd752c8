"""Differences with their intervals, and the margins that they may not cross."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.figures.names import literals
from covid_cxr.figures.palette import GRID, INK, PATH_COLOURS
from covid_cxr.figures.panels import canvas

_COLOUR, _MARGIN = PATH_COLOURS[0], PATH_COLOURS[1]
_LONGEST = 26  # characters of the name of a pair beside several panels


def draw_margins(panels: Mapping[str, pd.DataFrame]) -> Any:
    """Return a panel for each measure as a matplotlib `Figure`, a line for each pair.

    Left of its lower margin the first is worse by more than is accepted, right of the
    upper one the second. An interval that is whole inside shows equivalence.

    Args:
        panels: By the measure's title: `pair`, `difference`, `lower`, `upper` and
            `margin`, NaN where none was stated; the same pairs in each.
    """
    n_pairs = max(len(rows) for rows in panels.values())
    figure = canvas(2.2 + 2.0 * len(panels), 0.34 * n_pairs + 1.3)
    all_axes = figure.subplots(ncols=len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, rows) in zip(all_axes, panels.items(), strict=True):
        _draw_panel(axes, rows)
        axes.set_title(title, size=10)
        axes.tick_params(axis="x", labelsize=8)
        axes.locator_params(axis="x", nbins=4)
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.tick_params(axis="y", length=0)
    first = next(iter(panels.values()))
    all_axes[0].set_yticks(
        range(n_pairs), literals(first["pair"], _LONGEST), color=INK, size=9
    )
    all_axes[0].set_ylim(n_pairs - 0.4, -0.6)
    figure.supxlabel("first minus second", size=9)
    return figure


def _draw_panel(axes: Any, rows: pd.DataFrame) -> None:
    axes.axvline(0, color=INK, linewidth=0.8)
    margins = rows["margin"].dropna().unique()
    for margin in margins:
        for line in (-margin, margin):
            axes.axvline(line, color=_MARGIN, linestyle=(0, (4, 2)), linewidth=1.3)
    for y, row in enumerate(rows.to_dict("records")):
        axes.plot([row["lower"], row["upper"]], [y, y], color=_COLOUR, linewidth=1.8)
        axes.plot(row["difference"], y, color=_COLOUR, marker="o", markersize=5)
