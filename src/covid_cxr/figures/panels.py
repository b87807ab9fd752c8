"""A figure of its own, or a panel of a larger one: what is drawn cannot tell."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from covid_cxr.figures.names import literal

MOST_PANELS = 6  # more than a reader compares; tables have all
_TITLE = 0.35  # inches

T = TypeVar("T")


@dataclass
class _Panel:
    """Where the next canvas lies, and the size in inches that was asked for."""

    place: Any
    width: float = 0.0
    height: float = 0.0


_panel: ContextVar[_Panel | None] = ContextVar("panel", default=None)


def canvas(width: float, height: float, layout: Any = "constrained") -> Any:
    """Return an empty matplotlib `Figure` in inches, or the panel that is drawn."""
    from matplotlib.figure import Figure

    panel = _panel.get()
    if panel is None:
        return Figure(figsize=(width, height), layout=layout)
    panel.width, panel.height = width, height
    return panel.place


def draw_panels(
    draws: Mapping[str, Callable[[], T]],
) -> tuple[Any, dict[str, T]]:
    """Return a matplotlib `Figure` with a panel for each, and what each has returned.

    Args:
        draws: By title, what draws one figure on a `canvas`. Of more than
            `MOST_PANELS` the first are seen, and all are drawn.
    """
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    grid = figure.add_gridspec(min(len(draws), MOST_PANELS))
    made, panels = {}, []
    for number, (title, draw) in enumerate(draws.items()):
        panel = None
        if number < MOST_PANELS:
            panel = _Panel(figure.add_subfigure(grid[number]))
            panel.place.suptitle(literal(title), size=12)
            panels.append(panel)
        before = _panel.set(panel)
        made[title] = draw()
        _panel.reset(before)
    axes = [one for panel in panels for one in panel.place.axes]
    if axes:  # one scale for all
        lowest, highest = zip(*(one.get_xlim() for one in axes), strict=True)
        for one in axes:
            one.set_xlim(min(lowest), max(highest))
    heights = [panel.height + _TITLE for panel in panels]
    grid.set_height_ratios(heights)
    figure.set_size_inches(max(panel.width for panel in panels), sum(heights))
    if len(draws) > MOST_PANELS:
        left_out = f"{len(draws) - MOST_PANELS} more findings stand in the tables."
        figure.supxlabel(left_out, size=10)
    return figure, made
