"""The smooth calibration curve: statsmodels as oracle, and by leaving patients out."""

import numpy as np
import pytest
import statsmodels.api as sm
from patsy import cr, dmatrix
from scipy.special import expit, logit
from scipy.stats import t as student
from statsmodels.nonparametric.smoothers_lowess import lowess

from covid_cxr.statistics import smooth_calibration
from covid_cxr.statistics.clustered_mean import clustered_mean
from covid_cxr.statistics.smooth_calibration import fit_smooth_calibration


def integrated_calibration_values(is_case, probability):
    """Return those of the curve that is fitted to these images."""
    curve = fit_smooth_calibration(is_case, probability, cluster=None)
    return smooth_calibration.integrated_calibration_values(curve, is_case, probability)


def a_study(seed, n_patients=200, images=3, slope=1.8):
    """Return labels, overconfident probabilities, and patients."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(n_patients), images)
    own = rng.standard_normal(n_patients)[patients]
    log_odds = own + rng.standard_normal(len(patients))
    is_case = rng.random(len(patients)) < expit(log_odds - 0.3)
    return is_case, expit(slope * log_odds), patients


@pytest.fixture(scope="module")
def oracle():
    """Return statsmodels' fit on patsy's natural spline, with errors by patient."""
    is_case, probability, patients = a_study(1)
    x = logit(probability)
    low, middle, high = np.quantile(x, (0.1, 0.5, 0.9))
    # A natural spline with boundary knots at the outer ones: the same curves.
    basis = "cr(x, knots=[m], lower_bound=a, upper_bound=b) - 1"
    assert callable(cr)

    def design(values):
        inside = np.asarray(
            dmatrix(
                basis,
                {"x": np.clip(values, low, high), "m": middle, "a": low, "b": high},
            )
        )
        step = 1e-4
        ends = {}
        for end, inner in ((low, low + step), (high, high - step)):
            at_end, before = (
                np.asarray(
                    dmatrix(basis, {"x": [v], "m": middle, "a": low, "b": high})
                )[0]
                for v in (end, inner)
            )
            ends[end] = (at_end - before) / (end - inner)
        outside = np.outer(np.minimum(values - low, 0), ends[low])
        return inside + outside + np.outer(np.maximum(values - high, 0), ends[high])

    fitted = sm.GLM(is_case.astype(float), design(x), sm.families.Binomial()).fit(
        cov_type="cluster",
        cov_kwds={"groups": patients, "use_correction": False},
    )
    return fitted, design


def test_the_curve_and_its_band_are_those_of_statsmodels(oracle):
    fitted, design = oracle
    is_case, probability, patients = a_study(1)
    grid = np.linspace(0.02, 0.98, 25)

    curve = fit_smooth_calibration(is_case, probability, cluster=patients)

    rows = design(logit(grid))
    centre = rows @ fitted.params
    assert curve.at(grid) == pytest.approx(expit(centre), abs=2e-5)
    covariance = fitted.cov_params() * 200 / 199
    errors = np.sqrt(np.einsum("nc,cd,nd->n", rows, covariance, rows))
    margin = student.ppf(0.95, 199) * errors
    lower, upper = curve.band(grid, 0.9)
    assert lower == pytest.approx(expit(centre - margin), abs=2e-4)
    assert upper == pytest.approx(expit(centre + margin), abs=2e-4)


def test_the_index_is_the_mean_distance_and_like_that_of_lowess():
    is_case, probability, patients = a_study(2, n_patients=700)
    curve = fit_smooth_calibration(is_case, probability, cluster=patients)

    values = integrated_calibration_values(is_case, probability)

    distance = np.abs(curve.at(probability) - probability)
    assert values.mean() == pytest.approx(distance.mean(), abs=1e-8)
    # Without its reweighting, which takes what seldom happens for an outlier.
    local = lowess(
        is_case.astype(float), probability, frac=0.3, it=0, return_sorted=False
    )
    assert values.mean() == pytest.approx(np.abs(local - probability).mean(), abs=0.01)


def test_its_error_is_the_jackknifes():
    is_case, probability, patients = a_study(3, n_patients=120)

    left_out = [
        integrated_calibration_values(is_case[keep], probability[keep]).mean()
        for keep in (patients != p for p in range(120))
    ]
    jackknife = 119**2 / 120 * np.var(left_out, ddof=1)
    found = clustered_mean(
        integrated_calibration_values(is_case, probability), patients
    )
    assert found.standard_error == pytest.approx(np.sqrt(jackknife), rel=0.1)


def test_good_calibration_is_seldom_refused_and_bad_one_often():
    refused = {1.0: 0, 2.5: 0}
    for seed in range(200):
        for slope in refused:
            rng = np.random.default_rng(seed)
            log_odds = rng.standard_normal(150)
            is_case = rng.random(150) < expit(log_odds)
            curve = fit_smooth_calibration(
                is_case, expit(slope * log_odds), cluster=None
            )
            refused[slope] += curve.p_value < 0.05

    assert 1 <= refused[1.0] <= 20
    assert refused[2.5] > 180


def test_outputs_of_few_values_have_a_line_or_a_share():
    is_case = np.array([True, False] * 20 + [True] * 10)
    two = np.where(np.arange(50) % 3 == 0, 0.3, 0.8)

    curve = fit_smooth_calibration(is_case, two, cluster=None)

    shares = [is_case[two == value].mean() for value in (0.3, 0.8)]
    assert curve.at([0.3, 0.8]) == pytest.approx(shares)
    constant = fit_smooth_calibration(is_case, np.full(50, 0.4), cluster=None)
    assert constant.at([0.4])[0] == pytest.approx(0.6)
    assert np.isnan(constant.p_value)


def test_one_patient_leaves_no_band():
    is_case, probability, _ = a_study(4, n_patients=40)

    curve = fit_smooth_calibration(is_case, probability, cluster=["p"] * 120)

    assert np.isnan(curve.band([0.5])).all()
    assert np.isnan(curve.p_value)


def test_separated_classes_are_refused():
    is_case = np.arange(40) >= 20

    with pytest.raises(ValueError, match="20 cases and 20 controls"):
        fit_smooth_calibration(is_case, np.linspace(0.1, 0.9, 40), cluster=None)
