"""AUROC at each site left out, and what training at it as well would change."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.figures.names import literals
from covid_cxr.figures.palette import GRID, INK, MUTED, PATH_COLOURS

_COLOUR = PATH_COLOURS[0]


def draw_sites(sites: pd.DataFrame) -> Any:
    """Return a forest plot of two panels as a matplotlib `Figure`.

    Left the AUROC at each site of the classifier that was trained without it; right
    the difference that training there makes, on the images that both were tested on.

    Args:
        sites: From `evaluation.left_out_sites`: one row per site and their mean.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.42 * len(sites) + 1.1), layout="constrained")
    left, right = figure.subplots(ncols=2, sharey=True, width_ratios=(3, 2))
    for y, row in enumerate(sites.to_dict("records")):
        _draw_interval(left, row, ("auroc", "lower", "upper"), y=y)
        _draw_interval(
            right, row, ("difference", "difference_lower", "difference_upper"), y=y
        )
        if pd.isna(row["auroc"]):
            left.text(0.01, y, "not left out", color=MUTED, size=8, va="center")
    left.axvline(0.5, color=MUTED, linestyle=":", linewidth=1)
    right.axvline(0, color=MUTED, linestyle=":", linewidth=1)
    left.set(xlabel="AUROC, trained without the site", xlim=(0, 1.02))
    right.set(xlabel="AUROC gained by training there")
    left.set_yticks(
        range(len(sites)), literals(map(str, sites["site"])), color=INK, size=9
    )
    left.set_ylim(len(sites) - 0.5, -0.5)
    right.locator_params(axis="x", nbins=4)
    for axes in (left, right):
        axes.grid(axis="x", color=GRID, linewidth=0.6)
    return figure


def _draw_interval(
    axes: Any, row: Mapping[Any, Any], columns: tuple[str, str, str], *, y: int
) -> None:
    estimate, lower, upper = (row[column] for column in columns)
    axes.plot([lower, upper], [y, y], color=_COLOUR, linewidth=1.8)  # none where NaN
    axes.plot(estimate, y, color=_COLOUR, marker="o", markersize=5)
