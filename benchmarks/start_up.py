"""How light is the start? `kedro registry list` beside `import tensorflow`.

Both as whole processes, in turn, in one run; the ratio of medians is what counts.

    python benchmarks/start_up.py [--runs 5]
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "kedro registry list": ["-m", "kedro", "registry", "list"],
    "kedro --version": ["-m", "kedro", "--version"],
    "import tensorflow": ["-c", "import tensorflow"],
}


def seconds(arguments):
    """Return the wall time of one Python process."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "DO_NOT_TRACK": "1"},
    )
    return time.monotonic() - started


def main():
    """Print each command's first and median time, and the ratio to TensorFlow's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    times = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, arguments in COMMANDS.items():
            times[name].append(seconds(arguments))
    reference = statistics.median(times["import tensorflow"])
    for name, measured in times.items():
        median = statistics.median(measured)
        print(
            f"{name:22s} first {measured[0]:6.2f} s   median {median:6.2f} s   "
            f"{median / reference:6.3f} of import tensorflow"
        )


if __name__ == "__main__":
    main()
