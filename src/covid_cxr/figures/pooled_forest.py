"""Forest plots of sites or subgroups: each level, the average and a further one."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import GRID, INK, MUTED
from covid_cxr.figures.panels import canvas


def draw_pooled(
    levels: pd.DataFrame, pooled: Sequence[Mapping[str, Any]], *, colour: str
) -> Any:
    """Return levels and pooled AUROCs of one classifier as a matplotlib `Figure`.

    Args:
        levels: `variable`, `level`, `patients`, `auroc`, `lower`, `upper`.
        pooled: For each grouping `variable`, `title`, `auroc`, `lower`, `upper`,
            `prediction_lower`, `prediction_upper`.
        colour: Of the classifier.
    """
    lines = []
    for one in pooled:
        own = levels[levels["variable"] == one["variable"]].to_dict(orient="records")
        lines += [(f"{one['title']}: {r['level']} ({r['patients']})", r) for r in own]
        lines.append((f"{one['title']}: average", {**one, "is_pooled": True}))
    figure = canvas(7.2, 0.34 * len(lines) + 1.2)
    axes = figure.subplots()
    for y, (_, row) in enumerate(lines):
        if "is_pooled" in row:
            further = [row["prediction_lower"], row["prediction_upper"]]
            axes.plot(further, [y, y], color=MUTED, linewidth=1, linestyle="--")
            corners = [row["lower"], row["auroc"], row["upper"], row["auroc"]]
            axes.fill(corners, [y, y - 0.28, y, y + 0.28], color=colour)
        else:
            axes.plot([row["lower"], row["upper"]], [y, y], color=colour, linewidth=1.8)
            axes.plot(row["auroc"], y, color=colour, marker="o", markersize=5)
    axes.set_yticks(
        range(len(lines)), [literal(name) for name, _ in lines], color=INK, size=9
    )
    axes.set(xlabel="AUROC (patients in brackets)", ylim=(len(lines) - 0.4, -0.6))
    axes.set_xlim(min(0.48, axes.get_xlim()[0]), 1.02)  # chance is always in sight
    axes.axvline(0.5, color=GRID, linewidth=1)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    return figure
