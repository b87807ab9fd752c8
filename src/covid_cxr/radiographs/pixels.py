"""The pixels of an image store: one Zarr v3 array, many images per shard file.

TensorStore writes the shards and reads compressed ones. An uncompressed image lies in
its shard file as it is, so it is copied from the file mapped into memory, which takes a
fraction of the time that TensorStore does (docs/decisions/0009).

Zarr v3, "sharding_indexed" codec: a shard file ends with the offset and the length of
each of its inner chunks, here one image each, and a checksum.
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
    """
    if layout.compression == "none":
        base, size = str(path), layout.size_px
        for i, row in enumerate(rows.tolist()):
            shard, place = divmod(row, layout.shard_images)
            images = _map_shard(base, shard, layout.shard_images, size, fingerprint)
            stored = images[place]
            out[i] = 0 if stored is None else stored
    elif len(rows):
        # A forked process must not use its parent's handle: its threads are not there.
        array = _open_once(str(path), fingerprint, os.getpid())
        out[:] = array[rows].read().result()


# Each entry is one mapping of a file, of which Linux allows a process 65,530.
@lru_cache(maxsize=16_384)
def _map_shard(
    path: str, shard: int, shard_images: int, size_px: int, fingerprint: str
) -> list[NDArray[np.uint8] | None]:
    """Return the images of a shard as views of its file, None where one is black."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        # Unlike `mmap`, it keeps no file open for the mapping.
        with pa.memory_map(str(shard_file(Path(path), shard))) as file:
            content = np.frombuffer(file.read_buffer(), dtype=np.uint8)
    except FileNotFoundError:
        return [None] * shard_images
    index_bytes = 16 * shard_images
    index_start = len(content) - index_bytes - _CHECKSUM_BYTES
    index = np.frombuffer(content, "<u8", count=2 * shard_images, offset=index_start)
    return [
        content[offset : offset + length].reshape(size_px, size_px)
        if offset < index_start
        else None  # an image that was never stored has the largest offset there is
        for offset, length in index.reshape(-1, 2).tolist()
    ]


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
