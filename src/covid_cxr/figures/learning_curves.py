"""How the losses of each training went, and which epoch was kept."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from covid_cxr.figures.names import literal
from covid_cxr.figures.palette import GRID, INK, MUTED, PATH_COLOURS

_COLUMNS = 4


def draw_learning_curves(
    histories: Mapping[str, Sequence[Mapping[str, float]]],
) -> Any:
    """Return one small diagram per training as a matplotlib `Figure`.

    Args:
        histories: By the training's title: one record per epoch with `epoch`, `loss`,
            `validation_loss` and `learning_rate`. The kept epoch is the first with the
            lowest validation loss.
    """
    from matplotlib.figure import Figure

    n_rows = -(-len(histories) // _COLUMNS)
    n_columns = min(len(histories), _COLUMNS)
    figure = Figure(
        figsize=(2.6 * n_columns + 0.6, 2.2 * n_rows + 0.5), layout="constrained"
    )
    grid = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes, (title, history) in zip(grid, histories.items(), strict=False):
        _draw_losses(axes, history)
        axes.set_title(literal(title), size=10, color=INK)
    for axes in grid[len(histories) :]:
        axes.set_axis_off()
    shown: dict[str, Any] = {}  # one entry per label, whichever diagrams have it
    for axes in grid:
        handles, labels = axes.get_legend_handles_labels()
        shown.update(zip(labels, handles, strict=True))
    figure.legend(
        list(shown.values()),
        list(shown),
        loc="outside lower center",
        ncols=4,
        fontsize=9,
    )
    figure.supylabel("Cross-entropy", size=10)
    return figure


def _draw_losses(axes: Any, history: Sequence[Mapping[str, float]]) -> None:
    epochs = [record["epoch"] for record in history]
    losses = [record["validation_loss"] for record in history]
    training = [record["loss"] for record in history]
    axes.plot(epochs, training, color=MUTED, marker=".", label="training")
    axes.plot(epochs, losses, color=PATH_COLOURS[0], marker=".", label="validation")
    best = min(range(len(losses)), key=losses.__getitem__)
    kept = {"marker": "o", "linestyle": "", "label": "kept"}
    axes.plot(epochs[best], losses[best], color=PATH_COLOURS[1], **kept)
    for before, after in pairwise(history):
        if after["learning_rate"] < before["learning_rate"]:
            begin = (before["epoch"] + after["epoch"]) / 2
            axes.axvline(begin, color=MUTED, linestyle=":", label="rate falls")
    axes.grid(color=GRID, linewidth=0.5)
    axes.tick_params(labelsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
