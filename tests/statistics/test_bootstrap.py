"""Resampled patients: against slow definitions, scipy, and the closed formulas."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.bootstrap import bootstrap_aucs, bootstrap_roc_band
from covid_cxr.statistics.roc import trace_roc


def study(seed, n_patients=60, images=3, correlation=0.6):
    """Return labels, two models' scores and patients, alike within patients."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(n_patients), images)
    is_case = np.repeat(rng.random(n_patients) < 0.5, images)
    own = np.repeat(rng.standard_normal(n_patients), images)
    noise = rng.standard_normal((len(patients), 2))
    signal = is_case[:, None] * [1.5, 0.8]
    scores = signal + np.sqrt(correlation) * own[:, None]
    return is_case, scores + np.sqrt(1 - correlation) * noise, patients


def test_the_data_themselves_have_the_usual_auc():
    is_case, scores, patients = study(1)
    scores = np.round(scores, 1)  # with ties

    resampled = bootstrap_aucs(
        is_case, scores, cluster=patients, n_replicates=2, seed=1
    )

    assert resampled.auc == pytest.approx(estimate_aucs(is_case, scores).auc)


def test_a_patient_left_out_is_left_out_with_all_images():
    is_case, scores, patients = study(2, n_patients=12)

    resampled = bootstrap_aucs(
        is_case, scores, cluster=patients, n_replicates=2, seed=1
    )

    for patient, auc in enumerate(resampled.jackknife):
        kept = patients != patient
        assert auc == pytest.approx(estimate_aucs(is_case[kept], scores[kept]).auc)


def test_its_standard_error_is_that_of_obuchowski_and_not_of_delong():
    is_case, scores, patients = study(3, n_patients=150)

    resampled = bootstrap_aucs(
        is_case, scores, cluster=patients, n_replicates=1500, seed=1
    )

    clustered = estimate_aucs(is_case, scores, cluster=patients).standard_error
    by_image = estimate_aucs(is_case, scores).standard_error
    assert resampled.standard_error == pytest.approx(clustered, rel=0.08)
    assert (resampled.standard_error > 1.2 * by_image).all()


def test_percentile_and_bca_intervals_are_those_of_scipy():
    # One image per patient and cases only resampled among cases: scipy's two-sample
    # bootstrap of the same statistic.
    rng = np.random.default_rng(5)
    cases, controls = rng.standard_normal(25) + 1.6, rng.standard_normal(20)
    is_case = np.repeat([True, False], [25, 20])

    def auc(first, second, axis=-1):
        below = first[..., :, None] > second[..., None, :]
        return below.mean(axis=(-1, -2))

    ours = bootstrap_aucs(
        is_case, np.r_[cases, controls], cluster=None, n_replicates=8000, seed=1
    )
    for method in ("percentile", "bca"):
        theirs = bootstrap(
            (cases, controls), auc, n_resamples=8000, method=method, rng=2
        ).confidence_interval
        interval = ours.interval(method=method)
        slack = 5 * interval.monte_carlo_error[0] + 1 / (25 * 20)  # one step of the AUC
        assert (np.abs(interval.bounds[0] - theirs) <= slack).all()
    assert ours.interval(method="bca").bounds[0, 0] != ours.interval().bounds[0, 0]


def test_the_monte_carlo_error_is_the_spread_over_seeds():
    is_case, scores, patients = study(6, n_patients=30)
    runs = [
        bootstrap_aucs(
            is_case, scores, cluster=patients, n_replicates=200, seed=seed
        ).interval()
        for seed in range(40)
    ]

    spread = np.std([run.bounds for run in runs], axis=0, ddof=1)

    said = np.mean([run.monte_carlo_error for run in runs], axis=0)
    assert said == pytest.approx(spread, rel=0.5)


def test_the_same_seed_gives_the_same_replicates():
    is_case, scores, patients = study(7, n_patients=10)
    first, again, other = (
        bootstrap_aucs(is_case, scores, cluster=patients, n_replicates=20, seed=seed)
        for seed in (1, 1, 2)
    )

    assert (first.replicates == again.replicates).all()
    assert (first.replicates != other.replicates).any()


