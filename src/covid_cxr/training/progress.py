"""What is seen of a training while it runs: its progress, and files for TensorBoard."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from covid_cxr.console.channels import PROGRESS, tell_batch
from covid_cxr.devices.backend import deterministic_tensorflow

SUMMARIES = "tensorboard"
SECONDS_BETWEEN = 0.25  # what a person reads is not newer


Show = Callable[[float, float], None]  # a batch's loss, and images per second so far


def epoch_progress(stage: str, *, epoch: int, most_epochs: int, n_batches: int) -> Show:
    """Return what tells a display of one more batch at each call, if there is one.

    Args:
        stage: The training's name, as in "path_b.phase2".
        epoch: From 1.
        most_epochs: After which the training ends at the latest.
        n_batches: Of the epoch.
    """
    if not PROGRESS.isEnabledFor(logging.DEBUG):
        return lambda loss, images_per_second: None
    told = time.monotonic()
    n_done = 0

    def show(loss: float, images_per_second: float) -> None:
        nonlocal told, n_done
        n_done += 1
        now = time.monotonic()
        if 1 < n_done < n_batches and now - told < SECONDS_BETWEEN:
            return
        told = now
        tell_batch(
            stage=stage,
            epoch=epoch,
            most_epochs=most_epochs,
            batch=n_done,
            n_batches=n_batches,
            loss=loss,
            images_per_second=images_per_second,
        )

    return show


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
