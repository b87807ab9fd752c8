"""Does the interval of the threshold of Youden's index hold the true one?

    python benchmarks/youden.py              about a minute

Normal scores of 20 or 95 patients, half of them cases who lie 1 or 2 standard
deviations higher, 2.3 images on average, alike or rising with what a patient's scores
have in common (correlation 0.5). Beside it, the percentile interval of 200 resampled
sets of patients, which is what a user would take otherwise. Printed: how often 95 %
intervals hold the threshold of very many patients, and the median width.
"""

import argparse
import sys

import numpy as np

from covid_cxr.statistics.operating_points import choose_youden_threshold
from covid_cxr.statistics.roc import trace_roc

STUDIES = ((20, False), (20, True), (95, False), (95, True))
SHIFTS = (1.0, 2.0)
N_POPULATION = 400_000
N_RESAMPLED = 200


def simulate(rng, n_patients, is_rising, shift):
    """Return labels, scores and patients."""
    own = rng.standard_normal(n_patients)
    further = np.exp(own - 0.5) if is_rising else np.ones(n_patients)
    patients = np.repeat(np.arange(n_patients), 1 + rng.poisson(1.3 * further))
    is_case = (np.arange(n_patients) < n_patients // 2)[patients]
    noise = rng.standard_normal(len(patients))
    return is_case, shift * is_case + np.sqrt(0.5) * (own[patients] + noise), patients


def resampled(rng, is_case, scores, patients):
    """Return the percentile interval from patients drawn within their class."""
    images = [np.flatnonzero(patients == p) for p in range(patients.max() + 1)]
    half = len(images) // 2
    found = []
    for _ in range(N_RESAMPLED):
        drawn = [*rng.integers(0, half, half), *rng.integers(half, 2 * half, half)]
        rows = np.concatenate([images[p] for p in drawn])
        found.append(trace_roc(is_case[rows], scores[rows]).youden_threshold())
    return np.quantile(found, [0.025, 0.975])


def main():
    """Print a line per study and shift."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--seed", type=int, default=2021)
    arguments = parser.parse_args()
    print("                        holds  unbounded  width   resampled: holds  width")
    for n_patients, is_rising in STUDIES:
        for shift in SHIFTS:
            rng = np.random.default_rng([arguments.seed, n_patients, is_rising])
            many = simulate(rng, N_POPULATION, is_rising, shift)
            # The largest index of so many still lies anywhere near the top.
            near = [
                trace_roc(many[0][k::8], many[1][k::8]).youden_threshold()
                for k in range(8)
            ]
            truth = np.mean(near)
            rows = []
            for _ in range(arguments.replicates):
                data = simulate(rng, n_patients, is_rising, shift)
                one = choose_youden_threshold(data[0], data[1], cluster=data[2])
                low, high = resampled(rng, *data)
                rows.append(
                    (
                        one.lower <= truth <= one.upper,
                        np.isinf([one.lower, one.upper]).any(),
                        one.upper - one.lower,
                        low <= truth <= high,
                        high - low,
                    )
                )
            held, endless, width, others, other_width = np.array(rows, float).T
            title = f"{n_patients}, {'rise' if is_rising else 'alike'}, {shift:g} SD"
            print(
                f"{title:22s} {held.mean():6.3f} {endless.mean():10.3f}"
                f" {np.median(width):6.2f} {others.mean():18.3f}"
                f" {np.median(other_width):6.2f}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
