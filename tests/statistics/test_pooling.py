"""Pooling over sets of patients: published trials, slow definitions, simulation."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import logit
from scipy.stats import chi2
from scipy.stats import t as student

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.pooling import (
    compare_unpaired,
    interaction_p_value,
    pool_aucs,
    pool_logits,
)

# Trials of BCG vaccine (Colditz et al., JAMA 1994;271:698): with and without
# tuberculosis among the vaccinated and among the others.
BCG = np.array(
    [
        *[(4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209)],
        *[(62, 13536, 248, 12619), (33, 5036, 47, 5761), (180, 1361, 372, 1079)],
        *[(8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232)],
        *[(17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338)],
        (27, 16886, 29, 17825),
    ]
)


def bcg_effects():
    a, b, c, d = BCG.T
    effects = np.log(a / (a + b)) - np.log(c / (c + d))
    return effects, 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def test_published_trials_are_as_heterogeneous_as_printed():
    """Q of 152.23 with 12 degrees of freedom (Viechtbauer, J Stat Softw 2010;36:3)."""
    pooled = pool_logits(*bcg_effects(), level=0.95)

    assert pooled.heterogeneity_p_value == pytest.approx(chi2.sf(152.23, 12), rel=0.01)
    # Printed for REML: a variance of 0.313 and a log risk ratio of log 0.489.
    assert pooled.between_variance == pytest.approx(0.313, rel=0.05)
    assert logit(pooled.auc) == pytest.approx(np.log(0.489), abs=0.005)


def test_intervals_are_those_of_the_definitions():
    effects, variances = bcg_effects()
    k = len(effects)

    def excess(between):
        weights = 1 / (variances + between)
        mean = weights @ effects / weights.sum()
        return weights @ (effects - mean) ** 2 - (k - 1)

    between = brentq(excess, 0, 10)
    weights = 1 / (variances + between)
    mean = weights @ effects / weights.sum()
    error = np.sqrt(weights @ (effects - mean) ** 2 / (k - 1) / weights.sum())

    pooled = pool_logits(effects, variances, level=0.9)

    assert pooled.between_variance == pytest.approx(between, rel=1e-4)
    margin = student.ppf(0.95, k - 1) * error
    assert logit(pooled.bounds) == pytest.approx(
        [mean - margin, mean + margin], rel=1e-4
    )
    further = student.ppf(0.95, k - 2) * np.sqrt(between + error**2)
    assert logit(pooled.prediction) == pytest.approx(
        [mean - further, mean + further], rel=1e-4
    )


def test_two_sets_say_nothing_of_a_third():
    pooled = pool_logits(np.array([1.0, 1.2]), np.array([0.1, 0.2]), level=0.95)

    assert np.isnan(pooled.prediction).all()
    assert np.isfinite(pooled.bounds).all()
    assert pooled.between_variance == 0


def a_site(rng, shift, n_patients=60):
    patients = np.repeat(np.arange(n_patients), 2)
    is_case = patients < n_patients // 2
    own = rng.standard_normal(n_patients)[patients][:, None]
    noise = 0.6 * own + 0.8 * rng.standard_normal((len(patients), 2))
    return estimate_aucs(is_case, shift * is_case[:, None] + noise, cluster=patients)


def test_a_further_site_lies_in_the_prediction_nearly_as_often_as_said():
    rng = np.random.default_rng(1)
    held_mean, held_further = [], []
    for _ in range(200):
        shifts = rng.normal(1.5, 0.4, 7)
        pooled = pool_aucs([a_site(rng, shift) for shift in shifts[:6]], "model 1")
        further = a_site(rng, shifts[6], n_patients=4000).auc[0]
        held_further.append(pooled.prediction[0] <= further <= pooled.prediction[1])
        # The logit of the median site, which is nearly the mean one.
        held_mean.append(pooled.bounds[0] <= 0.8556 <= pooled.bounds[1])

    assert np.mean(held_mean) == pytest.approx(0.95, abs=0.04)
    # Of six sites it is known to hold rather less (Partlett and Riley 2017).
    assert np.mean(held_further) == pytest.approx(0.91, abs=0.03)


def test_sites_are_told_apart_as_often_as_said():
    rng = np.random.default_rng(2)
    p_values = [
        compare_unpaired(a_site(rng, 1.5, 30), a_site(rng, 1.5, 60), "model 1").p_value
        for _ in range(600)
    ]

    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.025)


def test_the_unpaired_difference_has_both_variances():
    rng = np.random.default_rng(3)
    first, second = a_site(rng, 1.5), a_site(rng, 0.5)

    found = compare_unpaired(first, second, "model 2")

    assert found.estimate == first.auc[1] - second.auc[1]
    variance = first.covariance[1, 1] + second.covariance[1, 1]
    assert found.standard_error == pytest.approx(np.sqrt(variance))
    freedom = first.degrees_of_freedom(1) + second.degrees_of_freedom(1)
    assert 40 < found.degrees_of_freedom <= freedom


def test_an_interaction_of_two_subgroups_is_their_difference():
    rng = np.random.default_rng(4)
    gains = [a_site(rng, shift).compare(0, 1) for shift in (1.0, 2.0)]
    difference = gains[0].estimate - gains[1].estimate
    variance = sum(gain.standard_error**2 for gain in gains)

    assert interaction_p_value(gains) == pytest.approx(
        chi2.sf(difference**2 / variance, 1)
    )


def test_an_interaction_is_found_as_often_as_said_where_there_is_none():
    rng = np.random.default_rng(5)
    p_values = [
        interaction_p_value([a_site(rng, s).compare(0, 1) for s in (1.0, 1.5, 2.0)])
        for _ in range(500)
    ]

    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_what_cannot_be_pooled_is_refused():
    rng = np.random.default_rng(6)
    site = a_site(rng, 1.5)
    perfect = estimate_aucs(np.arange(20) < 10, -np.arange(20.0))

    with pytest.raises(ValueError, match="at least 2 sets, got 1"):
        pool_aucs([site], "model 1")
    with pytest.raises(ValueError, match="no model 'resnet'"):
        pool_aucs([site, site], "resnet")
    with pytest.raises(ValueError, match="20 patients is 1 with no known error"):
        compare_unpaired(site, perfect, "model 1")
    with pytest.raises(ValueError, match="at least 2 subgroups"):
        interaction_p_value([site.compare(0, 1)])
