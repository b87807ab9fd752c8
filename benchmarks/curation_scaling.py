"""Does curation scale? One worker beside two, on PNG files like those of NIH.

Random but smooth 1024 x 1024 8-bit PNG files become stores of 512 x 512 images, by one
worker and by two that have started before the clock does, in turn, several times; the
ratio of medians is what counts. Files named by `--images` are used instead of made
ones. Beside it, the same ratio for a loop that only computes: where that is not near 2,
the machine did not have two free cores. From the same numbers: what whole cohorts take
on many cores, on paper.

    python benchmarks/curation_scaling.py [--shards 32] [--rounds 3] [--images FOLDER]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from covid_cxr.radiographs.curation import Curation, plan_store, write_planned
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.radiographs.store import begin_store, finish_store
from covid_cxr.workers import as_done, executor

CURATION = Curation(
    size_px=512, shard_images=64, compression="none", workers=1, cluster=None
)
COHORTS = {"NIH ChestX-ray14": 112_120, "ten million": 10_000_000}
CORES = (16, 256)


def write_radiographs(folder, n_files):
    """Write PNG files of about 400 kB, as NIH's are."""
    rng = np.random.default_rng(0)
    for i in range(n_files):
        coarse = rng.integers(0, 200, (32, 32), dtype=np.uint8)
        smooth = cv2.resize(coarse, (1024, 1024), interpolation=cv2.INTER_CUBIC)
        noise = rng.integers(0, 6, smooth.shape, dtype=np.uint8)
        cv2.imwrite(str(folder / f"{i:04d}.png"), smooth + noise)


def plan_of(folder, n_images):
    """Return the plan of a store of `n_images` rows over the files of `folder`."""
    images = list_folder(folder)
    files = sorted(images.files)
    rows = range(n_images)
    radiographs = pd.DataFrame(
        {
            "image_id": [f"image {row}" for row in rows],
            "file": [files[row % len(files)] for row in rows],
        }
    )
    return plan_store(radiographs, images, CURATION)


def seconds(plan, root, pool):
    """Return the wall time of rendering and writing all shards."""
    fingerprints = [plan.shard(k).fingerprint for k in range(plan.layout.n_shards)]
    missing = begin_store(root, plan.layout, fingerprints)
    started = time.perf_counter()
    for _ in as_done(pool, write_planned, ((root, plan.shard(k)) for k in missing)):
        pass
    return time.perf_counter() - started


def count(n_steps):
    """Compute and nothing else."""
    return sum(range(n_steps))


def seconds_of_counting(n_workers):
    """Return the wall time of the same counting by one process or shared by two."""
    with executor(2, cluster=None) as pool:
        list(as_done(pool, count, [(1000,)] * 4))  # they have started
        started = time.perf_counter()
        for _ in range(8 // n_workers):
            list(as_done(pool, count, [(10_000_000,)] * n_workers))
        return time.perf_counter() - started


def measure(plan, root, *, rounds):
    """Return wall times by number of workers, those of counting, and the store."""
    times = {1: [], 2: []}
    counting = {1: [], 2: []}
    cv2.setNumThreads(1)  # one worker is this process; it gets one core like the others
    with executor(1, cluster=None) as alone, executor(2, cluster=None) as both:
        pools = {1: alone, 2: both}
        for n_workers, pool in pools.items():
            warm = plan_of(plan.root, n_workers * CURATION.shard_images)
            seconds(warm, root / f"warm {n_workers}", pool)
        for i in range(rounds):
            for n_workers, pool in pools.items():
                store = root / f"{n_workers} workers, {i}"
                times[n_workers].append(seconds(plan, store, pool))
                counting[n_workers].append(seconds_of_counting(n_workers))
    finish_store(store, plan.layout)
    return times, counting, store


def main():
    """Print the speeds, their ratio, and hours and bytes for whole cohorts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=Path)
    options = parser.parse_args()
    n_images = options.shards * CURATION.shard_images
    with tempfile.TemporaryDirectory() as folder:
        raw = options.images or Path(folder) / "raw"
        if options.images is None:
            raw.mkdir()
            write_radiographs(raw, 128)
        plan = plan_of(raw, n_images)
        times, counting, store = measure(plan, Path(folder), rounds=options.rounds)
        files = [path for path in store.rglob("*") if path.is_file()]
        stored_bytes = sum(path.stat().st_size for path in files)
        raw_bytes = int(plan.images["bytes"].mean())
    medians = {n: statistics.median(measured) for n, measured in times.items()}
    for n_workers, median in medians.items():
        print(f"{n_workers} workers: {n_images / median:7.1f} images/s (median)")
    print(f"from 1 to 2 workers: {medians[1] / medians[2]:.2f} times as fast")
    control = statistics.median(counting[1]) / statistics.median(counting[2])
    print(f"counting, from 1 to 2 processes: {control:.2f} times as fast")
    per_core = n_images / medians[2] / 2
    per_image = stored_bytes / n_images
    print(f"on paper, from {per_core:.1f} images/s on each of 2 busy cores:")
    for name, n in COHORTS.items():
        print(
            f"  {name}: {n:,} images, {n * raw_bytes / 1e12:,.3f} TB of files to "
            f"{n * per_image / 1e12:,.3f} TB in {-(-n // CURATION.shard_images):,} "
            f"shards; "
            + ", ".join(
                f"{n / per_core / cores / 3600:,.2f} h on {cores} cores "
                f"(reading {per_core * cores * raw_bytes / 1e6:,.0f} MB/s)"
                for cores in CORES
            )
        )


if __name__ == "__main__":
    main()
