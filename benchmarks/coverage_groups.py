"""Do reader studies, pooled sites and corrected labels hold with few patients?

    python benchmarks/coverage_groups.py              about 6 minutes

20 or 95 patients (of each of six sites, where sites are pooled), 2.3 images on average,
alike or rising with what a patient's scores have in common (correlation 0.5), half of
the patients diseased. Printed: how often intervals of 95 % hold the truth, or how often
a test of what is so rejects at 0.05, and how many replicates had an estimate. Where
labels are missing, also how often that of the labelled alone holds, and how often the
weights are refused.
"""

import argparse
import sys

import numpy as np
from scipy.special import expit

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.imperfect_reference import Reference, correct_for_reference
from covid_cxr.statistics.missing_labels import estimate_aucs_with_missing_labels
from covid_cxr.statistics.pooling import (
    compare_unpaired,
    interaction_p_value,
    pool_aucs,
)
from covid_cxr.statistics.reader_study import study_readers
from covid_cxr.statistics.verification import correct_for_verification

STUDIES = ((20, False), (20, True), (95, False), (95, True))
N_SITES, SPREAD = 6, 0.3  # of the sites' shifts
SHIFT, THRESHOLD = 1.5, 0.75
REFERENCE = Reference(sensitivity=0.8, specificity=0.98)


def simulate(rng, n_patients, is_rising, shifts=(SHIFT, SHIFT)):
    """Return labels, a score per shift, and patients."""
    own = rng.standard_normal(n_patients)
    further = np.exp(own - 0.5) if is_rising else np.ones(n_patients)
    patients = np.repeat(np.arange(n_patients), 1 + rng.poisson(1.3 * further))
    is_case = (np.arange(n_patients) < n_patients // 2)[patients]
    noise = rng.standard_normal((len(patients), len(shifts)))
    mixed = np.sqrt(0.5) * own[patients][:, None] + np.sqrt(0.5) * noise
    return is_case, np.array(shifts) * is_case[:, None] + mixed, patients


def readers(rng, n_patients, is_rising):
    """Return whether equal modalities of four readers are told apart, both ways."""
    skills = SHIFT + 0.2 * rng.standard_normal(4)
    both = np.concatenate([skills, skills]) + 0.2 * rng.standard_normal(8)
    is_case, scores, patients = simulate(rng, n_patients, is_rising, both)
    rated = scores.reshape(len(is_case), 2, 4)
    for covariance in ("delong", "jackknife"):
        study = study_readers(
            is_case,
            rated,
            modalities=["a", "b"],
            cluster=patients,
            covariance=covariance,
        )
        yield f"readers, {covariance}", study.compare("a", "b").p_value < 0.05


def sites(rng, n_patients, is_rising, truth):
    """Return what is said of six sites, a further one, and two equal ones."""
    shifts = SHIFT + SPREAD * rng.standard_normal(N_SITES + 1)
    data = [simulate(rng, n_patients, is_rising, (s, s)) for s in shifts[:N_SITES]]
    found = [estimate_aucs(d[0], d[1], cluster=d[2]) for d in data]
    usable = [one for one in found if one.has_variance.all()]
    pooled = pool_aucs(usable, "model 1")
    further = float(np.interp(shifts[-1], *truth))
    yield (
        "average site",
        pooled.bounds[0] <= np.interp(SHIFT, *truth) <= pooled.bounds[1],
    )
    yield "further site", pooled.prediction[0] <= further <= pooled.prediction[1]
    paired = [one.compare(0, 1) for one in usable]
    yield "interaction", interaction_p_value(paired) < 0.05
    equal = [simulate(rng, n_patients, is_rising) for _ in range(2)]
    two = [estimate_aucs(d[0], d[1], cluster=d[2]) for d in equal]
    if all(one.has_variance[0] for one in two):
        yield "two sites", compare_unpaired(*two, "model 1").p_value < 0.05


def labels(rng, n_patients, is_rising, shares):
    """Return whether corrected sensitivities hold, of either fault of the labels."""
    is_case, scores, patients = simulate(rng, n_patients, is_rising)
    called = scores[:, 0] >= THRESHOLD
    chance = rng.random(n_patients)[patients]  # one reference test a patient
    positive = chance < np.where(is_case, REFERENCE.sensitivity, 0.02)
    # Where more are positive than could be, nothing is corrected.
    if 1 - REFERENCE.specificity < positive.mean() < REFERENCE.sensitivity:
        found = correct_for_reference(
            positive, called, reference=REFERENCE, cluster=patients
        )
        for share, truth in zip(("sensitivity", "specificity"), shares, strict=True):
            low, high = getattr(found, share).interval()
            yield f"imperfect reference, {share}", low <= truth <= high
    verified = rng.random(len(called)) < np.where(called, 0.9, 0.5)
    verified_found = correct_for_verification(
        is_case, verified, called, cluster=patients
    )
    names = ("sensitivity", "specificity")
    for share, truth, (low, high) in zip(
        names, shares, verified_found.intervals(), strict=True
    ):
        if np.isfinite(low):
            yield f"partly verified, {share}", low <= truth <= high


def missing(rng, n_patients, is_rising, truth):
    """Return whether AUCs hold where low scores have a label less often."""
    is_case, scores, patients = simulate(rng, n_patients, is_rising)
    chance = 0.2 + 0.75 * expit(2 * scores[:, 0] - 1.5)
    labelled = rng.random(len(is_case)) < chance
    try:
        found = estimate_aucs_with_missing_labels(
            is_case, labelled, scores[:, :1], cluster=patients
        )
    except ValueError:  # too few are left
        yield "labels missing, refused", True
        return
    yield "labels missing, refused", False
    alone = estimate_aucs(
        is_case[labelled], scores[labelled, 0], cluster=patients[labelled]
    )
    for name, one in (("weighted", found.estimates), ("labelled alone", alone)):
        low, high = one.interval(0.95, "logit")[0]
        if np.isfinite(low):
            yield f"labels missing, {name}", low <= truth <= high


def truths(rng, is_rising):
    """Return the AUC by shift, and sensitivity and specificity, of very many."""
    shifts = np.linspace(0.2, 2.8, 14)
    is_case, scores, _ = simulate(rng, 120_000, is_rising, shifts)
    aucs = [estimate_aucs(is_case, column).auc[0] for column in scores.T]
    at = simulate(rng, 300_000, is_rising, (SHIFT,))
    called = at[1][:, 0] >= THRESHOLD
    return (shifts, aucs), (called[at[0]].mean(), (~called[~at[0]]).mean())


def main():
    """Print a line per statistic, a column per study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=600)
    parser.add_argument("--seed", type=int, default=2021)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    known = {is_rising: truths(rng, is_rising) for is_rising in (False, True)}
    table = {}
    for study in STUDIES:
        aucs, shares = known[study[1]]
        for _ in range(arguments.replicates):
            for kind in (
                readers(rng, *study),
                sites(rng, *study, aucs),
                labels(rng, *study, shares),
                missing(rng, *study, float(np.interp(SHIFT, *aucs))),
            ):
                for name, held in kind:
                    table.setdefault(name, {}).setdefault(study, []).append(held)
    heads = [f"{n}, {'rise' if rises else 'alike'}" for n, rises in STUDIES]
    print(" " * 34 + "".join(f"{head:>16s}" for head in heads))
    for name, held in table.items():
        cells = [f"{np.mean(held[s]):8.3f} ({len(held[s])})" for s in STUDIES]
        print(f"{name:34s}" + "".join(f"{cell:>16s}" for cell in cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
