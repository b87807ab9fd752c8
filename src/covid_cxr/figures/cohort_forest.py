"""Forest plots of cohorts: the AUROC of a classifier wherever it was tested."""

from functools import partial
from typing import Any

import pandas as pd

from covid_cxr.figures.names import literal
from covid_cxr.figures.note import draw_note
from covid_cxr.figures.palette import GRID, INK, MUTED, classifier_colours
from covid_cxr.figures.panels import canvas, draw_panels


def draw_cohorts(
    cohorts: pd.DataFrame, pooled: pd.DataFrame, discrimination: pd.DataFrame
) -> Any:
    """Return a matplotlib `Figure` with a panel for each classifier.

    Args:
        cohorts: From `gather_cohorts`.
        pooled: From `pool_cohorts`; its thick line is the interval of the mean, its
            thin one that of a further cohort.
        discrimination: From `tabulate_discrimination`, for the internal test.
    """
    known = cohorts[cohorts["auroc"].notna()]
    if known.empty:
        return draw_note("No cohort has cases and controls: there is no AUROC.")
    colours = classifier_colours(known["classifier"].unique(), are_paths=False)
    rows = {
        name: _rows(name, own, pooled, discrimination)
        for name, own in known.groupby("classifier", sort=True)
    }
    draws = {
        str(name): partial(_draw, own, colours[str(name)]) for name, own in rows.items()
    }
    figure, _ = draw_panels(draws)
    return figure


def _rows(
    name: Any, own: pd.DataFrame, pooled: pd.DataFrame, discrimination: pd.DataFrame
) -> list[dict[str, Any]]:
    rows = [
        {**row, "title": f"{row['cohort']} ({row['patients']:.0f} patients)"}
        for row in own.to_dict("records")
    ]
    inside = discrimination[discrimination["classifier"] == name]
    inside = inside.reindex(columns=["auroc", "lower", "upper"]).assign(
        auroc=inside.get("internal_auroc"),
        lower=inside.get("internal_lower"),
        upper=inside.get("internal_upper"),
        title="internal test",
    )
    first = inside[inside["auroc"].notna()].to_dict("records")
    last = pooled[pooled["classifier"] == name].assign(
        title=lambda t: "random effects, " + t["cohorts"].astype("str") + " cohorts"
    )
    return [*first, *rows, *last.to_dict("records")]


def _draw(rows: list[dict[str, Any]], colour: str) -> None:
    axes = canvas(7.2, 0.34 * len(rows) + 1.1).subplots()
    for y, row in enumerate(rows):
        inside = row["title"] == "internal test"
        shade = MUTED if inside else colour
        if "prediction_lower" in row:
            further = [row["prediction_lower"], row["prediction_upper"]]
            axes.plot(further, [y, y], color=shade, linewidth=0.8)
        width = 4 if "prediction_lower" in row else 1.8
        axes.plot([row["lower"], row["upper"]], [y, y], color=shade, linewidth=width)
        axes.plot(row["auroc"], y, color=shade, marker="o", markersize=5)
    axes.axvline(0.5, color=GRID, linewidth=1)
    titles = [literal(row["title"]) for row in rows]
    axes.set_yticks(range(len(titles)), titles, color=INK, size=9)
    axes.set(xlabel="AUROC", xlim=(-0.02, 1.02), ylim=(len(titles) - 0.4, -0.6))
    axes.grid(axis="x", color=GRID, linewidth=0.6)
