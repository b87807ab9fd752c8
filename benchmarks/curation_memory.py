"""Does curation's memory grow with the cohort? Peak memory at 1,000 and 10,000 images.

Each cohort is curated in a fresh process with two workers; the files are hard links to
a few small PNG files, so that many shards pass in little time. The peak is of the
resident memory of the process and its workers together, without the files' content
that the system keeps in memory for them, read from /proc (Linux only).

    python benchmarks/curation_memory.py [--images 1000 10000]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from covid_cxr.datasets.image_store import ImageStoreDataset
from covid_cxr.radiographs.curation import Curation, plan_store
from covid_cxr.radiographs.folder import list_folder

CURATION = Curation(
    size_px=128, shard_images=64, compression="none", workers=2, cluster=None
)


def link_files(folder, n_files):
    """Fill `folder` with names for ten small PNG files."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(n_files):
        path = folder / f"{i:08d}.png"
        if i < 10:
            cv2.imwrite(str(path), rng.integers(0, 256, (128, 128), dtype=np.uint8))
        else:
            os.link(folder / f"{i % 10:08d}.png", path)


def curate(raw, store):
    """Plan and write a store; print what the plan takes, in bytes."""
    images = list_folder(raw)
    names = sorted(images.files)
    radiographs = pd.DataFrame({"image_id": names, "file": names})
    plan = plan_store(radiographs, images, CURATION)
    print(int(plan.images.memory_usage(deep=True).sum()))
    ImageStoreDataset(filepath=str(store)).save(plan)


def own_memory(process_id):
    """Return the bytes of a process and its children that are not content of files."""
    total = 0
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
        children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
    except OSError:  # it has ended
        return 0
    for line in status.splitlines():
        if line.startswith("RssAnon"):
            total += 1024 * int(line.split()[1])
    return total + sum(own_memory(child) for child in children.split())


def peak_memory(command):
    """Run a command; return its output and the largest memory seen, in bytes."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = [0]

    def watch():
        while process.poll() is None:
            peak[0] = max(peak[0], own_memory(process.pid))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(process.returncode)
    return output, peak[0]


def main():
    """Print the peak memory for each number of images, and the largest ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--curate", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.curate:
        curate(*options.curate)
        return
    peaks = []
    for n_images in options.images:
        with tempfile.TemporaryDirectory() as folder:
            raw, store = Path(folder) / "raw", Path(folder) / "store"
            link_files(raw, n_images)
            command = [sys.executable, __file__, "--curate", str(raw), str(store)]
            output, peak = peak_memory(command)
        peaks.append(peak)
        plan_bytes = int(output.splitlines()[0])
        print(
            f"{n_images:10,} images: peak {peak / 1e6:8.1f} MB, of which the plan "
            f"{plan_bytes / 1e6:8.1f} MB ({plan_bytes / n_images:.0f} bytes per image)"
        )
    print(f"last to first: {peaks[-1] / peaks[0]:.2f} times the memory")


if __name__ == "__main__":
    main()
