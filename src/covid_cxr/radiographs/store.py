"""The image store: the curated images of a cohort as one sharded array on disk.

    <store>/images.zarr                 (n, size, size) uint8, Zarr v3; one image per
                                        inner chunk, many per shard file
    <store>/records/shard-00000.parquet what became of each image, one file per shard,
                                        with a fingerprint of what it was made from
    <store>/records.parquet             the same for the whole store
    <store>/manifest.json               the layout and a fingerprint of the records,
                                        written last: the store is whole

A shard's records are written after its pixels and appear at once, so a shard that has
records has its pixels, and a killed run goes on where it stopped. A store that is
written again keeps every shard that would be made from the same files in the same way.
Any number of processes may write different shards. The folder must be local or shared,
not s3://.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.pixels import (
    DamagedStoreError,
    StoreLayout,
    check_shard,
    create_array,
    read_images,
    shard_file,
    shard_folder,
    write_images,
)
from covid_cxr.radiographs.rendering import NO_DECODER, UNREADABLE_FILE

logger = logging.getLogger(__name__)

IMAGES = "images.zarr"
RECORDS = "records"
ALL_RECORDS = "records.parquet"
MANIFEST = "manifest.json"
STORE_VERSION = 2  # with checksums

# Key in the attributes of a shard's records, which pandas keeps in the file.
MADE_FROM = "made_from"
_SHARDS_AT_ONCE = 256


class Images(Protocol):
    """What is asked of an image store, of several, or of one that is masked."""

    @property
    def n_images(self) -> int:
        """How many images there are."""
        ...

    @property
    def size_px(self) -> int:
        """Height and width of each."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what they hold."""
        ...

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the images of `rows`, shape (n, size_px, size_px), in their order."""
        ...


@dataclass(frozen=True, kw_only=True)
class ImageStore:
    """A handle to a finished store: light, picklable, opened where it is read.

    Attributes:
        root: The store's folder.
        layout: What it holds and how it is cut into files.
        fingerprint: SHA-256 of its records and layout, the same wherever the same
            images are stored in the same way.
    """

    root: Path
    layout: StoreLayout
    fingerprint: str

    @property
    def n_images(self) -> int:
        """Rows of the store."""
        return self.layout.n_images

    @property
    def size_px(self) -> int:
        """Height and width of each image."""
        return self.layout.size_px

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
        images = np.empty((len(rows), self.size_px, self.size_px), dtype=np.uint8)
        path, fingerprint = self.root / IMAGES, self.fingerprint
        read_images(path, self.layout, rows, fingerprint=fingerprint, out=images)
        return images

    @property
    def records(self) -> pd.DataFrame:
        """What became of each image: one row per row of the store, in its order.

        Columns: `image_id`; `row`; `is_stored`; `reason` (why not, else missing);
        `steps` (from stored values to pixels, separated by "; "); `mean` and
        `standard_deviation` of the pixels on [0, 1]; `fingerprint` (64 hexadecimal
        digits, `record.fingerprint`); `pixels_sha256` of the whole image at its full
        size, before it was cropped or resized; `border_mean` and `centre_mean` on
        [0, 1], `air_contrast` and `lung_contrast` in standard deviations of the
        picture, and `is_polarity_suspect`: may it be a negative (`polarity`);
        `is_contrast_suspect`: do a few grey levels hold nearly all of it (`contrast`);
        `identifying_attributes`, DICOM keywords separated by "; "; and
        `burned_in_annotation`: YES, NO, "not stated", or missing for PNG and JPEG.
        What needs pixels is missing where `is_stored` is False.
        """
        return _all_records(self.root)


def open_store(root: Path) -> ImageStore:
    """Return a handle to the finished store in `root`.

    Raises:
        FileNotFoundError: If there is no store, or it was never finished.
        DamagedStoreError: If a shard is missing, breaks off or is another's, or the
            store was written before images had checksums.
    """
    if not is_finished(root):
        raise FileNotFoundError(
            f"There is no finished image store in {root}; run the curation pipeline "
            f"(it goes on where an interrupted run stopped)."
        )
    manifest = json.loads((root / MANIFEST).read_text())
    if manifest.get("version") != STORE_VERSION:
        raise DamagedStoreError(root, "was written without checksums")
    layout = StoreLayout(**manifest["layout"])
    stored = _all_records(root, ["is_stored"])["is_stored"]
    for shard in range(layout.n_shards):
        is_stored = stored.to_numpy(bool)[layout.rows(shard)]
        check_shard(root / IMAGES, layout, shard, is_stored)
    return ImageStore(
        root=root,
        layout=layout,
        fingerprint=manifest["fingerprint"],
    )


def is_finished(root: Path) -> bool:
    """Return whether `root` holds a store that was written to its end."""
    return (root / MANIFEST).is_file()


def layout_of(root: Path) -> StoreLayout | None:
    """Return the layout of a finished store; None where there is none."""
    if not is_finished(root):
        return None
    return StoreLayout(**json.loads((root / MANIFEST).read_text())["layout"])


def is_damaged(root: Path, layout: StoreLayout, shard: int) -> bool:
    """Return whether a shard is not as it was written; the log names it.

    Every image is read: its checksum and its mean are compared with the records'.

    Args:
        root: Of a finished store.
        layout: Of the store.
        shard: Its number.
    """
    try:
        records = pd.read_parquet(_records_file(root, shard))
    except Exception as error:  # whatever pyarrow raises on a damaged one
        logger.warning("%s cannot be read: %s", _records_file(root, shard), error)
        return True
    return not _has_its_pixels(root, layout, shard, records)


def begin_store(
    root: Path, layout: StoreLayout, fingerprints: Sequence[str]
) -> list[int]:
    """Return the shards that are still to be written, after preparing `root`.

    A shard that an earlier run left is kept if it has the same fingerprint, and removed
    otherwise; nothing but a store's own files is ever removed. A shard with a file that
    could not be read, or not without a decoder, is written again: that may be mended by
    now.

    Args:
        root: The store's folder.
        layout: What the store will hold.
        fingerprints: Of each shard: everything that its pixels and records depend on.

    Raises:
        OSError: If the disk has no room for what is still to be written.
    """
    (root / MANIFEST).unlink(missing_ok=True)
    (root / RECORDS).mkdir(parents=True, exist_ok=True)
    kept = {
        shard
        for shard, fingerprint in enumerate(fingerprints)
        if _is_whole(root, layout, shard, fingerprint)
    }
    _remove_all_but(root, kept)
    create_array(root / IMAGES, layout)
    missing = [shard for shard in range(layout.n_shards) if shard not in kept]
    _check_room(root, layout, missing)
    return missing


def write_shard(
    root: Path,
    shard: int,
    *,
    first_row: int,
    images: NDArray[np.uint8],
    records: pd.DataFrame,
    fingerprint: str,
) -> None:
    """Write one shard's pixels, then its records.

    Args:
        root: A folder prepared by `begin_store`.
        shard: Its number, from 0.
        first_row: The store's row of its first image.
        images: Shape (images in this shard, size_px, size_px).
        records: One row per image, as in `ImageStore.records`.
        fingerprint: As given to `begin_store`.

    Raises:
        OSError: If the shard cannot be written, as for lack of room.
    """
    traceable = records.copy(deep=False)
    traceable.attrs = {MADE_FROM: fingerprint}
    try:
        write_images(root / IMAGES, first_row, images)
        _write_at_once(_records_file(root, shard), traceable.to_parquet)
    except (OSError, ValueError) as error:  # TensorStore knows no OSError
        free = shutil.disk_usage(root).free
        raise OSError(
            f"Shard {shard} of the image store {root} could not be written; it has "
            f"{images.nbytes:,} bytes of pixels, and {free:,} bytes are free: {error}. "
            f"Make room and run again; whole shards are kept."
        ) from error


def finish_store(root: Path, layout: StoreLayout) -> ImageStore:
    """Return the store in `root` after closing it: all its shards must be written.

    Raises:
        ValueError: If not one image could be stored; shows the most common reasons.
    """
    fingerprint = _gather_records(root, layout)
    outcome = pd.read_parquet(root / ALL_RECORDS, columns=["is_stored", "reason"])
    if not outcome["is_stored"].any():
        kinds = outcome["reason"].str.partition(":")[0].value_counts().head(5)
        shown = "; ".join(f"{kind} ({count})" for kind, count in kinds.items())
        raise ValueError(
            f"None of the {layout.n_images} radiographs could be stored in {root}: "
            f"{shown}. Is the folder of the raw images the right one?"
        )
    manifest = {"layout": asdict(layout), "fingerprint": fingerprint}
    _write_json(root / MANIFEST, {"version": STORE_VERSION, **manifest})
    n_stored = outcome["is_stored"].sum()
    logger.info("%s: stored %d of %d radiographs", root.name, n_stored, len(outcome))
    return open_store(root)


def _gather_records(root: Path, layout: StoreLayout) -> str:
    """Write the records of all shards to one file and return their fingerprint.

    A few shards at a time, so that memory does not grow with the store.
    """
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    digest = hashlib.sha256(json.dumps(asdict(layout)).encode())

    def write(path: Path) -> None:
        writer = None
        for first in range(0, layout.n_shards, _SHARDS_AT_ONCE):
            shards = range(first, min(first + _SHARDS_AT_ONCE, layout.n_shards))
            parts = [pd.read_parquet(_records_file(root, shard)) for shard in shards]
            records = pd.concat(parts, ignore_index=True)
            records.attrs = {}
            digest.update(records.to_csv(index=False).encode())
            table = pa.Table.from_pandas(records, preserve_index=False)
            writer = writer or parquet.ParquetWriter(path, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()

    _write_at_once(root / ALL_RECORDS, write)
    return digest.hexdigest()


def _all_records(root: Path, columns: list[str] | None = None) -> pd.DataFrame:
    file = root / ALL_RECORDS
    try:
        return pd.read_parquet(file, columns=columns)
    except Exception as error:  # whatever pyarrow raises on a damaged one
        if isinstance(error, MemoryError) or getattr(error, "errno", None):
            raise
        raise DamagedStoreError(file, f"cannot be read ({error})") from error


def _is_whole(root: Path, layout: StoreLayout, shard: int, fingerprint: str) -> bool:
    """Return whether a shard is there, made from the same files in the same way."""
    try:
        records = pd.read_parquet(_records_file(root, shard))
    except Exception:  # whatever pyarrow raises on a damaged one
        return False
    if "is_stored" not in records or "reason" not in records:
        return False
    passing = records["reason"].dropna().str.startswith((UNREADABLE_FILE, NO_DECODER))
    return (
        records.attrs.get(MADE_FROM) == fingerprint
        and not passing.any()
        and _has_its_pixels(root, layout, shard, records)
    )


def _has_its_pixels(
    root: Path, layout: StoreLayout, shard: int, records: pd.DataFrame
) -> bool:
    """Return whether a shard's pixels are those of its records; name it if not.

    Every image is read: its checksum says that it is whole, and its mean that it is
    not another one's.
    """
    path, is_stored = root / IMAGES, records["is_stored"].to_numpy(bool)
    if len(records) != len(layout.rows(shard)):
        return False
    rows = np.array(layout.rows(shard), dtype=np.int64)[is_stored]
    images = np.empty((len(rows), layout.size_px, layout.size_px), dtype=np.uint8)
    # Under a name of its own, so that what an earlier look mapped is not asked.
    look = uuid4().hex
    try:
        check_shard(path, layout, shard, is_stored)
        read_images(path, layout, rows, fingerprint=look, out=images)
    except DamagedStoreError as damage:
        logger.warning("%s", damage)
        return False
    stated = records.loc[is_stored, "mean"].to_numpy(np.float64)
    if np.allclose(images.mean(axis=(1, 2)) / 255, stated, atol=1e-6):
        return True
    logger.warning("%s holds the images of other records", shard_file(path, shard))
    return False


def _remove_all_but(root: Path, kept: Collection[int]) -> None:
    """Remove the records, then the pixels of all other shards, and broken-off files."""
    names = {_records_file(root, shard).name for shard in kept}
    for path in (root / RECORDS).iterdir():
        if path.name not in names:
            path.unlink()
    folders = {shard_folder(root / IMAGES, shard) for shard in kept}
    for folder in (root / IMAGES).glob("c/*"):
        if folder not in folders:
            shutil.rmtree(folder)


def _check_room(root: Path, layout: StoreLayout, missing: Sequence[int]) -> None:
    if layout.compression != "none":
        return  # how much it will take is not known
    n_images = sum(len(layout.rows(shard)) for shard in missing)
    needed = n_images * layout.size_px**2
    free = shutil.disk_usage(root).free
    if needed > free:
        raise OSError(
            f"The image store {root} needs {needed:,} bytes for {n_images:,} more "
            f"images, and {free:,} bytes are free; make room, name another folder with "
            f"--params=data_root=…, or set curation.compression to zstd."
        )


def _records_file(root: Path, shard: int) -> Path:
    return root / RECORDS / f"shard-{shard:05d}.parquet"


def _write_json(path: Path, values: dict[str, Any]) -> None:
    text = json.dumps(values, indent=2) + "\n"
    _write_at_once(path, lambda part: part.write_text(text))


def _write_at_once(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file that appears under its name only when it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
