"""Seconds and memory of `comparison` for a table of many rows, as a user runs it.

    python benchmarks/comparison_rows.py [--rows 1000000] [--models 6]

Makes a table of scores with two radiographs a patient on average, runs the pipeline in
a process of its own, and prints its seconds and peak memory beside those of a plain
loop that calls scikit-learn's `roc_auc_score` on resampled patients, extrapolated from
a few of the replicates that the pipeline draws.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from covid_cxr.evaluation.aurocs import affordable_replicates

TIMED_REPLICATES = 3


def make_table(n_rows: int, n_models: int) -> pd.DataFrame:
    """Return a table of scores with a validation part of a fifth of the patients."""
    rng = np.random.default_rng(1)
    patient = rng.integers(0, n_rows // 2, n_rows)
    is_case = (patient % 5 == 1) ^ (rng.random(n_rows) < 0.05)
    signal = rng.standard_normal((n_rows, n_models)) + is_case[:, np.newaxis] - 1
    scores = 1 / (1 + np.exp(-signal))
    return pd.DataFrame(
        {
            "image": [f"img_{k:07d}.png" for k in range(n_rows)],
            "patient": [f"P{number:06d}" for number in patient],
            "label": is_case.astype(int),
            "part": np.where(patient % 5 == 0, "validation", "test"),
            **{f"model_{k}": scores[:, k] for k in range(n_models)},
        }
    )


def run_pipeline(folder: Path, replicates: int) -> tuple[float, float]:
    """Return the seconds and the peak memory in GB of `kedro run`."""
    parameters = (
        f"scores={folder}/mine.csv,data_root={folder}/root,"
        f"evaluation.bootstrap_replicates={replicates}"
    )
    start = time.perf_counter()
    subprocess.run(
        [
            *(sys.executable, "-m", "kedro", "run"),
            *("--pipelines=comparison", f"--params={parameters}"),
        ],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "DO_NOT_TRACK": "1"},
        check=True,
    )
    seconds = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    sys.stdout.write(f"of it {usage.ru_utime + usage.ru_stime:.1f} s of computing\n")
    return seconds, usage.ru_maxrss / 1e6


def time_plain_loop(table: pd.DataFrame, replicates: int) -> float:
    """Return the seconds of so many replicates by scikit-learn, from a few of them."""
    test = table[table["part"] == "test"].reset_index(drop=True)
    label = test["label"].to_numpy()
    scores = test.filter(like="model_").to_numpy()
    codes, patients = pd.factorize(test["patient"])
    images = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    of_patient = np.split(images, ends[:-1])
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    for _ in range(TIMED_REPLICATES):
        drawn = rng.integers(0, len(patients), len(patients))
        rows = np.concatenate([of_patient[k] for k in drawn])
        for column in scores.T:
            roc_auc_score(label[rows], column[rows])
    return (time.perf_counter() - start) / TIMED_REPLICATES * replicates


def main() -> None:
    """Make the table, run both and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--replicates", type=int, default=2000)
    asked = parser.parse_args()
    table = make_table(asked.rows, asked.models)
    n_test = int((table["part"] == "test").sum())
    drawn = affordable_replicates(n_test, asked.replicates)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table.to_csv(folder / "mine.csv", index=False)
        seconds, memory = run_pipeline(folder, asked.replicates)
    sys.stdout.write(
        f"{asked.rows:,} rows x {asked.models} models: {seconds:.1f} s, "
        f"{memory:.2f} GB at most; {drawn:,} replicates\n"
    )
    for replicates in sorted({drawn, asked.replicates}):
        plain = time_plain_loop(table, replicates)
        sys.stdout.write(
            f"a plain loop of {replicates:,} replicates: {plain:,.0f} s for these "
            f"alone, {plain / seconds:.1f} times the whole pipeline\n"
        )


if __name__ == "__main__":
    main()
