"""The pixels of an image store: one Zarr v3 array, many images per shard file.

TensorStore writes the shards and reads compressed ones. An uncompressed image lies in
its shard file as it is, so it is copied from the file mapped into memory, which takes a
fraction of the time that TensorStore does (docs/decisions/0009).

Zarr v3, "sharding_indexed" codec: a shard file ends with the offset and the length of
each of its inner chunks, here one image each, and a checksum. Each image has a checksum
behind its pixels, too (codec "crc32c"): what is damaged is never read as a picture.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

COMPRESSIONS = ("none", "zstd")
_CHECKSUM_BYTES = 4
_NEVER_STORED = 2**64 - 1  # offset and length of an image that is not there


class DamagedStoreError(ValueError):
    """An image store whose files are not as they were written."""

    def __init__(self, file: Path, what: str) -> None:
        super().__init__(
            f"The image store is damaged: {file} {what}. Run the curation pipeline "
            f"(kedro run --pipelines=curation), which writes that again."
        )


@dataclass(frozen=True, kw_only=True)
class StoreLayout:
    """What a store holds and how it is cut into files.

    Attributes:
        n_images: Rows of the store, those that stay black included.
        size_px: Height and width of each image.
        shard_images: Images per file.
        compression: One of `COMPRESSIONS`; zstd is smaller and slower to read.
    """

    n_images: int
    size_px: int
    shard_images: int
    compression: str

    @property
    def n_shards(self) -> int:
        """The number of shards; the last one may hold fewer images."""
        return -(-self.n_images // self.shard_images)

    def rows(self, shard: int) -> range:
        """Return the rows of the store that lie in a shard."""
        first = shard * self.shard_images
        return range(first, min(first + self.shard_images, self.n_images))


def create_array(path: Path, layout: StoreLayout) -> None:
    """Write the description of an array; the shard files that are there stay."""
    (path / "zarr.json").unlink(missing_ok=True)
    _open_array(path, _array_spec(layout))


def shard_folder(path: Path, shard: int) -> Path:
    """Return the folder that holds the file of a shard."""
    return path / "c" / str(shard)


def shard_file(path: Path, shard: int) -> Path:
    """Return the file of a shard; a shard without one is black."""
    return shard_folder(path, shard) / "0" / "0"


def write_images(path: Path, first_row: int, images: NDArray[np.uint8]) -> None:
    """Write `images` (n, size_px, size_px) to the rows from `first_row` on."""
    array = _open_array(path, {})
    array[first_row : first_row + len(images)].write(images).result()


def check_shard(
    path: Path, layout: StoreLayout, shard: int, is_stored: NDArray[np.bool_]
) -> None:
    """Check that the file of a shard is there, whole, and of the right images.

    Only its index is read, not its images.

    Args:
        path: The array.
        layout: As it was written.
        shard: Its number.
        is_stored: Of each image of the shard.

    Raises:
        DamagedStoreError: If it is not.
    """
    file = shard_file(path, shard)
    if not file.is_file():
        if is_stored.any():
            raise DamagedStoreError(file, "is missing")
        return
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - _index_bytes(layout)))
        index = _read_index(file, layout, opened.read(), size)
    is_there = index[: len(is_stored), 0] != _NEVER_STORED
    if (is_there != is_stored).any():
        raise DamagedStoreError(file, "holds other images than its records say")


def read_images(
    path: Path,
    layout: StoreLayout,
    rows: NDArray[np.int64],
    *,
    fingerprint: str,
    out: NDArray[np.uint8],
) -> None:
    """Read the images of `rows` (n,) into `out` (n, size_px, size_px), in their order.

    Args:
        path: The array.
        layout: As it was written.
        rows: Each 0 to layout.n_images - 1.
        fingerprint: Of what the array holds: files under another one are opened anew.
        out: Is filled.

    Raises:
        DamagedStoreError: If a checksum is not that of the pixels. An uncompressed
            image is checked once by each process that reads it.
    """
    if layout.compression == "none":
        base = str(path)
        for i, row in enumerate(rows.tolist()):
            shard, place = divmod(row, layout.shard_images)
            images, unchecked = _map_shard(base, shard, layout, fingerprint)
            if place in unchecked:
                _check_image(shard_file(path, shard), images[place], place)
                unchecked.discard(place)
            stored = images[place]
            out[i] = 0 if stored is None else stored[0]
    elif len(rows):
        # A forked process must not use its parent's handle: its threads are not there.
        array = _open_once(str(path), fingerprint, os.getpid())
        try:
            out[:] = array[rows].read().result()
        except ValueError as error:  # TensorStore checks, and names the file
            raise DamagedStoreError(path, f"cannot be read: {error}") from error


# Each entry is one mapping of a file, of which Linux allows a process 65,530.
@lru_cache(maxsize=16_384)
def _map_shard(
    path: str, shard: int, layout: StoreLayout, fingerprint: str
) -> tuple[list[tuple[NDArray[np.uint8], bytes] | None], set[int]]:
    """Return the images of a shard, and the places of those not yet checked.

    Each image is a view of its file with the checksum behind it, None where the shard
    never held one.
    """
    import pyarrow as pa  # noqa: PLC0415

    file = shard_file(Path(path), shard)
    try:
        # Unlike `mmap`, it keeps no file open for the mapping.
        with pa.memory_map(str(file)) as mapped:
            content = np.frombuffer(mapped.read_buffer(), dtype=np.uint8)
    except FileNotFoundError:  # of no stored image: the store was checked when opened
        return [None] * layout.shard_images, set()
    tail = content[max(0, len(content) - _index_bytes(layout)) :].tobytes()
    index = _read_index(file, layout, tail, len(content))
    shape, n_pixels = (layout.size_px, layout.size_px), layout.size_px**2
    images = [
        None
        if offset == _NEVER_STORED
        else (
            content[offset : offset + n_pixels].reshape(shape),
            content[offset + n_pixels : offset + length].tobytes(),
        )
        for offset, length in index.tolist()
    ]
    return images, {place for place, image in enumerate(images) if image is not None}


def _index_bytes(layout: StoreLayout) -> int:
    return 16 * layout.shard_images + _CHECKSUM_BYTES


def _read_index(
    file: Path, layout: StoreLayout, tail: bytes, size: int
) -> NDArray[np.uint64]:
    """Return offset and length of each image of a shard, shape (images, 2).

    Args:
        file: For the message.
        layout: As it was written.
        tail: The last bytes of the file, `_index_bytes` where it has as many.
        size: Of the file.

    Raises:
        DamagedStoreError: If the file breaks off, its index is not what its checksum
            says, or names bytes that are not there.
    """
    index, checksum = tail[:-_CHECKSUM_BYTES], tail[-_CHECKSUM_BYTES:]
    if len(tail) != _index_bytes(layout) or _checksum(index) != checksum:
        raise DamagedStoreError(file, f"has {size} bytes, which end in no valid index")
    places = np.frombuffer(index, "<u8").reshape(-1, 2)
    stored = places[places[:, 0] != _NEVER_STORED]
    end = size - _index_bytes(layout)
    is_inside = (stored <= end).all() and (stored.sum(axis=1) <= end).all()
    n_bytes = layout.size_px**2 + _CHECKSUM_BYTES
    if not is_inside or (
        layout.compression == "none" and (stored[:, 1] != n_bytes).any()
    ):
        raise DamagedStoreError(file, "has an index of images that it does not hold")
    return places.astype(np.uint64)


def _check_image(
    file: Path, image: tuple[NDArray[np.uint8], bytes] | None, place: int
) -> None:
    if image is not None and _checksum(image[0].tobytes()) != image[1]:
        raise DamagedStoreError(file, f"holds other pixels than were stored as {place}")


def _checksum(content: bytes) -> bytes:
    """Return the CRC-32C of `content`, as Zarr's codec of that name stores it."""
    import google_crc32c  # noqa: PLC0415

    value: int = google_crc32c.value(content)
    return value.to_bytes(_CHECKSUM_BYTES, "little")


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
    codecs: list[dict[str, Any]] = [{"name": "bytes"}]
    if layout.compression == "zstd":
        codecs.append({"name": "zstd", "configuration": {"level": 3}})
    codecs.append({"name": "crc32c"})
    sharding = {
        "chunk_shape": [1, size, size],
        "codecs": codecs,
        "index_codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "crc32c"},
        ],
        "index_location": "end",
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
