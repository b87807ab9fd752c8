"""What more or fewer patients would reach."""

from typing import Any

import pandas as pd

from covid_cxr.figures.palette import GRID, INK, MUTED, path_colour


def draw_plan(planned: pd.DataFrame, curves: pd.DataFrame) -> Any:
    """Return a panel per question as a matplotlib `Figure`.

    Args:
        planned: `question`, `patients` and what they have `reached`.
        curves: The same for other numbers of patients.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(8.4, 6.0), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    for axes, row in zip(panels, planned.to_dict(orient="records"), strict=True):
        curve = curves[curves["question"] == row["question"]]
        is_width = row["question"].startswith("width")
        axes.plot(curve["patients"], curve["reached"], color=path_colour(0))
        axes.axhline(row["reached"], color=MUTED, linestyle=":", linewidth=1)
        axes.plot(row["patients"], row["reached"], color=INK, marker="o")
        axes.annotate(
            f"{row['patients']:,} patients",
            (row["patients"], row["reached"]),
            xytext=(8, 8 if is_width else -16),  # beside the curve
            textcoords="offset points",
            size=9,
        )
        axes.set(
            title=row["question"],
            xlabel="Patients",
            ylabel="Expected width" if is_width else "Power",
            xscale="log",
            ylim=(0, None if is_width else 1),
        )
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(color=GRID, linewidth=0.6)
    return figure
