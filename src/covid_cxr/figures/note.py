"""A figure for where there is nothing to draw: it says why."""

from typing import Any

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import MUTED
from covid_cxr.figures.panels import canvas


def draw_note(text: str) -> Any:
    """Return a matplotlib `Figure` that holds one sentence."""
    figure = canvas(8, 1.6, layout=None)
    placed = figure.text(
        0.5, 0.5, literal(text, len(text)), color=MUTED, size=11, wrap=True
    )
    placed.set(ha="center", va="center")
    return figure
