"""The image store: the curated images of a cohort as one sharded array on disk.

    <store>/plan.json                   what is being written (before the first shard)
    <store>/images.zarr                 (n, size, size) uint8, Zarr v3, uncompressed;
                                        one image per inner chunk, many per shard file
    <store>/records/shard-00000.parquet what became of each image, one file per shard
    <store>/records.parquet             the same for the whole store
    <store>/manifest.json               the plan and a fingerprint of the records,
                                        written last: the store is whole

A shard's records are written after its pixels and appear at once, so a shard that has
records has its pixels, and a killed run goes on where it stopped. Any number of
processes may write different shards. The folder must be local or shared, not s3://.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.rendering import NO_DECODER, UNREADABLE_FILE

IMAGES = "images.zarr"
RECORDS = "records"
ALL_RECORDS = "records.parquet"
PLAN = "plan.json"
MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class StoreLayout:
    """What a store holds and how it is cut into files; written beside the pixels.

    Attributes:
        n_images: Rows of the store, those that stay black included.
        size_px: Height and width of each image.
        shard_images: Images per file.
        fingerprint: SHA-256 of the plan: everything that the pixels depend on.
    """

    n_images: int
    size_px: int
    shard_images: int
    fingerprint: str

    @property
    def n_shards(self) -> int:
        """The number of shards; the last one may hold fewer images."""
        return -(-self.n_images // self.shard_images)

    def rows(self, shard: int) -> range:
        """Return the rows of the store that lie in a shard."""
        first = shard * self.shard_images
        return range(first, min(first + self.shard_images, self.n_images))


@dataclass(frozen=True, kw_only=True)
class ImageStore:
    """A handle to a finished store: light, picklable, opened where it is read.

    Attributes:
        root: The store's folder.
        n_images: Rows of the store.
        size_px: Height and width of each image.
        fingerprint: SHA-256 of its records and sizes, the same wherever the same
            images are stored in the same way.
    """

    root: Path
    n_images: int
    size_px: int
    fingerprint: str

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the images of `rows`, shape (n, size_px, size_px), in their order.

        Args:
            rows: Shape (n,), each 0 to n_images - 1, repeated ones allowed.

        Raises:
            ValueError: If a row is outside the store.
        """
        rows = np.asarray(rows, dtype=np.int64)
        outside = rows[(rows < 0) | (rows >= self.n_images)]
        if outside.size:
            raise ValueError(
                f"Row {outside[0]} is not in the image store {self.root}, which has "
                f"the rows 0 to {self.n_images - 1}; take rows from its records."
            )
        if not rows.size:
            return np.zeros((0, self.size_px, self.size_px), dtype=np.uint8)
        # A forked process must not use its parent's handle: its threads are not there.
        array = _open_once(str(self.root / IMAGES), self.fingerprint, os.getpid())
        return np.asarray(array[rows].read().result())

    @property
    def records(self) -> pd.DataFrame:
        """What became of each image: one row per row of the store, in its order.

        Columns: `image_id`; `row`; `is_stored`; `reason` (why not, else missing);
        `steps` (from stored values to pixels, separated by "; "); `mean` and
        `standard_deviation` of the pixels on [0, 1]; `fingerprint` (64 hexadecimal
        digits, `curation.fingerprint`). What needs pixels is missing where
        `is_stored` is False.
        """
        return pd.read_parquet(self.root / ALL_RECORDS)


def open_store(root: Path) -> ImageStore:
    """Return a handle to the finished store in `root`.

    Raises:
        FileNotFoundError: If there is no store, or it was never finished.
    """
    if not is_finished(root):
        raise FileNotFoundError(
            f"There is no finished image store in {root}; run the curation pipeline "
            f"(it goes on where an interrupted run stopped)."
        )
    manifest = json.loads((root / MANIFEST).read_text())
    return ImageStore(
        root=root,
        n_images=manifest["n_images"],
        size_px=manifest["size_px"],
        fingerprint=manifest["records_fingerprint"],
    )


def is_finished(root: Path) -> bool:
    """Return whether `root` holds a store that was written to its end."""
    return (root / MANIFEST).is_file()


