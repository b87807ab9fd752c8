"""The flow of radiographs and patients, from the publisher's list to each part.

One row per cohort, read from left to right. What was lost on the way stands in dashed
boxes below the arrow where it was lost, as in the diagrams that STARD and CONSORT ask
for. Lengths are in inches.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import GRID, INK, MUTED

_WIDTH = 11.9
_LINE, _PADDING, _GAP = 0.165, 0.1, 0.22
_STATION_X = (1.05, 3.3, 5.55)  # listed, ingested, curated
_STATION_WIDTH = 1.6
_SET_X, _SET_WIDTH = 10.2, 3.1
_LOSS_X, _LOSS_WIDTH = (2.17, 4.42, 7.58), 1.95  # the last: left out of a training set
_CHARACTERS = 32  # of a line of losses
_REASONS = 4  # that are named; further ones are summed up


@dataclass(frozen=True, kw_only=True)
class Station:
    """Radiographs that are still there, and their patients; None if not known."""

    title: str
    images: int
    patients: int | None


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Radiographs that are lost between two stations, by reason."""

    title: str
    images: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class DividedSet:
    """A training set with its parts, and what of the cohort it leaves out."""

    title: str
    left_out: Losses
    parts: Sequence[Station]


@dataclass(frozen=True, kw_only=True)
class CohortLane:
    """One row of the diagram.

    Attributes:
        title: The cohort's name.
        stations: Listed, ingested, curated.
        losses: Between these stations, one fewer.
        training_sets: Drawn from the curated radiographs.
    """

    title: str
    stations: Sequence[Station]
    losses: Sequence[Losses]
    training_sets: Sequence[DividedSet]


@dataclass(frozen=True, kw_only=True)
class _Box:
    """Text in a frame around (x, y): the first line is its title."""

    x: float
    y: float
    width: float
    lines: Sequence[str]

    @property
    def height(self) -> float:
        return _height(self.lines)


def draw_flow(lanes: Sequence[CohortLane]) -> Any:
    """Return the flow diagram as a matplotlib `Figure`."""
    from matplotlib.figure import Figure

    heights = [_lane_height(lane) for lane in lanes]
    figure = Figure(figsize=(_WIDTH, sum(heights)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, _WIDTH), ylim=(sum(heights), 0))
    axes.set_axis_off()
    top = 0.0
    for lane, height in zip(lanes, heights, strict=True):
        if top:
            axes.plot([0.2, _WIDTH - 0.2], [top, top], color=GRID, linewidth=1)
        axes.text(
            0.25, top + 0.28, literal(lane.title), weight="bold", size=11, color=INK
        )
        _draw_lane(axes, lane, top=top + 0.5)
        top += height
    return figure


def _lane_height(lane: CohortLane) -> float:
    sets = sum(_set_height(one) + _GAP for one in lane.training_sets)
    station = max(_height(_station_lines(one)) for one in lane.stations)
    lost = [_height(_loss_lines(one)) for one in lane.losses if one.images]
    return 0.5 + max(sets, station + max(lost, default=0) + 2 * _GAP)


def _set_height(divided: DividedSet) -> float:
    left_out = divided.left_out
    below = _height(_loss_lines(left_out)) + _GAP if left_out.images else 0
    box = _height(_set_lines(divided))
    return max(box, box / 2 + below)


def _draw_lane(axes: Any, lane: CohortLane, *, top: float) -> None:
    lines = [_station_lines(station) for station in lane.stations]
    y = top + max(_height(text) for text in lines) / 2
    boxes = [
        _Box(x=x, y=y, width=_STATION_WIDTH, lines=text)
        for x, text in zip(_STATION_X, lines, strict=True)
    ]
    for box in boxes:
        _draw_box(axes, box)
    for before, after, x, losses in zip(
        boxes, boxes[1:], _LOSS_X, lane.losses, strict=False
    ):
        _draw_arrow(axes, _right(before), (_left(after)[0], y))
        _draw_losses(axes, losses, x=x, y=y, bottom=y + boxes[0].height / 2)
    for divided in lane.training_sets:
        text = _set_lines(divided)
        box = _Box(x=_SET_X, y=top + _height(text) / 2, width=_SET_WIDTH, lines=text)
        _draw_box(axes, box)
        _draw_branch(axes, _right(boxes[-1]), _left(box))
        _draw_losses(axes, divided.left_out, x=_LOSS_X[-1], y=box.y, bottom=box.y)
        top += _set_height(divided) + _GAP


def _draw_losses(
    axes: Any, losses: Losses, *, x: float, y: float, bottom: float
) -> None:
    """Draw the losses below `bottom`, with an arrow from the line at `y`."""
    if not losses.images:
        return
    lines = _loss_lines(losses)
    top = bottom + _GAP
    _draw_box(
        axes,
        _Box(x=x, y=top + _height(lines) / 2, width=_LOSS_WIDTH, lines=lines),
        is_loss=True,
    )
    _draw_arrow(axes, (x, y), (x, top))


def _draw_box(axes: Any, box: _Box, *, is_loss: bool = False) -> None:
    from matplotlib.patches import Rectangle

    corner = (box.x - box.width / 2, box.y - box.height / 2)
    axes.add_patch(
        Rectangle(
            corner,
            box.width,
            box.height,
            facecolor="white",
            edgecolor=MUTED if is_loss else INK,
            linestyle="dashed" if is_loss else "solid",
        )
    )
    for position, line in enumerate(box.lines):
        axes.text(
            corner[0] + _PADDING,
            corner[1] + _PADDING + (position + 0.5) * _LINE,
            _shown(line),
            size=8 if is_loss else 8.5,
            weight="bold" if position == 0 else "normal",
            color=INK,
            va="center",
        )


def _shown(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + literal(line, most=len(line))


def _draw_arrow(
    axes: Any, start: tuple[float, float], end: tuple[float, float]
) -> None:
    style = {"arrowstyle": "-|>", "color": INK, "linewidth": 1, "shrinkA": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops={**style, "shrinkB": 0})


def _draw_branch(
    axes: Any, start: tuple[float, float], end: tuple[float, float]
) -> None:
    """Draw an arrow that leaves and arrives horizontally."""
    bend = start[0] + 0.12
    axes.plot([start[0], bend, bend], [start[1], start[1], end[1]], color=INK, lw=1)
    _draw_arrow(axes, (bend, end[1]), end)


def _left(box: _Box) -> tuple[float, float]:
    return box.x - box.width / 2, box.y


def _right(box: _Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y


def _height(lines: Sequence[str]) -> float:
    return len(lines) * _LINE + 2 * _PADDING


def _station_lines(station: Station) -> list[str]:
    patients = [] if station.patients is None else [f"{station.patients:,} patients"]
    return [station.title, f"{station.images:,} radiographs", *patients]


def _set_lines(divided: DividedSet) -> list[str]:
    parts = [
        f"{part.title}: {part.images:,} radiographs, {part.patients:,} patients"
        for part in divided.parts
    ]
    return [divided.title, *parts]


def _loss_lines(losses: Losses) -> list[str]:
    named = dict(list(losses.images.items())[:_REASONS])
    n_further = sum(losses.images.values()) - sum(named.values())
    if n_further:
        named["other reasons"] = n_further
    lines = [f"{losses.title}: {sum(losses.images.values()):,}"]
    for reason, n_images in named.items():
        wrapped = textwrap.wrap(f"{reason}: {n_images:,}", _CHARACTERS)
        lines += [wrapped[0], *(f"   {line}" for line in wrapped[1:])]
    return lines
