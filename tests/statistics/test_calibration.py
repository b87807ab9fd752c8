"""Recalibration, calibration estimates and reliability curves."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from covid_cxr.statistics import calibration, logistic
from covid_cxr.statistics.calibration import (
    Recalibration,
    estimate_calibration,
    estimate_recalibrated,
    fit_in_the_large,
    fit_platt,
    fit_temperature,
    reliability_curve,
)


def world(seed, *, n=4000, slope=1.0, intercept=0.0, patients=None):
    """Return labels, and probabilities whose log odds should be stretched."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-0.5, 1.5, n)
    is_case = rng.random(n) < expit(intercept + slope * log_odds)
    return is_case, expit(log_odds)


def test_platts_line_is_the_logistic_regression():
    is_case, probability = world(1, n=300, slope=0.5, intercept=1)

    line = fit_platt(is_case, probability)

    theirs = sm.Logit(is_case, sm.add_constant(logit(probability))).fit(disp=0)
    assert (line.intercept, line.slope) == pytest.approx(tuple(theirs.params))


def test_a_shift_in_the_large_makes_expected_what_is_observed():
    rng = np.random.default_rng(4)
    log_odds = rng.standard_normal(300)
    is_case = rng.random(300) < expit(log_odds - 0.8)

    line = fit_in_the_large(is_case, expit(log_odds))

    regression = sm.GLM(
        is_case, np.ones(300), sm.families.Binomial(), offset=log_odds
    ).fit()
    assert line.slope == 1
    assert line.intercept == pytest.approx(regression.params[0], abs=1e-7)
    assert line.apply(expit(log_odds)).mean() == pytest.approx(is_case.mean())


def test_a_temperature_is_a_line_through_the_origin():
    is_case, probability = world(2, n=300, slope=0.5)

    line = fit_temperature(is_case, probability)

    theirs = sm.Logit(is_case, logit(probability)).fit(disp=0)
    assert line.intercept == 0
    assert line.slope == pytest.approx(theirs.params[0])


def test_recalibrated_probabilities_are_calibrated():
    is_case, probability = world(3, slope=0.5, intercept=1)
    fresh_case, fresh = world(4, slope=0.5, intercept=1)

    mended = fit_platt(is_case, probability).apply(fresh)

    before = estimate_calibration(fresh_case, fresh, cluster=None)
    after = estimate_calibration(fresh_case, mended, cluster=None)
    assert before.slope == pytest.approx(0.5, abs=4 * before.slope_error)
    assert after.slope == pytest.approx(1, abs=0.15)
    assert after.intercept == pytest.approx(0, abs=0.15)
    assert after.brier < before.brier


def test_estimates_are_those_of_a_regression_with_clustered_errors():
    rng = np.random.default_rng(5)
    is_case, probability = world(5, n=600, slope=0.7, intercept=-0.4)
    patients = rng.integers(0, 150, 600)

    ours = estimate_calibration(is_case, probability, cluster=patients)

    log_odds = logit(probability)
    line = sm.Logit(is_case, sm.add_constant(log_odds)).fit(
        disp=0,
        cov_type="cluster",
        cov_kwds={"groups": patients, "use_correction": False},
    )
    shift = sm.GLM(
        is_case.astype(float),
        np.ones(600),
        family=sm.families.Binomial(),
        offset=log_odds,
    ).fit(cov_type="cluster", cov_kwds={"groups": patients, "use_correction": False})
    n_patients = len(np.unique(patients))
    scale = np.sqrt(n_patients / (n_patients - 1))
    assert ours.slope == pytest.approx(line.params[1], rel=1e-6)
    assert ours.slope_error == pytest.approx(line.bse[1] * scale, rel=1e-5)
    assert ours.intercept == pytest.approx(shift.params[0], rel=1e-6)
    assert ours.intercept_error == pytest.approx(shift.bse[0] * scale, rel=1e-5)
    assert ours.brier == pytest.approx(np.mean((probability - is_case) ** 2))


def test_separated_classes_have_no_slope_and_no_line():
    is_case, probability = [True, True, False], [0.9, 0.8, 0.3]

    estimates = estimate_calibration(is_case, probability, cluster=None)

    assert np.isnan(estimates.slope)
    assert np.isfinite(estimates.intercept)
    with pytest.raises(ValueError, match="2 cases and 1 controls"):
        fit_platt(is_case, probability)
    with pytest.raises(ValueError, match="No temperature"):
        fit_temperature(is_case, probability)


def test_certain_probabilities_stay_finite():
    estimates = estimate_calibration(
        [True, False, True, False], [1.0, 0.0, 0.0, 1.0], cluster=None
    )

    assert estimates.brier == pytest.approx(0.5)
    assert np.isfinite(estimates.slope)


def test_a_reliability_curve_by_hand():
    probability = np.array([0.1, 0.1, 0.2, 0.2, 0.8, 0.9])
    is_case = np.array([False, False, True, False, True, True])

    low, middle, high = reliability_curve(is_case, probability, cluster=None, n_bins=3)

    assert (low.n_images, middle.n_images, high.n_images) == (2, 2, 2)
    assert (low.share_of_cases, middle.share_of_cases) == (0, 0.5)
    assert high.mean_probability == pytest.approx(0.85)
    assert low.lower == 0 < low.upper < 1


def test_bins_of_a_calibrated_model_hold_the_truth():
    is_case, probability = world(6, n=6000)

    bins = reliability_curve(is_case, probability, cluster=None, n_bins=10, level=0.999)

    assert len(bins) == 10
    assert sum(b.n_images for b in bins) == 6000
    assert all(b.lower < b.mean_probability < b.upper for b in bins)


