"""Corrected sensitivity and specificity by how good the reference is taken to be."""

from typing import Any

import pandas as pd

from covid_cxr.figures.palette import GRID, INK, MUTED, PATH_COLOURS
from covid_cxr.figures.panels import canvas


def draw_tipping(curves: pd.DataFrame, *, stated: float) -> Any:
    """Return a panel per share as a matplotlib `Figure`, of one classifier.

    Args:
        curves: `reference_sensitivity`, and for each share `corrected_<share>` with
            `_lower`, `_upper`, `_bound_lower` and `_bound_upper`.
        stated: Sensitivity of the reference that the page takes for true.
    """
    figure = canvas(8.4, 3.6)
    panels = figure.subplots(ncols=2, sharey=True)
    x = curves["reference_sensitivity"]
    for axes, share in zip(panels, ("sensitivity", "specificity"), strict=True):
        name = f"corrected_{share}"
        axes.fill_between(
            x,
            curves[f"{name}_bound_lower"],
            curves[f"{name}_bound_upper"],
            color=GRID,
            label="however both err",
        )
        for end in ("lower", "upper"):
            label = "its interval" if end == "lower" else None
            axes.plot(
                x, curves[f"{name}_{end}"], color=PATH_COLOURS[0], ls="--", label=label
            )
        axes.plot(x, curves[name], color=PATH_COLOURS[0], label="if independently")
        axes.axvline(stated, color=INK, linestyle=":", linewidth=1, label="stated")
        axes.set(title=share, xlabel="Sensitivity of the reference", ylim=(0, 1.05))
        axes.grid(color=GRID, linewidth=0.6)
        axes.tick_params(colors=MUTED)
    panels[0].set_ylabel("For the disease")
    panels[0].legend(fontsize=8, loc="lower left")
    return figure
