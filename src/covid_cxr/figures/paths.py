"""Figure 1: which trainings each path goes through."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import INK, MUTED, path_colour
from covid_cxr.paths import TrainingPath

_PHASE_X = {"initial": 0.0, "phase1": 1.0, "phase2": 2.0, "phase3": 3.0}
_COLUMN_TITLES = ("Start", "Phase 1", "Phase 2", "Phase 3")
_BOX_WIDTH, _BOX_HEIGHT = 0.74, 0.62
_PHASE_2_TITLES = {"rsna": "Pneumonia\n(RSNA)", "nih": "Pneumonia\n(NIH)"}


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

    figure = Figure(figsize=(9.6, 0.9 * len(paths) + 0.9), layout="constrained")
    axes = figure.subplots()
    for title, x in zip(_COLUMN_TITLES, _PHASE_X.values(), strict=True):
        axes.text(x, -0.75, title, ha="center", color=INK, weight="bold", size=12)
    for row, path in enumerate(paths):
        _draw_path(axes, path, row=row, training_images=training_images)
    axes.set(xlim=(-1.25, 3.5), ylim=(len(paths) - 0.45, -1.05))
    axes.set_axis_off()
    return figure


def _draw_path(
    axes: Any, path: TrainingPath, *, row: int, training_images: Mapping[str, int]
) -> None:
    stations: list[tuple[str, str, str | None]] = [
        ("initial", "Initial\nweights", None)
    ]
    if path.has_phase1:
        stations.append(("phase1", "14 findings\n(NIH)", "phase1"))
    if path.phase2_cohort is not None:
        title = _PHASE_2_TITLES[path.phase2_cohort]
        stations.append(("phase2", title, f"phase2_{path.phase2_cohort}"))
    stations.append(("phase3", "COVID-19", "phase3"))
    colour = path_colour(row)
    name = {"ha": "right", "va": "center", "color": colour, "weight": "bold"}
    axes.text(-0.5, row, literal(path.title), **name)
    for (start, *_), (end, *_) in itertools.pairwise(stations):
        _draw_arrow(axes, _PHASE_X[start], _PHASE_X[end], row=row, colour=colour)
    for station, title, training_set in stations:
        n_images = training_images.get(training_set or "")
        text = title if n_images is None else f"{title}\n{n_images:,} images"
        _draw_box(axes, _PHASE_X[station], row, text, colour=colour)


def _draw_arrow(axes: Any, start: float, end: float, *, row: int, colour: str) -> None:
    axes.annotate(
        "",
        xy=(end - _BOX_WIDTH / 2, row),
        xytext=(start + _BOX_WIDTH / 2, row),
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.6},
    )


def _draw_box(axes: Any, x: float, y: float, text: str, *, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    is_start = x == _PHASE_X["initial"]
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
