"""Do the intervals beyond the AUROC hold with few patients and informative sizes?

    python benchmarks/coverage_further.py             about 1 minute

Simulated as in coverage.py: 20 or 95 patients with 2.3 images on average, alike or
rising with what a patient's scores have in common (correlation 0.5). Two equally good
models and two findings. Beside the smooth curve stands how often its test refuses
calibration, which is not quite there.
Printed: how often intervals of 95 % hold the truth, which is
that of very many patients, and how often the paired test of the models rejects at 0.05.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from scipy.special import expit

from covid_cxr.statistics.clustered_mean import clustered_mean
from covid_cxr.statistics.finding_aucs import estimate_finding_aucs
from covid_cxr.statistics.partial_aucs import (
    estimate_partial_aucs,
    estimate_sensitivities,
)
from covid_cxr.statistics.patient_aucs import (
    QUESTIONS,
    estimate_aucs_by_question,
    estimate_aucs_of_one_image,
)
from covid_cxr.statistics.predictive_values import sum_calls
from covid_cxr.statistics.probability_scores import (
    brier_values,
    calibration_error_values,
    net_benefit_values,
)
from covid_cxr.statistics.smooth_calibration import (
    fit_smooth_calibration,
    integrated_calibration_values,
)

STUDIES = ((20, False), (20, True), (95, False), (95, True))
N_POPULATION = 150_000


def simulate(rng, n_patients, is_rising):
    """Return labels and scores of two findings and two models, and patients."""
    own = rng.standard_normal(n_patients)
    further = np.exp(own - 0.5) if is_rising else np.ones(n_patients)
    sizes = 1 + rng.poisson(1.3 * further)
    patients = np.repeat(np.arange(n_patients), sizes)
    truth = (rng.random((n_patients, 2)) < (0.5, 0.35))[patients]
    image = rng.standard_normal((len(patients), 2))
    scores = []
    for _ in range(2):
        noise = rng.standard_normal((len(patients), 2))
        mixed = 0.7071 * own[patients][:, None] + 0.5 * image + 0.5 * noise
        scores.append(1.5 * truth + mixed)
    return truth, scores, patients


def measure(truth, scores, patients):
    """Return estimate, bounds and paired p value of each statistic."""
    is_case = truth[:, 0]
    both = np.stack([each[:, 0] for each in scores], axis=1)
    findings = estimate_finding_aucs(
        pd.DataFrame(truth, columns=["a", "b"]),
        {
            f"model {k}": pd.DataFrame(each, columns=["a", "b"])
            for k, each in enumerate(scores)
        },
        cluster=patients,
    )
    of_aucs = {
        "mean over findings": findings.mean,
        "partial AUROC to .2": estimate_partial_aucs(
            is_case,
            both,
            false_positive_rates=(0, 0.2),
            is_corrected=True,
            cluster=patients,
        ),
        "sensitivity at .8": estimate_sensitivities(
            is_case, both, specificity=0.8, cluster=patients
        ),
        "one image of each": estimate_aucs_of_one_image(
            is_case, both, cluster=patients
        ),
    }
    called = both > 1.0
    ppv, npv = sum_calls(is_case, called, cluster=patients).predictive_values(0.1)
    asked = estimate_aucs_by_question(is_case, both, cluster=patients)
    of_aucs |= {"PPV at .1": ppv, "NPV at .1": npv}
    of_aucs |= {
        f"patients, {rule}": asked.estimates.get(
            f"patient_{rule}", asked.estimates["image"]
        )
        for rule in ("max", "mean")
    }
    found = {
        name: (one.auc[0], *one.interval(0.95, "logit")[0], one.compare(0, 1).p_value)
        for name, one in of_aucs.items()
    }
    first, second = expit(1.5 * both - 1.1).T
    for name, values in {
        "Brier score": brier_values,
        "net benefit at .3": lambda t, p: net_benefit_values(t, p, threshold=0.3),
        "ICI": distances,
        "ECE, 5 bins": lambda t, p: calibration_error_values(t, p, n_bins=5),
    }.items():
        try:
            one, other = values(is_case, first), values(is_case, second)
        except ValueError:  # a smooth curve would separate the classes
            found[name] = (np.nan,) * 4
            continue
        mean = clustered_mean(one, patients)
        p_value = clustered_mean(one - other, patients).p_value
        found[name] = (mean.estimate, *mean.interval(), p_value)
    for question in QUESTIONS[1:]:
        apart = asked.compare(question, "image", 0)
        found[f"{question} - image"] = (apart.estimate, *apart.interval(), np.nan)
    return found | smooth(is_case, first, patients)


def distances(is_case, probability):
    """Return the values whose mean is the ICI."""
    curve = fit_smooth_calibration(is_case, probability, cluster=None)
    return integrated_calibration_values(curve, is_case, probability)


def smooth(is_case, probability, patients):
    """Return the band of the calibration curve at two outputs, and its own test."""
    try:
        curve = fit_smooth_calibration(is_case, probability, cluster=patients)
    except ValueError:
        return {f"smooth curve at {at}": (np.nan,) * 4 for at in (0.3, 0.7)}
    bounds = curve.band([0.3, 0.7])
    return {
        f"smooth curve at {at}": (
            curve.at([at])[0],
            bounds[0][k],
            bounds[1][k],
            curve.p_value,
        )
        for k, at in enumerate((0.3, 0.7))
    }


def judge(n_patients, is_rising, n_replicates, seed):
    """Return coverage and rejections of each statistic, and replicates used."""
    rng = np.random.default_rng([seed, n_patients, int(is_rising)])
    truth = measure(*simulate(rng, N_POPULATION, is_rising))
    held, rejected = {name: [] for name in truth}, {name: [] for name in truth}
    for _ in range(n_replicates):
        data = simulate(rng, n_patients, is_rising)
        of_class = [len(set(data[2][kind])) for t in data[0].T for kind in (t, ~t)]
        if min(of_class) < 3:
            continue  # hardly any interval is known there
        for name, (_, low, high, p_value) in measure(*data).items():
            if np.isfinite([low, high]).all():
                held[name].append(low <= truth[name][0] <= high)
            if np.isfinite(p_value):
                rejected[name].append(p_value < 0.05)
    return {name: (_share(held[name]), _share(rejected[name])) for name in truth}


def _share(of):
    """Return how many are true; NaN of none."""
    return np.mean(of) if of else np.nan


def main():
    """Print one line per statistic, two columns per study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=600)
    parser.add_argument("--seed", type=int, default=2021)
    arguments = parser.parse_args()
    found = {s: judge(*s, arguments.replicates, arguments.seed) for s in STUDIES}
    print(f"{arguments.replicates} replicates: coverage, rejections at 0.05")
    titles = [f"{n} {'rise' if rises else 'alike'}" for n, rises in STUDIES]
    print(f"{'':22s}" + "".join(f"{title:>14s}" for title in titles))
    for name in next(iter(found.values())):
        cells = [f"{found[s][name][0]:8.3f}{found[s][name][1]:6.3f}" for s in STUDIES]
        print(f"{name:22s}" + "".join(cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
