"""What is seen of a training while it runs: a display, and files for TensorBoard."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich import get_console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from covid_cxr.training.backend import deterministic_tensorflow

SUMMARIES = "tensorboard"


Show = Callable[[float, float], None]  # a batch's loss, and images per second so far


@contextmanager
def epoch_display(
    title: str, *, n_batches: int, learning_rate: float
) -> Iterator[Show]:
    """Display an epoch on a terminal, of which each call shows one more batch.

    Elsewhere nothing is displayed.

    Args:
        title: As in "path_b.phase2, epoch 3".
        n_batches: Of the epoch.
        learning_rate: Of the epoch.
    """
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
        TextColumn(f"learning rate {learning_rate:.2g}"),
        TextColumn("{task.fields[speed]:.0f} images/s"),
        TimeRemainingColumn(),
        console=get_console(),
        transient=True,
        disable=not get_console().is_interactive,
    )
    task = progress.add_task(title, total=n_batches, loss=float("nan"), speed=0.0)

    def show(loss: float, images_per_second: float) -> None:
        progress.update(task, advance=1, loss=loss, speed=images_per_second)

    with progress:
        yield show


def write_summary(folder: Path, record: Mapping[str, float]) -> None:
    """Write an epoch of the history for `tensorboard --logdir`.

    Args:
        folder: Of the training's states; the files go into its `tensorboard`.
        record: Of the epoch.
    """
    tf = deterministic_tensorflow()
    writer: Any = tf.summary.create_file_writer(str(folder / SUMMARIES))
    with writer.as_default(step=record["epoch"]):
        for name in sorted(set(record) - {"epoch"}):
            tf.summary.scalar(name, record[name])
    writer.close()