def begin_store(root: Path, layout: StoreLayout) -> list[int]:
    """Return the shards that are still to be written, after preparing `root`.

    What an earlier run left is kept if it had the same plan, and removed otherwise;
    nothing but a store's own files is ever removed. A shard with a file that could not
    be read, or not without a decoder, is written again: that may be mended by now.
    """
    (root / MANIFEST).unlink(missing_ok=True)
    if _layout_in(root / PLAN) != layout:
        (root / PLAN).unlink(missing_ok=True)
        (root / ALL_RECORDS).unlink(missing_ok=True)
        shutil.rmtree(root / RECORDS, ignore_errors=True)
        shutil.rmtree(root / IMAGES, ignore_errors=True)
        (root / RECORDS).mkdir(parents=True)
        _open_array(root / IMAGES, _array_spec(layout))
        _write_json(root / PLAN, asdict(layout))
    return [k for k in range(layout.n_shards) if not _is_final(_records_file(root, k))]


def write_shard(
    root: Path,
    layout: StoreLayout,
    shard: int,
    *,
    images: NDArray[np.uint8],
    records: pd.DataFrame,
) -> None:
    """Write one shard's pixels, then its records.

    Args:
        root: A folder prepared by `begin_store`.
        layout: As given to `begin_store`.
        shard: 0 to `layout.n_shards` - 1.
        images: Shape (images in this shard, size_px, size_px).
        records: One row per image, as in `ImageStore.records`.
    """
    rows = layout.rows(shard)
    array = _open_array(root / IMAGES, {})
    array[rows.start : rows.stop].write(images).result()
    _write_at_once(_records_file(root, shard), records.to_parquet)


def finish_store(root: Path, layout: StoreLayout) -> ImageStore:
    """Return the store in `root` after closing it: all its shards must be written.

    Raises:
        ValueError: If not one image could be stored; shows the most common reasons.
    """
    records = pd.concat(
        [pd.read_parquet(_records_file(root, k)) for k in range(layout.n_shards)],
        ignore_index=True,
    )
    if not records["is_stored"].any():
        kinds = records["reason"].str.partition(":")[0].value_counts().head(5)
        shown = "; ".join(f"{kind} ({count})" for kind, count in kinds.items())
        raise ValueError(
            f"None of the {layout.n_images} radiographs could be stored in {root}: "
            f"{shown}. Is the folder of the raw images the right one?"
        )
    _write_at_once(root / ALL_RECORDS, records.to_parquet)
    digest = hashlib.sha256(records.to_csv(index=False).encode())
    digest.update(f"{layout.shard_images} x {layout.size_px}".encode())
    fingerprint = digest.hexdigest()
    _write_json(root / MANIFEST, {**asdict(layout), "records_fingerprint": fingerprint})
    return open_store(root)


@lru_cache(maxsize=8)
def _open_once(path: str, fingerprint: str, process: int) -> Any:
    """Return the array of one store; a rewritten store or a new process opens anew."""
    return _open_array(Path(path), {})


def _open_array(path: Path, spec: dict[str, Any]) -> Any:
    """Return a TensorStore array; its library loads only where a store is opened."""
    import tensorstore  # noqa: PLC0415

    located = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/"}}
    return tensorstore.open({**located, **spec}, open=True, create=bool(spec)).result()


def _array_spec(layout: StoreLayout) -> dict[str, Any]:
    size = layout.size_px
    sharding = {
        "chunk_shape": [1, size, size],
        "codecs": [{"name": "bytes"}],
        "index_codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "crc32c"},
        ],
    }
    return {
        "metadata": {
            "shape": [layout.n_images, size, size],
            "data_type": "uint8",
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": [layout.shard_images, size, size]},
            },
            "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
            "fill_value": 0,
        }
    }


def _records_file(root: Path, shard: int) -> Path:
    return root / RECORDS / f"shard-{shard:05d}.parquet"


def _is_final(path: Path) -> bool:
    try:
        reasons = pd.read_parquet(path, columns=["reason"])["reason"].dropna()
    except (OSError, ValueError):
        return False
    return not reasons.str.startswith((UNREADABLE_FILE, NO_DECODER)).any()


def _layout_in(path: Path) -> StoreLayout | None:
    try:
        return StoreLayout(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write_json(path: Path, values: dict[str, Any]) -> None:
    text = json.dumps(values, indent=2) + "\n"
    _write_at_once(path, lambda part: part.write_text(text))


def _write_at_once(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file that appears under its name only when it is whole."""
    part = path.with_name(f".{path.name}.part")
    write(part)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)