def test_equal_probabilities_share_a_bin():
    bins = reliability_curve(
        [True, False, True, False], [0.5] * 4, cluster=None, n_bins=4
    )

    assert [b.n_images for b in bins] == [4]


@pytest.mark.parametrize(
    ("is_case", "probability", "message"),
    [
        ([True, False], [2.0, 0.1], "1 outside"),
        ([True, False], [np.nan, 0.1], "1 outside"),
        ([True, True], [0.2, 0.1], "2 cases and 0 controls"),
        ([True, False], [0.2], r"shape \(1,\)"),
    ],
)
def test_what_is_no_probability_is_refused(is_case, probability, message):
    with pytest.raises(ValueError, match=message):
        estimate_calibration(is_case, probability, cluster=None)


@pytest.mark.parametrize(
    ("probability", "n_certain"),
    [([0.0, 1.0, 1.0, 0.0], 4), ([0.0, 0.4, 0.3, 0.6], 1), ([0.2, 0.4, 0.3, 0.6], 0)],
)
def test_outputs_without_log_odds_are_counted(probability, n_certain):
    found = estimate_calibration([True, True, False, False], probability, cluster=None)

    assert found.n_certain == n_certain


@pytest.mark.parametrize("n_patients", [2, 5, 30])
def test_residuals_that_cancel_in_every_patient_leave_no_error(n_patients):
    is_case = np.tile([True, False], n_patients)
    patients = np.repeat(np.arange(n_patients), 2)

    found = estimate_calibration(
        is_case, np.full(2 * n_patients, 0.5), cluster=patients
    )

    assert found.intercept == pytest.approx(0, abs=1e-9)
    assert np.isnan(found.intercept_error)


@pytest.mark.parametrize("shift", [0, 4, -9])  # far off: a plain step would overshoot
@pytest.mark.parametrize("scale", [0.2, 1.0, 5.0])
def test_many_images_have_the_maps_that_few_would_have(monkeypatch, shift, scale):
    rng = np.random.default_rng(1)
    log_odds = scale * rng.standard_normal(2000)
    is_case = rng.random(2000) < 1 / (1 + np.exp(0.5 - 0.7 * log_odds))
    log_odds += shift
    given = {"is_case": is_case, "probability": 1 / (1 + np.exp(-log_odds))}
    slow = calibration.fit_platt(**given), calibration.fit_temperature(**given)
    whole = calibration.estimate_calibration(**given, cluster=None)

    monkeypatch.setattr(logistic, "MANY_IMAGES", 10)
    monkeypatch.setattr(logistic, "minimize", None)

    fast = calibration.fit_platt(**given), calibration.fit_temperature(**given)
    for before, after in zip(slow, fast, strict=True):
        assert after.slope == pytest.approx(before.slope, rel=1e-7)
        assert after.intercept == pytest.approx(before.intercept, rel=1e-6)
    again = calibration.estimate_calibration(**given, cluster=None)
    assert vars(again) == pytest.approx(vars(whole), rel=1e-6)


LINES = [
    Recalibration(slope=1, intercept=0),
    Recalibration(slope=0.4, intercept=0),
    Recalibration(slope=2.5, intercept=-3),
    Recalibration(slope=-0.7, intercept=1),
    Recalibration(slope=30, intercept=0),  # to where log odds are held
    Recalibration(slope=0, intercept=0.5),  # to one probability for all
]


@pytest.mark.parametrize("many", [10, 1_000_000], ids=["many", "few"])
@pytest.mark.parametrize("extreme", [[], [0.0, 1.0], [1e-11, 1 - 1e-11]])
def test_estimates_after_a_map_are_those_of_the_mapped_probabilities(
    monkeypatch, many, extreme
):
    rng = np.random.default_rng(3)
    is_case, probability = world(3, n=9000, slope=0.6, intercept=0.8)
    probability[: len(extreme)] = extreme
    patients = rng.integers(0, 3000, len(is_case))
    alone = [
        estimate_calibration(is_case, line.apply(probability), cluster=patients)
        for line in LINES
    ]
    monkeypatch.setattr(logistic, "MANY_IMAGES", many)

    found = estimate_recalibrated(is_case, probability, LINES, cluster=patients)

    for ours, expected in zip(found, alone, strict=True):
        exact = many > len(is_case)
        for name, value in vars(expected).items():
            near = pytest.approx(value, rel=0 if exact else 1e-6, abs=0, nan_ok=True)
            assert getattr(ours, name) == near, name


def test_a_slope_of_many_images_is_sought_once_for_all_straight_maps(monkeypatch):
    is_case, probability = world(4, n=500)
    monkeypatch.setattr(logistic, "MANY_IMAGES", 10)
    sought = []
    estimate = calibration._estimate_slope
    monkeypatch.setattr(
        calibration, "_estimate_slope", lambda *a: sought.append(1) or estimate(*a)
    )

    list(estimate_recalibrated(is_case, probability, LINES[:4], cluster=None))

    assert len(sought) == 1


def test_separated_classes_have_no_slope_after_any_map(monkeypatch):
    monkeypatch.setattr(logistic, "MANY_IMAGES", 10)
    is_case = np.arange(40) >= 20
    probability = np.linspace(0.1, 0.9, 40)

    for found in estimate_recalibrated(is_case, probability, LINES[:4], cluster=None):
        assert np.isnan([found.slope, found.slope_error]).all()
        assert np.isfinite(found.intercept)
