"""Forest plots: the AUROC of one classifier in each subgroup."""

from typing import Any

import pandas as pd

from covid_cxr.figures.palette import GRID, INK, MUTED


def draw_forest(subgroups: pd.DataFrame, *, overall: float, colour: str) -> Any:
    """Return the AUROCs of one classifier's subgroups as a matplotlib `Figure`.

    Args:
        subgroups: `variable`, `level`, `images`, `patients`, `auroc`, `lower`,
            `upper`; NaN where a subgroup has no AUROC.
        overall: AUROC in the whole part, a line across.
        colour: Of the classifier.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.32 * len(subgroups) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.axvline(overall, color=MUTED, linestyle=":", linewidth=1)
    for y, row in enumerate(subgroups.to_dict(orient="records")):
        if pd.isna(row["auroc"]):
            axes.text(0.02, y, "too few", color=MUTED, size=8, va="center")
            continue
        axes.plot([row["lower"], row["upper"]], [y, y], color=colour, linewidth=1.8)
        axes.plot(row["auroc"], y, color=colour, marker="o", markersize=5)
    titles = [
        f"{row['variable'].replace('_', ' ')}: {row['level']} "
        f"({row['images']} of {row['patients']})"
        for row in subgroups.to_dict(orient="records")
    ]
    axes.set_yticks(range(len(titles)), titles, color=INK, size=9)
    axes.set(
        xlabel="AUROC (radiographs of patients in brackets)",
        xlim=(0, 1.02),
        ylim=(len(titles) - 0.4, -0.6),
    )
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    return figure
