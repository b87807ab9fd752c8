"""Image stores: written shard by shard by several processes, read through a handle."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

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

from covid_cxr.datasets.local import LocalDataset
from covid_cxr.radiographs.admission import log_admissions
from covid_cxr.radiographs.curation import StorePlan, write_planned
from covid_cxr.radiographs.store import (
    ImageStore,
    begin_store,
    finish_store,
    is_damaged,
    is_finished,
    layout_of,
    open_store,
)
from covid_cxr.workers import as_done, executor

logger = logging.getLogger(__name__)


class ImageStoreDataset(LocalDataset[StorePlan, ImageStore]):
    """An image store in a local or shared folder.

    Saving a plan renders its shards in `curation.workers` processes, or on the Dask
    cluster `curation.cluster`. A shard appears only when it is whole, so saving again
    after an interruption, or after a few files have changed, redoes only the shards
    that are missing or would be different.

    Example:
        ```yaml
        nih_store:
          type: covid_cxr.datasets.image_store.ImageStoreDataset
          filepath: data/03_primary/nih_store
        ```
    """

    def load(self) -> ImageStore:
        """Return a handle to the store.

        Raises:
            FileNotFoundError: If there is no store, or it was never finished.
        """
        return open_store(self._filepath)

    def save(self, data: StorePlan) -> None:
        """Render the shards of the plan `data` that are not there yet.

        Raises:
            OSError: If the disk has no room for them.
            ValueError: If not one image could be stored; shows the commonest reasons.
            RuntimeError: If a process was ended from outside, as for lack of memory.
        """
        root, layout = self._filepath, data.layout
        shards = range(layout.n_shards)
        missing = begin_store(root, layout, [data.shard(k).fingerprint for k in shards])
        if len(missing) < layout.n_shards:
            logger.info(
                "%s: %d of %d shards are there already",
                root.name,
                layout.n_shards - len(missing),
                layout.n_shards,
            )
        with _progress() as progress:
            n_images = sum(len(layout.rows(shard)) for shard in missing)
            task = progress.add_task(root.name, total=n_images)
            for shard in _write_shards(root, data, missing):
                progress.advance(task, len(layout.rows(shard)))
        log_admissions(root.name, finish_store(root, layout).records)

    def is_damaged(self) -> bool:
        """Return whether a shard is not as it was written; every image is read."""
        layout = layout_of(self._filepath)
        if layout is None:
            return False
        damaged = []
        with _progress() as progress:
            name = f"{self._filepath.name}: checksums"
            task = progress.add_task(name, total=layout.n_images)
            for shard in range(layout.n_shards):
                damaged.append(is_damaged(self._filepath, layout, shard))
                progress.advance(task, len(layout.rows(shard)))
        return any(damaged)

    def _exists(self) -> bool:
        return is_finished(self._filepath)


class _ImagesPerSecond(ProgressColumn):
    """The speed of the last seconds, once there is one."""

    def render(self, task: Task) -> Text:
        """Return the speed as text."""
        return Text(f"{task.speed:,.0f} images/s" if task.speed else "")


def _progress() -> Progress:
    console = get_console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _ImagesPerSecond(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_interactive,
    )


def _write_shards(root: Path, plan: StorePlan, missing: Sequence[int]) -> Iterator[int]:
    """Yield the number of each shard once it is written, in any order."""
    if not missing:
        return
    curation = plan.curation
    n_workers = min(curation.workers, len(missing))
    with executor(n_workers, cluster=curation.cluster) as pool:
        shards = ((root, plan.shard(number)) for number in missing)
        yield from as_done(pool, write_planned, shards)
