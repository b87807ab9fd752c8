"""Do intervals, bands and the paired test hold with several images of a patient?

    python benchmarks/coverage.py                     about 5 minutes
    python benchmarks/coverage.py --replicates 200

Simulated test sets as large as the paper's: 95 patients, 218 images, 75.6 % of the
images positive. Scores are normal, with the same AUC of 0.857 for two models and a
correlation within patients of 0 to 0.7; the two models' scores correlate by 0.5 within
an image. Printed for each: how often the 95 % interval holds the true AUC, and how
often the paired test calls two equally good models different at 0.05. By patient is
what the project does; by image is DeLong's, as in the paper.

Then, for 20 patients of whom 60 % are cases and for the paper's size: how often the ROC
band holds the true sensitivity at four false-positive rates and how wide it is there,
and how often the intervals of the AUC by patient hold: the logit one and the
bootstrap's (BCa). All patients have 2.3 images on average, or the number rises with
the exponential of what a patient's scores have in common: those of high scores then
have several times as many. The truth is that of all images of very many patients.
"""

import argparse
import itertools
import sys

import numpy as np
from scipy.stats import norm

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.bootstrap import bootstrap_aucs
from covid_cxr.statistics.roc import trace_roc
from covid_cxr.statistics.roc_band import roc_band

N_PATIENTS, N_IMAGES = 95, 218
SHARE_OF_CASES = 0.756
AUC = 0.857
BETWEEN_MODELS = 0.5
CORRELATIONS = (0.0, 0.3, 0.5, 0.7)
COVERED, REJECTED = (0.93, 0.97), (0.03, 0.07)
STUDIES = ((20, 0.6), (N_PATIENTS, SHARE_OF_CASES))
RATES = np.array([0.05, 0.1, 0.2, 0.5])
LEAST_OF_BANDS = 0.93
N_RESAMPLED = 500
N_POPULATION = 400_000  # patients whose curve is taken for the truth


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


def simulate_sizes(rng, n_patients, setting):
    """Return labels, the scores of a model, and patients with few or many images."""
    share, correlation, is_informative = setting
    own = rng.standard_normal(n_patients)
    further = np.exp(own - 0.5) if is_informative else np.ones(n_patients)  # mean 1
    sizes = 1 + rng.poisson((N_IMAGES / N_PATIENTS - 1) * further)
    patients = np.repeat(np.arange(n_patients), sizes)
    is_case = (rng.random(n_patients) < share)[patients]
    noise = np.sqrt(correlation) * own[patients]
    noise += np.sqrt(1 - correlation) * rng.standard_normal(len(patients))
    return is_case, np.sqrt(2) * norm.ppf(AUC) * is_case + noise, patients


def population(setting):
    """Return the sensitivities at the rates, and the AUC, of very many patients."""
    rng = np.random.default_rng(2021)
    is_case, scores, _ = simulate_sizes(rng, N_POPULATION, setting)
    curve = trace_roc(is_case, scores)
    auc = np.trapezoid(curve.sensitivity, curve.false_positive_rate)
    return np.interp(RATES, curve.false_positive_rate, curve.sensitivity), auc


def judge_band(is_case, scores, patients, truth):
    """Return whether the band holds the truth at each rate, and how wide it is."""
    band = roc_band(is_case, scores, cluster=patients)
    # What is drawn just below the rate: rounding outwards is no merit of the method.
    lower, upper = (
        np.interp(RATES, band.false_positive_rate[side::2], bound[side::2])
        for side, bound in ((0, band.lower), (1, band.upper))
    )
    return (lower <= truth) & (truth <= upper), upper - lower


def judge_intervals(is_case, scores, patients, auc, seed):
    """Return whether the logit and the BCa interval by patient hold the AUC."""
    logit = estimate_aucs(is_case, scores, cluster=patients).interval(0.95, "logit")
    resampled = bootstrap_aucs(
        is_case, scores, cluster=patients, n_replicates=N_RESAMPLED, seed=seed
    ).interval(0.95, "bca")
    return [low <= auc <= high for low, high in (logit[0], resampled.bounds[0])]


def judge_study(n_patients, setting, n_replicates, seed):
    """Return coverage and width of the band, and coverage of both intervals."""
    rng = np.random.default_rng([seed, n_patients])
    truth, auc = population(setting)
    found = []
    while len(found) < n_replicates:
        is_case, scores, patients = simulate_sizes(rng, n_patients, setting)
        classes = [len(set(patients[kind])) for kind in (is_case, ~is_case)]
        if min(classes) < 2:
            continue  # no interval is known there
        covered, width = judge_band(is_case, scores, patients, truth)
        intervals = judge_intervals(is_case, scores, patients, auc, len(found))
        found.append([*covered, *width, *intervals])
    return np.mean(found, axis=0)


def report_bands(n_replicates, seed):
    """Print one line per study; return whether all bands are inside the limit."""
    error = np.sqrt(0.95 * 0.05 / n_replicates)
    print(f"\n{n_replicates} replicates (standard error of 95 %: {error:.3f})\n")
    print("                              band at a rate of        its width at")
    print("                images of", 2 * "    .05   .1    .2    .5 ", "   AUC   AUC")
    print("patients  corr. a patient", 50 * " ", "logit   BCa")
    all_hold = True
    for n_patients, share in STUDIES:
        for is_informative, correlation in itertools.product((False, True), (0.0, 0.5)):
            setting = share, correlation, is_informative
            found = judge_study(n_patients, setting, n_replicates, seed)
            holds = bool(found[:4].min() >= LEAST_OF_BANDS)
            all_hold &= holds
            print(
                f"{n_patients:8d} {correlation:6.1f}",
                "rise     " if is_informative else "equal    ",
                " ".join(f"{value:5.3f}" for value in found),
                "" if holds else "outside the limits",
                flush=True,
            )
    return all_hold


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
    all_hold &= report_bands(max(n // 2, 2), arguments.seed)
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main())
