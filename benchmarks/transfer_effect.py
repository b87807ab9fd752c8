"""Does pretraining on radiographs help? The six paths over several synthetic hospitals.

Trains the paths of the demo study once per seed (hospital, splits, initial weights,
batch order) and prints the test AUROC of every path with its mean and its standard
deviation over the seeds, and how far the groups of paths are apart: (a) to (c), which
had phase 1, (d) and (e), which had phase 2 only, and the control path (f). In the
paper: 0.849, 0.857 and 0.851 with phase 1, 0.757 for the control (Table 3).

    python benchmarks/transfer_effect.py [--seeds 1 2 3 …] [--params key=value,…]

And how far the six AUROCs of one seed depend on the arithmetic, with oneDNN and
without, and with one thread per training and two:

    python benchmarks/transfer_effect.py --arithmetic [--seeds 1]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

SEEDED = (
    "synthesis.seed",
    "network.seed",
    *(f"phase{n}.recipe.seed" for n in (1, 2, 3)),
    *(f"{name}_split.seed" for name in ("phase1", "phase2_nih", "phase2_rsna")),
    "phase3_split.seed",
)
# Name of the arithmetic: environment, parameter.
ARITHMETIC = {
    "oneDNN, 1 thread": ({"TF_ENABLE_ONEDNN_OPTS": "1"}, "compute.threads=1"),
    "oneDNN, 2 threads": ({"TF_ENABLE_ONEDNN_OPTS": "1"}, "compute.threads=2"),
    "Eigen, 1 thread": ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "compute.threads=1"),
    "Eigen, 2 threads": ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "compute.threads=2"),
}


def run_study(seed, params, environment=None):
    """Return the AUROCs of Table 3 by path; print how long it took."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as data_root:
        values = [f"data_root={data_root}", *(f"{key}={seed}" for key in SEEDED)]
        subprocess.run(
            [
                *(sys.executable, "-m", "kedro", "run", "--env=demo"),
                *("--pipelines=demo", "--to-outputs=table3"),
                "--runner=covid_cxr.runners.DaskRunner",
                "--runner-params=n_workers=2",
                f"--params={','.join([*values, *params])}",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=Path(__file__).parents[1],
            env={**os.environ, **(environment or {})},
        )
        table = pd.read_csv(Path(data_root) / "08_reporting/table3.csv")
    print(f"seed {seed}: {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    return table.set_index("path")["auroc"]


def over_seeds(seeds, params):
    """Print the AUROCs, one row per seed, and what separates the groups of paths."""
    rows = {}
    for seed in seeds:
        rows[seed] = run_study(seed, params)
        print(rows[seed].round(3).to_dict(), flush=True)
    table = pd.DataFrame(rows).T.rename_axis("seed")
    summary = pd.DataFrame({"mean": table.mean(), "SD": table.std(ddof=1)}).T
    print(pd.concat([table, summary]).round(3).to_string())
    phase1, phase2, control = (
        table.iloc[:, group].mean(axis=1) for group in ([0, 1, 2], [3, 4], [5])
    )
    for name, difference in (
        ("(a)-(c) minus (f)", phase1 - control),
        ("(a)-(c) minus (d)-(e)", phase1 - phase2),
        ("(d)-(e) minus (f)", phase2 - control),
    ):
        mean, error = difference.mean(), difference.sem(ddof=1)
        print(
            f"{name}: {mean:+.3f}, standard error over {len(table)} seeds {error:.3f} "
            f"({mean / error:.1f} times); above 0 in {(difference > 0).sum()}"
        )


def over_arithmetic(seed, params):
    """Print the AUROCs of one seed in each arithmetic and the largest difference."""
    table = pd.DataFrame(
        {
            name: run_study(seed, [*params, threads], environment)
            for name, (environment, threads) in ARITHMETIC.items()
        }
    ).T
    print(table.round(4).to_string())
    print(f"largest difference of a path: {(table.max() - table.min()).max():.4f}")


def main():
    """Print one table or the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)))
    parser.add_argument("--params", default="")
    parser.add_argument("--arithmetic", action="store_true")
    arguments = parser.parse_args()
    params = [param for param in arguments.params.split(",") if param]
    if arguments.arithmetic:
        over_arithmetic(arguments.seeds[0], params)
    else:
        over_seeds(arguments.seeds, params)


if __name__ == "__main__":
    main()
