"""Decision curves: the net benefit of acting on a classifier."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.figures.palette import GRID, INK, MUTED


def draw_decisions(
    curves: Mapping[str, pd.DataFrame], *, colours: Mapping[str, str]
) -> Any:
    """Return the net benefit of several classifiers as a matplotlib `Figure`.

    Args:
        curves: By the classifier's title: `threshold`, `net_benefit` and
            `net_benefit_of_everybody`.
        colours: By the same title.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    first = next(iter(curves.values()))
    everybody = first["net_benefit_of_everybody"]
    axes.axhline(0, color=INK, linewidth=1, label="nobody")
    axes.plot(
        first["threshold"], everybody, color=MUTED, linestyle="--", label="everybody"
    )
    for title, curve in curves.items():
        axes.plot(
            curve["threshold"], curve["net_benefit"], color=colours[title], label=title
        )
    best = max(everybody.max(), *(c["net_benefit"].max() for c in curves.values()))
    axes.set(
        xlabel="Threshold probability",
        ylabel="Net benefit per radiograph",
        xlim=(0, 1),
        ylim=(-0.15 * best, 1.1 * best),
    )
    axes.grid(color=GRID, linewidth=0.6)
    axes.legend(fontsize=9, ncols=2)
    return figure
