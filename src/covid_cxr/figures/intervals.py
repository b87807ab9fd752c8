"""AUROCs with their intervals, ours beside the paper's."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import pandas as pd

from covid_cxr.figures.names import literal, literals
from covid_cxr.figures.palette import GRID, INK, PAPER
from covid_cxr.figures.panels import canvas
from covid_cxr.study.current import current

_DRAWN = ("auroc", "lower", "upper")


def draw_intervals(rows: pd.DataFrame) -> Any:
    """Return the intervals, one line per path, as a matplotlib `Figure`.

    Args:
        rows: `title`, `colour`, `auroc`, `lower`, `upper`, and of the paper
            `paper_auroc`, …; NaN where they are not known.
    """
    figure = canvas(7, 0.5 * len(rows) + 1.1)
    axes = figure.subplots()
    for y, row in enumerate(rows.to_dict("records")):
        ours, paper = ([row[f"{by}{name}"] for name in _DRAWN] for by in ("", "paper_"))
        _draw_interval(axes, ours, y=y - 0.12, colour=row["colour"], marker="o")
        _draw_interval(axes, paper, y=y + 0.2, colour=PAPER, marker="D")
    axes.axvline(0.5, color=GRID, linewidth=1)
    study = current()
    of_target = "" if study.has_findings else f" of {literal(study.target.name)}"
    axes.set_yticks(range(len(rows)), literals(rows["title"]), color=INK)
    axes.set(xlabel=f"AUROC{of_target}, test part", ylim=(len(rows) - 0.4, -0.6))
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    _add_legend(figure)
    return figure


def _draw_interval(
    axes: Any, interval: Sequence[float], *, y: float, colour: str, marker: str
) -> None:
    auroc, *bounds = interval
    if all(map(isfinite, bounds)):
        axes.plot(bounds, [y, y], color=colour, linewidth=2, zorder=2)
    if isfinite(auroc):
        axes.plot(auroc, y, color=colour, marker=marker, markersize=6)


def _add_legend(figure: Any) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=INK, marker="o", label="this run, by patient")]
    if current().published:
        handles.append(Line2D([], [], color=PAPER, marker="D", label="paper, by image"))
    place = {"loc": "outside lower center", "ncols": 2}
    figure.legend(handles=handles, fontsize=9, **place)
