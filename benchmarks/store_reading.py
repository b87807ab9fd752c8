"""How fast are random batches? The image store beside a NumPy memmap of the same array.

The same random images, written to an uncompressed store, a compressed one and an .npy
file, are read in batches of 16 in random orders: every reader in turn reads each order,
and the ratio of medians is what counts. The files stay in memory after the first round,
so that the readers are compared and not the disk.

    python benchmarks/store_reading.py [--images 4096] [--rounds 15]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import tensorstore
import zarr

from covid_cxr.radiographs.pixels import StoreLayout
from covid_cxr.radiographs.store import begin_store, finish_store, write_shard

SIZE_PX = 512
BATCH_IMAGES = 16


def write_store(root, images, compression):
    """Return a finished store of `images`."""
    layout = StoreLayout(
        n_images=len(images),
        size_px=SIZE_PX,
        shard_images=64,
        compression=compression,
    )
    fingerprints = [""] * layout.n_shards
    for shard in begin_store(root, layout, fingerprints):
        rows = layout.rows(shard)
        records = pd.DataFrame({"row": list(rows), "is_stored": True, "reason": None})
        write_shard(
            root,
            shard,
            first_row=rows.start,
            images=images[rows.start : rows.stop],
            records=records.astype({"reason": "str"}),
            fingerprint="",
        )
    return finish_store(root, layout)


def smooth_noise(n_images):
    """Yield images that zstd can compress about as far as radiographs."""
    rng = np.random.default_rng(0)
    for _ in range(n_images):
        coarse = rng.integers(0, 224, (SIZE_PX // 8, SIZE_PX // 8), dtype=np.uint8)
        fine = rng.integers(0, 8, (SIZE_PX, SIZE_PX), dtype=np.uint8)
        yield np.kron(coarse, np.ones((8, 8), dtype=np.uint8)) + fine


def one_by_one(read):
    """Return a function that reads batch after batch with `read`."""

    def batches(order):
        for first in range(0, len(order), BATCH_IMAGES):
            yield read(order[first : first + BATCH_IMAGES])

    return batches


def readers(memmap, plain, compressed):
    """Return each way of reading as a function from an order of rows to batches."""
    path = plain.root / "images.zarr"
    array = tensorstore.open(
        {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/"}}
    ).result()
    zarr_array = zarr.open_array(path, mode="r")
    return {
        "NumPy memmap": one_by_one(lambda rows: memmap[rows]),
        "ImageStore.read": one_by_one(plain.read),
        "TensorStore": one_by_one(lambda rows: array[rows].read().result()),
        "ImageStore.read, zstd": one_by_one(compressed.read),
        "zarr-python": one_by_one(lambda rows: zarr_array.oindex[rows]),
    }


def images_per_second(batches, order):
    """Return the speed of reading `order` once, touching every batch."""
    started = time.perf_counter()
    for batch in batches(order):
        int(batch[0, 0, 0])
    return len(order) / (time.perf_counter() - started)


def main():
    """Print each reader's images per second and its ratio to the memmap's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        array = np.lib.format.open_memmap(
            root / "images.npy",
            mode="w+",
            dtype=np.uint8,
            shape=(options.images, SIZE_PX, SIZE_PX),
        )
        for row, image in enumerate(smooth_noise(options.images)):
            array[row] = image
        array.flush()
        plain = write_store(root / "plain", array, "none")
        compressed = write_store(root / "zstd", array, "zstd")
        ways = readers(np.load(root / "images.npy", mmap_mode="r"), plain, compressed)
        speeds = {name: [] for name in ways}
        rng = np.random.default_rng(1)
        for _ in range(options.rounds):
            order = rng.permutation(options.images)
            for name, batches in ways.items():
                # Slower by two orders of magnitude: two batches say enough.
                read = order[: 2 * BATCH_IMAGES] if name == "zarr-python" else order
                speeds[name].append(images_per_second(batches, read))
    reference = statistics.median(speeds["NumPy memmap"])
    for name, measured in speeds.items():
        median = statistics.median(measured)
        print(
            f"{name:24s} median {median:8,.0f}  best {max(measured):8,.0f} images/s   "
            f"{median / reference:6.3f} of the memmap"
        )


if __name__ == "__main__":
    main()
