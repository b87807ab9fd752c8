"""AUROCs of readers, each as a line from one modality to the next, and their mean."""

from typing import Any

import pandas as pd

from covid_cxr.figures.names import literals
from covid_cxr.figures.palette import GRID, INK, MUTED, PATH_COLOURS
from covid_cxr.figures.panels import canvas


def draw_readers(aurocs: pd.DataFrame, *, mean: str) -> Any:
    """Return the readers' AUROCs as a matplotlib `Figure`.

    Args:
        aurocs: `modality, reader, auroc, lower, upper`, modalities in their order.
        mean: What the rows of the mean call their reader; these have intervals.
    """
    modalities = list(aurocs["modality"].unique())
    figure = canvas(2.2 + 1.8 * len(modalities), 4.2)
    axes = figure.subplots()
    places = range(len(modalities))
    for name, rows in aurocs[aurocs["reader"] != mean].groupby("reader", sort=False):
        axes.plot(places, rows["auroc"], color=MUTED, linewidth=1, marker="o", ms=4)
        axes.annotate(
            *literals([str(name)]),
            (places[-1], rows["auroc"].iloc[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            color=MUTED,
            size=8,
            va="center",
        )
    whole = aurocs[aurocs["reader"] == mean]
    below, above = whole["auroc"] - whole["lower"], whole["upper"] - whole["auroc"]
    axes.errorbar(
        places,
        whole["auroc"],
        yerr=[below, above],
        color=PATH_COLOURS[0],
        linewidth=2.2,
        marker="s",
        capsize=4,
    )
    axes.set_xticks(places, literals(modalities), color=INK)
    axes.set(ylabel="AUROC", xlim=(-0.3, len(modalities) - 0.5))
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    return figure
