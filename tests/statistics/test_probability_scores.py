"""Brier score, net benefit and calibration error with errors by patient."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import ttest_rel
from sklearn.metrics import brier_score_loss

from covid_cxr.statistics.clustered_mean import clustered_mean
from covid_cxr.statistics.decision_curve import trace_decision_curve
from covid_cxr.statistics.operating_points import choose_threshold
from covid_cxr.statistics.probability_scores import (
    brier_values,
    calibration_error_values,
    net_benefit_values,
)


def a_study(seed, n_patients=80):
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(n_patients), 2)
    log_odds = np.repeat(rng.standard_normal(n_patients), 2) + rng.standard_normal(
        2 * n_patients
    )
    is_case = rng.random(len(log_odds)) < expit(log_odds)
    noisy = expit(1.6 * log_odds + rng.standard_normal(len(log_odds)))
    return is_case, expit(log_odds), noisy, patients


def test_the_brier_score_is_the_mean():
    is_case, probability, _, patients = a_study(1)

    found = clustered_mean(brier_values(is_case, probability), patients)

    assert found.estimate == pytest.approx(brier_score_loss(is_case, probability))


def test_the_net_benefit_is_that_of_the_decision_curve():
    is_case, probability, _, patients = a_study(2)
    curve = trace_decision_curve(is_case, probability, thresholds=[0.2, 0.6])

    for threshold, expected in zip(curve.thresholds, curve.model, strict=True):
        values = net_benefit_values(is_case, probability, threshold=threshold)
        assert clustered_mean(values, patients).estimate == pytest.approx(expected)


def test_the_calibration_error_is_the_weighted_distance_of_bins():
    is_case, _, probability, patients = a_study(3)
    expected = 0.0
    for k in range(10):
        inside = (probability >= k / 10) & (probability < (k + 1) / 10)
        if inside.any():
            distance = abs(probability[inside].mean() - is_case[inside].mean())
            expected += inside.mean() * distance

    values = calibration_error_values(is_case, probability, n_bins=10)

    assert clustered_mean(values, patients).estimate == pytest.approx(expected)


def test_paired_differences_of_single_images_are_the_t_test():
    is_case, first, second, _ = a_study(4)
    one, other = (brier_values(is_case, p) for p in (first, second))

    found = clustered_mean(one - other, np.arange(len(one)))

    assert found.p_value == pytest.approx(ttest_rel(one, other).pvalue)
    assert clustered_mean(one - one, np.arange(len(one))).p_value == 1
    assert np.isnan(clustered_mean(np.ones(4), np.arange(4)).p_value)


@pytest.mark.parametrize("score", ["brier", "benefit", "calibration"])
def test_the_errors_are_those_of_new_patients(score):
    def values(is_case, probability):
        if score == "brier":
            return brier_values(is_case, probability)
        if score == "benefit":
            return net_benefit_values(is_case, probability, threshold=0.3)
        return calibration_error_values(is_case, probability, n_bins=5)

    found, said = [], []
    for seed in range(300):
        is_case, _, noisy, patients = a_study(1000 + seed, n_patients=150)
        mean = clustered_mean(values(is_case, noisy), patients)
        found.append(mean.estimate)
        said.append(mean.standard_error)

    assert np.mean(said) == pytest.approx(np.std(found), rel=0.15)


def test_a_chosen_threshold_is_bounded_by_how_few_chose_it():
    rng = np.random.default_rng(6)
    truth = 1.5 - 1.2816  # nine in ten cases of N(1.5, 1) lie above
    held = []
    for _ in range(400):
        is_case = np.arange(80) < 40
        scores = 1.5 * is_case + rng.standard_normal(80)
        chosen = choose_threshold(is_case, scores, sensitivity=0.9, cluster=None)
        assert chosen.lower <= chosen.threshold <= chosen.upper
        held.append(chosen.lower <= truth <= chosen.upper)

    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_what_is_no_probability_or_threshold_is_refused():
    is_case, probability, _, _ = a_study(7)

    with pytest.raises(ValueError, match=r"on .0, 1."):
        brier_values(is_case, 2 * probability)
    with pytest.raises(ValueError, match="threshold probability"):
        net_benefit_values(is_case, probability, threshold=1)
    with pytest.raises(ValueError, match="at least 1 bin"):
        calibration_error_values(is_case, probability, n_bins=0)
    with pytest.raises(ValueError, match="target sensitivity"):
        choose_threshold(is_case, probability, sensitivity=90, cluster=None)
    with pytest.raises(
        ValueError, match=r"shape \(159,\) for labels of shape \(160,\)"
    ):
        choose_threshold(is_case, probability[1:], sensitivity=0.9, cluster=None)
    with pytest.raises(
        ValueError, match=r"shape \(160,\) for labels of shape \(159,\)"
    ):
        choose_threshold(is_case[1:], probability, sensitivity=0.9, cluster=None)
