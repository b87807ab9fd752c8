"""Do the default interval and paired test hold with several images of a patient?

    python benchmarks/coverage.py                     about 20 seconds
    python benchmarks/coverage.py --replicates 200

Simulated test sets as large as the paper's: 95 patients, 218 images, 75.6 % of the
images positive. Scores are normal, with the same AUC of 0.857 for two models and a
correlation within patients of 0 to 0.7; the two models' scores correlate by 0.5 within
an image. Printed for each: how often the 95 % interval holds the true AUC, and how
often the paired test calls two equally good models different at 0.05. By patient is
what the project does; by image is DeLong's, as in the paper.
"""

import argparse
import sys

import numpy as np
from scipy.stats import norm

from covid_cxr.statistics.auc import estimate_aucs

N_PATIENTS, N_IMAGES = 95, 218
SHARE_OF_CASES = 0.756
AUC = 0.857
BETWEEN_MODELS = 0.5
CORRELATIONS = (0.0, 0.3, 0.5, 0.7)
COVERED, REJECTED = (0.93, 0.97), (0.03, 0.07)


def simulate(rng, correlation):
    """Return labels, the scores of two models, and patients."""
    sizes = 1 + rng.multinomial(N_IMAGES - N_PATIENTS, np.ones(N_PATIENTS) / N_PATIENTS)
    patients = np.repeat(np.arange(N_PATIENTS), sizes)
    is_case = (rng.random(N_PATIENTS) < SHARE_OF_CASES)[patients]
    between = np.array([[1, BETWEEN_MODELS], [BETWEEN_MODELS, 1]])
    own = rng.multivariate_normal([0, 0], between, N_PATIENTS)[patients]
    image = rng.multivariate_normal([0, 0], between, N_IMAGES)
    noise = np.sqrt(correlation) * own + np.sqrt(1 - correlation) * image
    shift = np.sqrt(2) * norm.ppf(AUC)
    return is_case, shift * is_case[:, np.newaxis] + noise, patients


def judge(rng, correlation, n_replicates):
    """Return coverage and rejections, by patient and by image."""
    covered, rejected = np.zeros(2), np.zeros(2)
    for _ in range(n_replicates):
        is_case, scores, patients = simulate(rng, correlation)
        for k, (cluster, method) in enumerate([(patients, "logit"), (None, "wald")]):
            estimates = estimate_aucs(is_case, scores, cluster=cluster)
            lower, upper = estimates.interval(0.95, method)[0]
            covered[k] += lower <= AUC <= upper
            rejected[k] += estimates.compare(0, 1).p_value < 0.05
    return covered / n_replicates, rejected / n_replicates


def main():
    """Print one line per correlation; return whether all are inside the limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2021)
    arguments = parser.parse_args()
    n = arguments.replicates
    print(f"{N_PATIENTS} patients, {N_IMAGES} images, AUC {AUC}, {n} replicates")
    print(f"(standard error of a coverage of 95 %: {np.sqrt(0.95 * 0.05 / n):.3f})\n")
    print("                 coverage of 95 %      rejected at 0.05")
    print("correlation    by patient  by image   by patient  by image")
    all_hold = True
    for correlation in CORRELATIONS:
        rng = np.random.default_rng([arguments.seed, int(100 * correlation)])
        covered, rejected = judge(rng, correlation, n)
        holds = (
            COVERED[0] <= covered[0] <= COVERED[1]
            and REJECTED[0] <= rejected[0] <= REJECTED[1]
        )
        all_hold &= holds
        print(
            f"{correlation:11.1f} {covered[0]:13.3f} {covered[1]:9.3f}"
            f" {rejected[0]:12.3f} {rejected[1]:9.3f}"
            f"   {'' if holds else 'outside the limits'}"
        )
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main())