def test_patients_with_both_classes_can_leave_one_class_and_are_counted():
    # Two mixed patients and one with a case: no stratum guarantees a control.
    is_case = np.array([True, False, True, True, True])
    patients = list("aabbc")

    resampled = bootstrap_aucs(
        is_case, np.arange(5.0), cluster=patients, n_replicates=50, seed=1
    )

    assert len(resampled.replicates) + resampled.n_skipped == 50
    assert np.isnan(resampled.jackknife[0]).all()
    assert np.isfinite(resampled.interval(method="bca").bounds).all()


def test_a_clear_difference_is_found_and_none_is_not():
    is_case, scores, patients = study(8, n_patients=150)
    three = np.c_[scores, scores[:, 0] + 1]
    resampled = bootstrap_aucs(
        is_case, three, cluster=patients, n_replicates=500, seed=1
    )

    interval, p_value = resampled.compare("model 1", "model 2")
    assert interval.bounds[0, 0] > 0
    assert p_value < 0.05
    same, p_same = resampled.compare("model 1", "model 3")
    assert same.bounds.tolist() == [[0, 0]]
    assert p_same == 1


@pytest.mark.parametrize(
    ("is_case", "n_replicates", "message"),
    [
        ([True, True], 10, "2 cases, 0 controls"),
        ([True, False], 1, "1 replicates"),
    ],
)
def test_what_cannot_be_resampled_is_refused(is_case, n_replicates, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_aucs(
            is_case, [0.1, 0.2], cluster=None, n_replicates=n_replicates, seed=1
        )


def test_unknown_names_methods_and_levels_are_refused():
    resampled = bootstrap_aucs(
        [True, False, True], [3.0, 2, 1], cluster=None, n_replicates=5, seed=1
    )

    with pytest.raises(ValueError, match="'basic'"):
        resampled.interval(method="basic")
    with pytest.raises(ValueError, match="got 95"):
        resampled.interval(95)
    with pytest.raises(ValueError, match="'model 9'"):
        resampled.compare("model 1", "model 9")


def test_the_band_lies_about_the_curve_and_is_wider_by_patient():
    is_case, scores, patients = study(9, n_patients=100)
    curve = trace_roc(is_case, scores[:, 0])
    by_patient, by_image = (
        bootstrap_roc_band(
            is_case, scores[:, 0], cluster=cluster, n_replicates=400, seed=1
        )
        for cluster in (patients, None)
    )

    own = np.interp(
        by_patient.false_positive_rate, curve.false_positive_rate, curve.sensitivity
    )
    inside = slice(5, 95)
    assert (by_patient.lower <= own + 1e-9)[inside].all()
    assert (by_patient.upper >= own - 1e-9)[inside].all()
    width = (by_patient.upper - by_patient.lower)[inside].mean()
    assert width > 1.2 * (by_image.upper - by_image.lower)[inside].mean()
    assert (by_patient.lower[-1], by_patient.upper[-1]) == (1, 1)


def test_a_band_is_where_resampled_curves_are():
    # Each replicate's curve by hand, from the images drawn.
    is_case = np.repeat([True, False], [60, 40])
    scores = np.round(np.random.default_rng(3).standard_normal(100) + is_case, 1)
    band = bootstrap_roc_band(
        is_case, scores, cluster=None, n_replicates=1500, seed=4, level=0.8
    )
    rng = np.random.default_rng(11)
    sensitivity = []
    for _ in range(1500):
        drawn = np.r_[rng.choice(60, 60), 60 + rng.choice(40, 40)]
        curve = trace_roc(is_case[drawn], scores[drawn])
        last = np.append(np.diff(curve.false_positive_rate) > 0, True)
        sensitivity.append(
            np.interp(0.4, curve.false_positive_rate[last], curve.sensitivity[last])
        )

    at = np.searchsorted(band.false_positive_rate, 0.4)
    assert band.lower[at] == pytest.approx(np.quantile(sensitivity, 0.1), abs=0.03)
    assert band.upper[at] == pytest.approx(np.quantile(sensitivity, 0.9), abs=0.03)
