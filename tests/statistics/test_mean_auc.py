"""Means of AUCs over sets of patients, such as sites."""

import numpy as np
import pytest
from scipy.stats import t as student

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.mean_auc import average_aucs


def one_site(seed, n_patients=14):
    """Return the AUCs of two models at one site, three images a patient."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(n_patients), 3)
    is_case = patients < n_patients // 2
    scores = rng.standard_normal((len(patients), 2)) + is_case[:, np.newaxis]
    return estimate_aucs(is_case, scores, cluster=patients)


def test_every_set_counts_alike_and_variances_add_up():
    sets = [one_site(seed) for seed in (1, 2, 3)]

    mean = average_aucs(sets)

    assert mean.names == ("model 1", "model 2")
    assert mean.auc == pytest.approx(np.mean([each.auc for each in sets], axis=0))
    total = sum(each.covariance for each in sets)
    assert mean.covariance == pytest.approx(total / 9)
    assert (mean.n_cases, mean.n_controls, mean.n_clusters) == (63, 63, 42)


def test_the_patients_of_all_sets_tell_how_well_the_variance_is_known():
    sets = [one_site(seed) for seed in (1, 2)]
    mean = average_aucs(sets)

    parts = [p.covariance[0, 0] / 4 for each in sets for p in each.variance_parts]
    freedom = mean.covariance[0, 0] ** 2 / sum(part**2 / 6 for part in parts)
    lower, upper = mean.interval()[0]
    margin = student.ppf(0.975, freedom) * mean.standard_error[0]
    assert (upper - lower) / 2 == pytest.approx(margin)
    assert 12 < freedom < 24


def test_the_mean_varies_over_new_patients_as_it_says():
    means = []
    said = []
    for seed in range(300):
        mean = average_aucs([one_site(2 * seed), one_site(2 * seed + 1)])
        means.append(mean.auc[0])
        said.append(mean.covariance[0, 0])

    assert np.mean(said) == pytest.approx(np.var(means, ddof=1), rel=0.25)


def test_a_perfect_set_leaves_the_uncertainty_of_the_mean_unknown():
    perfect = estimate_aucs(
        [True, True, False, False], [[3, 1], [2, 4], [1, 2], [0, 3]]
    )
    other = estimate_aucs([True, True, False, False], [[3, 1], [1, 4], [2, 2], [0, 3]])

    mean = average_aucs([perfect, other])

    assert mean.auc[0] == pytest.approx((1 + 0.75) / 2)
    assert np.isnan(mean.standard_error[0])
    assert np.isfinite(mean.standard_error[1])
    assert np.isnan(mean.compare(0, 1).p_value)
    assert np.isnan(mean.interval(method="logit")[0]).all()


def test_sets_of_different_models_have_no_mean():
    single = estimate_aucs([True, False, True], [3.0, 2.0, 1.0])

    with pytest.raises(ValueError, match="2 sets of 2 different lists"):
        average_aucs([one_site(1), single])
    with pytest.raises(ValueError, match="0 sets"):
        average_aucs([])
