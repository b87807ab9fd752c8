"""How much memory and time do many files take, some of them broken?

    python benchmarks/prediction_files.py [--files 250 2500] [--broken 0.03] [--size 32]

Runs `covid-cxr predict` with one process on folders of so many drawn files, a share of
which is cut off, empty or none, and prints the peak of its memory, the time, and what
became of them. Memory is flat if the peaks are alike.
"""

import argparse
import csv
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

SIDE_PX = 256


def main():
    """Print a line for each number of files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, nargs="+", default=[250, 2500])
    parser.add_argument("--broken", type=float, default=0.03)
    parser.add_argument("--size", type=int, default=32)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # A process inherits the peak of the one that starts it: this one stays small.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(prepare, folder, asked).result()
        for n_files in asked.files:
            megabytes, seconds, code = predict(folder, n_files)
            with (folder / f"out_{n_files}/predictions.csv").open() as table:
                counts = Counter(row["status"] for row in csv.DictReader(table))
            print(
                f"{n_files} files: peak {megabytes:.0f} MB, {seconds:.0f} s, exit code "
                f"{code}, {dict(counts)}",
                flush=True,
            )


def prepare(folder, asked):
    """Write the bundle and the files."""
    from drawn_bundle import write_bundle  # noqa: PLC0415

    write_bundle(folder / "bundle", size_px=asked.size)
    for n_files in asked.files:
        n_broken = round(asked.broken * n_files)
        draw(folder / f"{n_files}", n_files, n_broken=n_broken)


def draw(folder, n_files, *, n_broken):
    """Write drawn PNG files; broken ones stand evenly among them."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    from covid_cxr.pipelines.bundle.self_test import draw_self_test  # noqa: PLC0415

    folder.mkdir()
    drawn = np.frombuffer(draw_self_test()["chest_1.png"], np.uint8)
    chest = cv2.resize(cv2.imdecode(drawn, cv2.IMREAD_GRAYSCALE), (SIDE_PX, SIDE_PX))
    broken = set(np.linspace(0, n_files - 1, n_broken, dtype=int).tolist())
    rng = np.random.default_rng(0)
    for number in range(n_files):
        noisy = np.clip(chest + rng.normal(0, 3, chest.shape), 0, 255)
        content = cv2.imencode(".png", noisy.astype(np.uint8))[1].tobytes()
        if number in broken:
            content = (content[: len(content) // 2], b"", b"no picture")[number % 3]
        (folder / f"{number:06d}.png").write_bytes(content)


def predict(folder, n_files):
    """Return the peak memory in MB, the seconds and the exit code of the command."""
    command = [
        *(sys.executable, "-m", "covid_cxr", "predict", folder / "bundle"),
        *(folder / f"{n_files}", "-o", folder / f"out_{n_files}", "--workers", "1"),
    ]
    started = time.perf_counter()
    process = os.posix_spawn(sys.executable, list(map(str, command)), os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - started
    return usage.ru_maxrss / 1024, seconds, os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
