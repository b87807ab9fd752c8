"""Image stores: written shard by shard by several processes, read through a handle."""

import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
from kedro.io import AbstractDataset
from rich import get_console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from covid_cxr.radiographs.curation import Shard, StorePlan
from covid_cxr.radiographs.store import (
    ImageStore,
    StoreLayout,
    begin_store,
    finish_store,
    is_finished,
    open_store,
    write_shard,
)

logger = logging.getLogger(__name__)


class ImageStoreDataset(AbstractDataset[StorePlan, ImageStore]):
    """An image store in a local or shared folder.

    Saving a plan renders its shards in `curation.workers` processes. A shard appears
    only when it is whole, so saving the same plan again after an interruption redoes
    only what is missing; another plan starts afresh.

    Example:
        ```yaml
        nih_store:
          type: covid_cxr.datasets.image_store.ImageStoreDataset
          filepath: data/03_primary/nih_store
        ```
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the folder.

        Args:
            filepath: The store's folder.
            metadata: For kedro-viz.
        """
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> ImageStore:
        """Return a handle to the store.

        Raises:
            FileNotFoundError: If there is no store, or it was never finished.
        """
        return open_store(self._filepath)

    def save(self, data: StorePlan) -> None:
        """Render the shards of the plan `data` that are not there yet.

        Raises:
            ValueError: If not one image could be stored; shows the commonest reasons.
            RuntimeError: If a process was ended from outside, as for lack of memory.
        """
        layout = data.layout
        missing = begin_store(self._filepath, layout)
        if len(missing) < layout.n_shards:
            logger.info(
                "%s: %d of %d shards are there already",
                self._filepath.name,
                layout.n_shards - len(missing),
                layout.n_shards,
            )
        with _progress() as progress:
            task = progress.add_task(
                self._filepath.name, total=sum(len(layout.rows(k)) for k in missing)
            )
            for shard in _write_shards(self._filepath, data, missing):
                progress.advance(task, len(layout.rows(shard)))
        records = finish_store(self._filepath, layout).records
        logger.info(
            "%s: stored %d of %d radiographs",
            self._filepath.name,
            records["is_stored"].sum(),
            len(records),
        )

    def _exists(self) -> bool:
        return is_finished(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class _ImagesPerSecond(ProgressColumn):
    """The speed of the last seconds, once there is one."""

    def render(self, task: Task) -> Text:
        """Return the speed as text."""
        return Text(f"{task.speed:,.0f} images/s" if task.speed else "")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _ImagesPerSecond(),
        TimeRemainingColumn(),
        console=get_console(),
    )


def _write_shards(root: Path, plan: StorePlan, missing: list[int]) -> Iterator[int]:
    """Yield the number of each shard once it is written, in any order."""
    layout = plan.layout
    workers = min(plan.curation.workers, len(missing))
    if workers <= 1:
        for number in missing:
            yield _write(root, layout, plan.shard(number))
        return
    # Spawned, because a process forked after TensorFlow has started would hang.
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin_worker
    )
    try:
        writes = [pool.submit(_write, root, layout, plan.shard(k)) for k in missing]
        for write in as_completed(writes):
            yield write.result()
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"A process that rendered images for {root} was ended from outside, most "
            f"often for lack of memory; run again (finished shards are kept) with "
            f"fewer curation.workers or smaller curation.shard_images."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _write(root: Path, layout: StoreLayout, shard: Shard) -> int:
    images, records = shard.render()
    write_shard(root, layout, shard.number, images=images, records=records)
    return shard.number


def _begin_worker() -> None:
    """Leave the cores to the other workers, and interrupts and the end to the run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
