"""Forest plots: the AUROC of one classifier in each subgroup."""

from typing import Any

import numpy as np
import pandas as pd

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import GRID, INK, MUTED
from covid_cxr.figures.panels import canvas

_TITLES = {"age_band": "age band"}


def draw_forest(subgroups: pd.DataFrame, *, overall: float, colour: str) -> Any:
    """Return the AUROCs of one classifier's subgroups as a matplotlib `Figure`.

    Args:
        subgroups: `variable`, `level`, `images`, `patients`, `auroc`, `lower`,
            `upper`; a bound is NaN where it cannot be estimated.
        overall: AUROC in the whole part, a line across.
        colour: Of the classifier.
    """
    rows = subgroups.to_dict(orient="records")
    figure = canvas(7.2, 0.32 * len(rows) + 1.2)
    axes = figure.subplots()
    axes.axvline(overall, color=MUTED, linestyle=":", linewidth=1)
    for y, row in enumerate(rows):
        axes.plot([row["lower"], row["upper"]], [y, y], color=colour, linewidth=1.8)
        axes.plot(row["auroc"], y, color=colour, marker="o", markersize=5)
    titles = [
        literal(f"{_TITLES.get(row['variable'], row['variable'])}: {row['level']}")
        + f" ({row['images']} of {row['patients']})"
        for row in rows
    ]
    axes.set_yticks(range(len(titles)), titles, color=INK, size=9)
    least = float(np.nanmin(subgroups[["auroc", "lower"]].to_numpy()))
    axes.set(
        xlabel="AUROC (radiographs of patients in brackets)",
        xlim=(min(0.48, least - 0.02), 1.02),  # chance is always in sight
        ylim=(len(titles) - 0.4, -0.6),
    )
    axes.axvline(0.5, color=GRID, linewidth=1)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    return figure
