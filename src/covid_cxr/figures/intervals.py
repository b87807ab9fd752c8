"""AUROCs with their intervals, ours beside the paper's."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from covid_cxr.figures.names import literal, literals
from covid_cxr.figures.palette import GRID, INK, PAPER
from covid_cxr.figures.panels import canvas
from covid_cxr.study.current import current


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An AUROC with its bounds; NaN where they are not known."""

    auroc: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class IntervalRow:
    """One path: our interval in its colour, and the paper's if it printed one."""

    title: str
    colour: str
    ours: Interval
    paper: Interval


def draw_intervals(rows: Sequence[IntervalRow]) -> Any:
    """Return the intervals, one line per path, as a matplotlib `Figure`."""
    figure = canvas(7, 0.5 * len(rows) + 1.1)
    axes = figure.subplots()
    for y, row in enumerate(rows):
        _draw_interval(axes, row.ours, y=y - 0.12, colour=row.colour, marker="o")
        _draw_interval(axes, row.paper, y=y + 0.2, colour=PAPER, marker="D")
    axes.axvline(0.5, color=GRID, linewidth=1)
    study = current()
    of_target = "" if study.has_findings else f" of {literal(study.target.name)}"
    axes.set_yticks(range(len(rows)), literals(row.title for row in rows), color=INK)
    axes.set(
        xlabel=f"AUROC{of_target}, test part",
        ylim=(len(rows) - 0.4, -0.6),
    )
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    _add_legend(figure)
    return figure


def _draw_interval(
    axes: Any, interval: Interval, *, y: float, colour: str, marker: str
) -> None:
    if isfinite(interval.lower) and isfinite(interval.upper):
        axes.plot(
            [interval.lower, interval.upper],
            [y, y],
            color=colour,
            linewidth=2,
            zorder=2,
        )
    if isfinite(interval.auroc):
        axes.plot(interval.auroc, y, color=colour, marker=marker, markersize=6)


def _add_legend(figure: Any) -> None:
    from matplotlib.lines import Line2D

    printed = [Line2D([], [], color=PAPER, marker="D", label="paper, by image")]
    if not current().published:
        printed = []
    figure.legend(
        handles=[
            Line2D([], [], color=INK, marker="o", label="this run, by patient"),
            *printed,
        ],
        loc="outside lower center",
        ncols=2,
        fontsize=9,
    )
