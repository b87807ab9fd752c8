"""Figure 1: which trainings each path goes through."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import INK, MUTED, path_colour
from covid_cxr.study.current import current
from covid_cxr.study.design import PHASE1, PHASE3, TrainingPath

_COLUMN_TITLES = {"initial": "Start", "phase1": "Phase 1", "phase3": "Phase 3"}
_BOX_WIDTH, _BOX_HEIGHT = 0.74, 0.62


def draw_paths(
    paths: Sequence[TrainingPath], *, training_images: Mapping[str, int]
) -> Any:
    """Return the diagram of the paths, one row each, as a matplotlib `Figure`.

    Args:
        paths: From top to bottom.
        training_images: Number of training images, by training set (`phase1`,
            `phase2_rsna`, …); a set without a number is drawn without one.
    """
    from matplotlib.figure import Figure

    columns = _columns(paths)
    figure = Figure(
        figsize=(9.6 + 2.4 * (len(columns) - 4), 0.9 * len(paths) + 0.9),
        layout="constrained",
    )
    axes = figure.subplots()
    for x, name in enumerate(columns):
        title = _COLUMN_TITLES.get(name, "Phase 2")
        axes.text(x, -0.75, title, ha="center", color=INK, weight="bold", size=12)
    for row, path in enumerate(paths):
        _draw_path(axes, path, row=row, columns=columns, images=training_images)
    axes.set(xlim=(-1.25, len(columns) - 0.5), ylim=(len(paths) - 0.45, -1.05))
    axes.set_axis_off()
    return figure


def _columns(paths: Sequence[TrainingPath]) -> list[str]:
    """Return the columns from left to right, one for each training in sequence."""
    n_refinements = max([1, *(len(path.phase2_trainings) for path in paths)])
    refinements = [f"phase2 {k}" for k in range(n_refinements)]
    return ["initial", PHASE1, *refinements, PHASE3]


def _draw_path(
    axes: Any,
    path: TrainingPath,
    *,
    row: int,
    columns: Sequence[str],
    images: Mapping[str, int],
) -> None:
    refined = [one.training_set for one in path.phase2_trainings]
    column_of = {PHASE1: PHASE1, PHASE3: PHASE3}
    column_of |= {name: f"phase2 {k}" for k, name in enumerate(refined)}
    stations = [
        (0, _start_title(path), ""),
        *(
            (columns.index(column_of[drawn]), _box_title(drawn), drawn)
            for drawn in path.training_sets
        ),
    ]
    colour = path_colour(row)
    name = {"ha": "right", "va": "center", "color": colour, "weight": "bold"}
    axes.text(-0.5, row, literal(path.title), **name)
    for (start, *_), (end, *_) in itertools.pairwise(stations):
        _draw_arrow(axes, start, end, row=row, colour=colour)
    for x, title, training_set in stations:
        n_images = images.get(training_set)
        text = title if n_images is None else f"{title}\n{n_images:,} images"
        _draw_box(axes, x, row, text, colour=colour)


def _start_title(path: TrainingPath) -> str:
    of_path = "" if path.start is None else f"\n({literal(path.start)})"
    return f"Initial\nweights{of_path}"


def _box_title(training_set: str) -> str:
    """Return what is learned and, before the target, from which cohort."""
    study = current()
    drawn = study.training_sets[training_set]
    what = f"{drawn.what[0].upper()}{drawn.what[1:]}"
    if training_set == PHASE3:
        return literal(what)
    shorts = ", ".join(one.short for one in study.cohorts_behind(training_set))
    return f"{literal(what)}\n({literal(shorts)})"


def _draw_arrow(axes: Any, start: float, end: float, *, row: int, colour: str) -> None:
    axes.annotate(
        "",
        xy=(end - _BOX_WIDTH / 2, row),
        xytext=(start + _BOX_WIDTH / 2, row),
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.6},
    )


def _draw_box(axes: Any, x: float, y: float, text: str, *, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    is_start = x == 0
    box = FancyBboxPatch(
        (x - _BOX_WIDTH / 2, y - _BOX_HEIGHT / 2),
        _BOX_WIDTH,
        _BOX_HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor="white",
        edgecolor=MUTED if is_start else colour,
        linewidth=1.4,
    )
    axes.add_patch(box)
    axes.text(x, y, text, ha="center", va="center", size=8.5, color=INK)
