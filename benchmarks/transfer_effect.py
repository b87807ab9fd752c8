"""Does pretraining on radiographs help? The six paths over several synthetic hospitals.

Runs the demo study once per seed (hospital, splits, initial weights, batch order) and
prints the test AUROC of every path, its mean, and the mean of paths (a) to (c), which
had phase 1, minus the control path (f). In the paper: 0.849, 0.857 and 0.851 against
0.757 (Table 3).

    python benchmarks/transfer_effect.py [--seeds 1 2 3 4 5] [--params key=value,…]
"""

import argparse
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


def run_study(seed, data_root, params):
    """Return Table 3 of one demo study, and the minutes that it took."""
    values = [f"data_root={data_root}", *(f"{key}={seed}" for key in SEEDED), *params]
    started = time.monotonic()
    subprocess.run(
        [
            sys.executable,
            *("-m", "kedro", "run", "--env=demo", "--pipelines=demo"),
            f"--params={','.join(values)}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=Path(__file__).parents[1],
    )
    table = pd.read_csv(Path(data_root) / "08_reporting/table3.csv")
    return table.set_index("path")["auroc"], (time.monotonic() - started) / 60


def main():
    """Print the table of AUROCs, one row per seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--params", default="")
    arguments = parser.parse_args()
    rows = {}
    for seed in arguments.seeds:
        with tempfile.TemporaryDirectory() as data_root:
            params = [p for p in arguments.params.split(",") if p]
            rows[seed], minutes = run_study(seed, data_root, params)
        print(f"seed {seed}: {minutes:.1f} minutes", flush=True)
    table = pd.DataFrame(rows).T.rename_axis("seed")
    with_phase1 = table.iloc[:, :3].mean(axis=1)
    table["a-c minus f"] = with_phase1 - table.iloc[:, 5]
    print(pd.concat([table, table.mean().to_frame("mean").T]).round(3).to_string())
    spread = table["a-c minus f"].std(ddof=1) / len(table) ** 0.5
    print(
        f"mean of (a)-(c) minus (f): {table['a-c minus f'].mean():+.3f} "
        f"(standard error over {len(table)} seeds {spread:.3f})"
    )


if __name__ == "__main__":
    main()
