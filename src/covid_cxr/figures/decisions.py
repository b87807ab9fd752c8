"""Decision curves: the net benefit of acting on a classifier."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from covid_cxr.figures.names import add_legend
from covid_cxr.figures.palette import GRID, INK, MUTED, Dashes
from covid_cxr.figures.panels import canvas


def draw_decisions(
    curves: Mapping[str, pd.DataFrame],
    *,
    colours: Mapping[str, str],
    dashes: Mapping[str, Dashes] = MappingProxyType({}),
) -> Any:
    """Return the net benefit of several classifiers as a matplotlib `Figure`.

    Args:
        curves: By the classifier's title: `threshold`, `net_benefit` and
            `net_benefit_of_everybody`.
        colours: By the same title.
        dashes: By the same title, of curves that are no whole lines.
    """
    figure = canvas(6.4, 4.2)
    axes = figure.subplots()
    first = next(iter(curves.values()))
    everybody = first["net_benefit_of_everybody"]
    nobody = axes.axhline(0, color=INK, linewidth=1)
    (everybody_line,) = axes.plot(
        first["threshold"], everybody, color=MUTED, linestyle=(0, (2, 2)), linewidth=1
    )
    lines = [nobody, everybody_line]
    for title, curve in curves.items():
        (line,) = axes.plot(
            curve["threshold"],
            curve["net_benefit"],
            color=colours[title],
            linestyle=(0, dashes[title]) if dashes.get(title) else "solid",
            label=title,
        )
        lines.append(line)
    best = max(everybody.max(), *(c["net_benefit"].max() for c in curves.values()))
    axes.set(
        xlabel="Threshold probability",
        ylabel="Net benefit per radiograph",
        xlim=(0, 1),
        ylim=(-0.15 * best, 1.1 * best),
    )
    axes.grid(color=GRID, linewidth=0.6)
    add_legend(axes, lines, ["nobody", "everybody", *curves])
    return figure
