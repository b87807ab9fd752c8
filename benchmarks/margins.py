"""How often do tests of non-inferiority and equivalence err at the margin?

    python benchmarks/margins.py              about 4 minutes

20 or 95 patients, half of them cases, with 2.3 images on average, alike or rising with
what a patient's scores have in common (correlation 0.5). The first of two classifiers
is worse by the margin exactly, as very many patients tell. Printed: how often
"the first is not inferior" is said at 0.025, one-sided, which errs; how often
"equivalent" is; and, of predictive values, how often the interval of their difference
held the truth where one of both was 1 (which is refused) and where neither was.
"""

import argparse
import sys

import numpy as np

from covid_cxr.statistics.auc import AucDifference, AucEstimates, estimate_aucs
from covid_cxr.statistics.margins import compare_with_margin
from covid_cxr.statistics.paired_calls import count_called
from covid_cxr.statistics.predictive_values import sum_calls

STUDIES = ((20, False), (20, True), (95, False), (95, True))
SHIFTS = (1.2, 1.7)  # of the cases, for the first classifier and the second
THRESHOLDS = (1.1, 0.9)
PREVALENCE = 0.2
LEVEL = 0.95
N_POPULATION = 300_000


def simulate(rng, n_patients, is_rising):
    """Return labels, two classifiers' scores, and patients."""
    own = rng.standard_normal(n_patients)
    further = np.exp(own - 0.5) if is_rising else np.ones(n_patients)
    patients = np.repeat(np.arange(n_patients), 1 + rng.poisson(1.3 * further))
    is_case = (np.arange(n_patients) < n_patients // 2)[patients]
    image = rng.standard_normal(len(patients))[:, np.newaxis]
    noise = rng.standard_normal((len(patients), 2))
    mixed = np.sqrt(0.5) * own[patients][:, np.newaxis] + 0.5 * image + 0.5 * noise
    return is_case, is_case[:, np.newaxis] * np.array(SHIFTS) + mixed, patients


def differences(is_case, scores, patients):
    """Return the first classifier's less the second's, of each measure."""
    called = scores >= np.array(THRESHOLDS)
    shares = count_called(is_case, called, cluster=patients).compare(0, 1)
    values = sum_calls(is_case, called, cluster=patients).predictive_values(PREVALENCE)
    found = {"AUROC": estimate_aucs(is_case, scores, cluster=patients).compare(0, 1)}
    for name in ("sensitivity", "specificity"):
        one = getattr(shares, name)
        found[name] = AucDifference(
            estimate=one.estimate,
            standard_error=one.standard_error,
            degrees_of_freedom=one.n_clusters - 1,
        )
    for name, both in zip(("PPV", "NPV"), values, strict=True):
        # As of any estimates, also where one of both is 1.
        found[name] = AucEstimates.compare(both, 0, 1)
        if both.is_at_boundary.sum() == 1:
            found[f"{name}, one is 1"] = found.pop(name)
    return found


def judge(n_patients, is_rising, n_replicates, seed):
    """Return errors at the margin, equivalences and coverage by measure."""
    rng = np.random.default_rng([seed, n_patients, int(is_rising)])
    truth = {
        name: one.estimate
        for name, one in differences(*simulate(rng, N_POPULATION, is_rising)).items()
    }
    held = {}
    for _ in range(n_replicates):
        for name, one in differences(*simulate(rng, n_patients, is_rising)).items():
            if not one.standard_error > 0:
                continue
            true = truth[name.partition(",")[0]]
            # The worse one of both, whichever it is, is the first.
            turned = AucDifference(
                estimate=-np.sign(true) * one.estimate,
                standard_error=one.standard_error,
                degrees_of_freedom=one.degrees_of_freedom,
            )
            tests = compare_with_margin(turned, abs(true))
            low, high = one.interval(LEVEL)
            held.setdefault(name, []).append(
                (
                    tests.p_first < (1 - LEVEL) / 2,
                    tests.verdict(1 - LEVEL) == "equivalent",
                    low <= true <= high,
                )
            )
    return truth, {
        name: (np.mean(each, axis=0), len(each)) for name, each in held.items()
    }


def main():
    """Print a line per measure and study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2021)
    arguments = parser.parse_args()
    print(f"{'':34s}  margin  not inferior  equivalent  interval holds   replicates")
    for study in STUDIES:
        truth, found = judge(*study, arguments.replicates, arguments.seed)
        title = f"{study[0]}, {'rise' if study[1] else 'alike'}"
        for name, ((worse, alike, holds), n) in sorted(found.items()):
            margin = abs(truth[name.partition(",")[0]])
            print(
                f"{title:12s} {name:21s} {margin:7.3f} {worse:13.3f} {alike:11.3f}"
                f" {holds:15.3f} {n:12d}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
