"""A figure for where there is nothing to draw: it says why."""

from typing import Any

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import MUTED


def draw_note(text: str) -> Any:
    """Return a matplotlib `Figure` that holds one sentence."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.6))
    placed = figure.text(
        0.5, 0.5, literal(text, len(text)), color=MUTED, size=11, wrap=True
    )
    placed.set(ha="center", va="center")
    return figure
