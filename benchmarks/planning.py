"""Are planned test sets as precise and as powerful as planned?

    python benchmarks/planning.py                     about 1 minute

For several designs the fewest patients are planned that give an AUC an interval of a
width, or a paired test a power of 0.8. That many patients are then simulated:
normal scores of two models, correlated within patients, the same number of images for
each patient, or a varying one (Poisson), or one that rises with what a patient's scores
have in common. Printed are the mean width of the logit interval by patient and the
power of the paired test by patient, beside what was planned. Planning takes cases and
controls to be different patients, and the number of images to say nothing.
"""

import argparse
import sys

import numpy as np
from scipy.stats import norm

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.power import (
    PlannedTestSet,
    PowerOfDifference,
    WidthOfAuc,
    design_effect,
    fewest_patients,
)

POWER, BETWEEN_MODELS = 0.8, 0.5
# AUC, share of cases, further images of a patient, correlation, width, difference.
DESIGNS = [
    (0.85, 0.5, 0.0, 0.0, 0.1, 0.06),
    (0.85, 0.5, 1.3, 0.5, 0.1, 0.06),
    (0.85, 0.2, 1.3, 0.5, 0.1, 0.06),
    # Fewer than thirty patients of a class, and what they can tell.
    (0.65, 0.5, 0.0, 0.0, 0.3, 0.22),
    (0.65, 0.2, 1.3, 0.5, 0.3, 0.25),
    (0.85, 0.5, 0.0, 0.0, 0.25, 0.11),
    (0.85, 0.5, 1.3, 0.5, 0.3, 0.12),
    (0.85, 0.2, 0.0, 0.0, 0.25, 0.12),
    (0.85, 0.2, 1.3, 0.5, 0.3, 0.13),
]
KINDS = ("varying", "rising")
TOLERANCES = {"width": 0.1, "power": 0.08}


def simulate(rng, n_patients, design, aucs, kind):
    """Return labels, the scores of two models, and patients."""
    share, further, correlation = design[1:4]
    shared = rng.standard_normal(n_patients)
    own = np.sqrt(BETWEEN_MODELS) * shared[:, np.newaxis]
    own = own + np.sqrt(1 - BETWEEN_MODELS) * rng.standard_normal((n_patients, 2))
    rises = np.exp(shared - 0.5) if kind == "rising" else 1.0
    sizes = 1 + rng.poisson(further * rises * np.ones(n_patients))
    patients = np.repeat(np.arange(n_patients), sizes)
    is_case = (np.arange(n_patients) < round(share * n_patients))[patients]
    image = np.sqrt(BETWEEN_MODELS) * rng.standard_normal((len(patients), 1))
    image = image + np.sqrt(1 - BETWEEN_MODELS) * rng.standard_normal(
        (len(patients), 2)
    )
    noise = np.sqrt(correlation) * own[patients] + np.sqrt(1 - correlation) * image
    shift = np.sqrt(2) * norm.ppf(aucs)
    return is_case, shift * is_case[:, np.newaxis] + noise, patients


def correlation_of_aucs(design, rng):
    """Return that of two equal models, from one large test set."""
    data = simulate(rng, 20_000, design, np.full(2, design[0]), "varying")
    estimates = estimate_aucs(data[0], data[1], cluster=data[2])
    return float(estimates.covariance[0, 1] / estimates.standard_error.prod())


def judge(design, kind, n_replicates, rng):
    """Return the patients planned, and the width and power with them."""
    auc, share, further, correlation, width, difference = design
    test_set = PlannedTestSet(
        share_of_cases=share,
        images_per_patient=1 + further,
        design_effect=design_effect(
            images_per_patient=1 + further,
            standard_deviation=np.sqrt(further),
            correlation=correlation,
        ),
    )
    for_width = fewest_patients(WidthOfAuc(auc=auc, width=width, level=0.95), test_set)
    question = PowerOfDifference(
        auc=auc,
        difference=difference,
        correlation=correlation_of_aucs(design, rng),
        significance=0.05,
        power=POWER,
    )
    for_power = fewest_patients(question, test_set)
    widths, found = [], []
    for _ in range(n_replicates):
        data = simulate(rng, for_width, design, np.array([auc, auc]), kind)
        estimates = estimate_aucs(data[0], data[1], cluster=data[2])
        widths.append(np.diff(estimates.interval(method="logit")[0]))
        aucs = np.array([auc, auc + difference])
        data = simulate(rng, for_power, design, aucs, kind)
        compared = estimate_aucs(data[0], data[1], cluster=data[2]).compare(0, 1)
        found.append(compared.p_value < 0.05)
    return for_width, float(np.nanmean(widths)), for_power, float(np.mean(found))


def main():
    """Print one line per design; return whether varying sizes are as planned."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2021)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    print("AUC  cases images corr. images of   patients width         patients power")
    print(
        "     share            a patient              planned is             planned is"
    )
    all_hold = True
    for design in DESIGNS:
        for kind in KINDS if design[2] else KINDS[:1]:
            n, width, m, power = judge(design, kind, arguments.replicates, rng)
            is_few = min(n, m) * min(design[1], 1 - design[1]) < 30
            holds = (
                abs(width / design[4] - 1) < TOLERANCES["width"]
                and abs(power - POWER) < TOLERANCES["power"]
            )
            all_hold &= holds or kind == "rising" or is_few
            print(
                f"{design[0]:.2f} {design[1]:5.1f} {1 + design[2]:5.1f}"
                f" {design[3]:5.1f}  {kind:10s} {n:8d} {design[4]:8.3f} {width:6.3f}"
                f" {m:8d} {POWER:8.2f} {power:6.3f}"
                f" {'' if holds else 'not as planned'}",
                flush=True,
            )
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main())
