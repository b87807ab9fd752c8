"""Partial areas and points of ROC curves: slow definitions, whole areas, simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.partial_aucs import (
    estimate_partial_aucs,
    estimate_sensitivities,
    estimate_specificity_parts,
    with_correction,
)
from covid_cxr.statistics.power import PlannedTestSet
from covid_cxr.statistics.roc import trace_roc


def a_study(seed, n_patients=80, digits=1):
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, n_patients, 2 * n_patients)
    is_case = (rng.random(n_patients) < 0.5)[patients]
    own = rng.standard_normal(n_patients)[patients]
    noise = rng.standard_normal((len(own), 2))
    scores = 1.5 * is_case[:, None] + own[:, None] + noise
    return is_case, np.round(scores, digits), patients


@pytest.mark.parametrize("digits", [0, 1, 8])  # with many, some and no ties
def test_the_whole_range_is_the_whole_area(digits):
    is_case, scores, patients = a_study(1, digits=digits)
    whole = estimate_aucs(is_case, scores, cluster=patients)

    for estimate, name in (
        (estimate_partial_aucs, "false_positive_rates"),
        (estimate_specificity_parts, "sensitivities"),
    ):
        part = estimate(
            is_case, scores, **{name: (0, 1)}, is_corrected=False, cluster=patients
        )
        assert part.auc == pytest.approx(whole.auc, abs=1e-12)
        assert part.covariance == pytest.approx(whole.covariance, abs=1e-12)


@pytest.mark.parametrize("digits", [0, 1, 8])
def test_the_left_part_is_mcclishs_of_the_curve(digits):
    is_case, scores, patients = a_study(2, digits=digits)

    part = estimate_partial_aucs(
        is_case,
        scores,
        false_positive_rates=(0, 0.23),
        is_corrected=True,
        cluster=patients,
    )

    expected = [trace_roc(is_case, column).partial_area(0.23) for column in scores.T]
    assert part.auc == pytest.approx(expected, abs=1e-12)


def slow_part(is_case, values, low, high):
    """The area between two rates from a fine grid of thresholds."""
    controls = np.sort(values[~is_case])[::-1]
    rates = np.linspace(low, high, 4001)
    rates = (rates[1:] + rates[:-1]) / 2
    place = (rates * len(controls)).astype(int)
    limits = controls[np.minimum(place, len(controls) - 1)]
    return (values[is_case][:, None] > limits).mean() * (high - low)


@pytest.mark.parametrize("ends", [(0, 0.2), (0.1, 0.4)])
def test_a_part_is_the_area_of_the_steps_and_its_error_the_jackknifes(ends):
    is_case, scores, patients = a_study(3, n_patients=150, digits=8)
    low, high = ends

    def parts(keep):
        return np.array(
            [slow_part(is_case[keep], v[keep], low, high) for v in scores.T]
        ) / (high - low)

    found = estimate_partial_aucs(
        is_case,
        scores,
        false_positive_rates=ends,
        is_corrected=False,
        cluster=patients,
    )

    everything = np.ones(len(patients), dtype=bool)
    assert found.auc == pytest.approx(parts(everything), abs=1e-3)
    left_out = np.array([parts(patients != patient) for patient in set(patients)])
    n = len(left_out)
    jackknife = (n - 1) ** 2 / n * np.cov(left_out.T)
    assert found.covariance == pytest.approx(jackknife, rel=0.2)


def test_the_other_axis_is_the_mirrored_curve():
    is_case, scores, patients = a_study(4, digits=8)
    values = scores[:, 0]

    found = estimate_specificity_parts(
        is_case,
        values,
        sensitivities=(0.8, 1),
        is_corrected=False,
        cluster=patients,
    )

    limits = np.sort(values[is_case])
    shares = np.linspace(0.8, 1, 4001)
    shares = (shares[1:] + shares[:-1]) / 2
    at = limits[np.minimum(((1 - shares) * len(limits)).astype(int), len(limits) - 1)]
    assert found.auc[0] == pytest.approx(
        (values[~is_case][:, None] < at).mean(), abs=1e-3
    )


def test_sensitivities_vary_as_their_errors_say():
    rng = np.random.default_rng(5)
    found, said, difference, said_of_difference = [], [], [], []
    for _ in range(300):
        is_case = np.repeat(rng.random(120) < 0.5, 2)
        own = np.repeat(rng.standard_normal(120), 2)[:, None]
        signal = 2.4 * is_case[:, None] + own + rng.standard_normal((240, 2))
        estimates = estimate_sensitivities(
            is_case, signal, specificity=0.8, cluster=np.repeat(np.arange(120), 2)
        )
        found.append(estimates.auc[0])
        said.append(estimates.standard_error[0])
        compared = estimates.compare(0, 1)
        difference.append(compared.estimate)
        said_of_difference.append(compared.standard_error)

    truth = norm.cdf(2.4 / np.sqrt(2) - norm.ppf(0.8))
    assert np.mean(found) == pytest.approx(truth, abs=0.01)
    assert np.mean(said) == pytest.approx(np.std(found), rel=0.12)
    assert np.mean(said_of_difference) == pytest.approx(np.std(difference), rel=0.15)


@pytest.mark.parametrize("specificity", [0.6, 0.95])
def test_far_from_the_diagonal_the_slope_is_that_of_normal_scores(specificity):
    rng = np.random.default_rng(8)
    is_case = np.arange(40_000) < 20_000
    scores = 1.5 * is_case + rng.standard_normal(40_000)

    found = estimate_sensitivities(
        is_case, scores, specificity=specificity, cluster=None
    )

    sensitivity = norm.sf(norm.ppf(specificity) - 1.5)
    expected = PlannedTestSet(share_of_cases=0.5).error_of_sensitivity(
        sensitivity, specificity, 40_000
    )
    # The slope is that of a sample; without its factor it is off by half or more.
    assert found.standard_error[0] == pytest.approx(expected, rel=0.08)


def test_a_point_is_the_sensitivity_at_that_threshold():
    is_case, scores, patients = a_study(6)
    table = pd.DataFrame(scores, columns=["a", "b"])

    found = estimate_sensitivities(is_case, table, specificity=0.8, cluster=patients)

    curve = trace_roc(is_case, table["a"])
    expected = np.interp(0.2, curve.false_positive_rate, curve.sensitivity)
    assert found.names == ("a", "b")
    assert found.auc[0] == pytest.approx(expected)


def test_separated_classes_do_not_bound_a_part_as_they_do_the_whole():
    """What 20 controls leave of the first hundredths may be anything.

    Normal scores with a mean sensitivity of 0.83 below a rate of 0.02 are separated in
    a third of such samples, which an exact bound of 0.8316 would allow in 2.5 %.
    """
    is_case = np.arange(40) < 20
    scores = np.arange(40.0)[::-1]

    found = [
        estimate_partial_aucs(
            is_case,
            scores,
            false_positive_rates=(0, 0.02),
            is_corrected=is_corrected,
            cluster=None,
        )
        for is_corrected in (True, False)
    ]
    found.append(estimate_sensitivities(is_case, scores, specificity=0.8, cluster=None))

    for each in found:
        assert each.auc[0] == 1
        assert np.isnan(each.interval(method="logit")).all()


def test_what_is_no_range_is_refused():
    is_case, scores, patients = a_study(7)

    with pytest.raises(ValueError, match=r"rises in .0, 1., got 0.4 to 0.2"):
        estimate_partial_aucs(
            is_case,
            scores,
            false_positive_rates=(0.4, 0.2),
            is_corrected=True,
            cluster=patients,
        )
    with pytest.raises(ValueError, match="specificity lies between"):
        estimate_sensitivities(is_case, scores, specificity=80, cluster=patients)


def test_a_correction_afterwards_is_that_of_the_estimate():
    is_case, scores, patients = a_study(12)

    for estimate, span, width in (
        (estimate_partial_aucs, {"false_positive_rates": (0, 0.3)}, 0.3),
        (estimate_specificity_parts, {"sensitivities": (0.8, 1)}, 0.2),
    ):
        mean, expected = (
            estimate(is_case, scores, **span, is_corrected=kind, cluster=patients)
            for kind in (False, True)
        )
        found = with_correction(mean, width=width)
        assert found.auc == pytest.approx(expected.auc)
        assert found.interval(method="logit") == pytest.approx(
            expected.interval(method="logit")
        )
        assert found.compare(0, 1).p_value == pytest.approx(
            expected.compare(0, 1).p_value
        )
