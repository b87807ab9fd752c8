"""Resampled patients: against slow definitions, scipy, and the closed formulas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import bootstrap

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.bootstrap import (
    BootstrapAucs,
    bootstrap_aucs,
)


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


def test_replicates_that_equal_the_auc_lie_half_below_it():
    # Symmetric about the AUC and without skewness: nothing is to be corrected.
    resampled = BootstrapAucs(
        names=("model 1",),
        auc=np.array([0.8]),
        replicates=np.repeat([0.7, 0.8, 0.9], [25, 50, 25])[:, np.newaxis],
        n_skipped=0,
        jackknife=np.array([[0.79], [0.8], [0.81]]),
    )

    for level in (0.3, 0.6):
        corrected = resampled.interval(level, method="bca").bounds
        assert corrected == pytest.approx(resampled.interval(level).bounds)


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


def test_no_replicate_lacks_a_class_where_only_mixed_patients_have_controls():
    # Two patients with images of both classes, one with a case: three strata.
    is_case = np.array([True, False, True, False, True])
    patients = list("aabbc")

    resampled = bootstrap_aucs(
        is_case, np.arange(5.0), cluster=patients, n_replicates=50, seed=1
    )

    assert resampled.n_skipped == 0
    assert len(resampled.replicates) == 50
    assert np.isfinite(resampled.interval(method="bca").bounds).all()


def test_leaving_out_the_only_patient_with_a_control_leaves_no_auc():
    is_case = [True, False, True]
    resampled = bootstrap_aucs(
        is_case, [3.0, 1.0, 2.0], cluster=list("aab"), n_replicates=2, seed=1
    )

    assert np.isnan(resampled.jackknife[0]).all()
    assert resampled.jackknife[1] == 1


@given(
    arrays(bool, 24),
    arrays(np.int64, 24, elements=st.integers(0, 4)),
    arrays(np.int64, 24, elements=st.integers(0, 6)),
)
def test_the_closed_jackknife_is_that_of_the_images_left(is_case, scores, drawn):
    is_case[:2] = [True, False]
    scores = scores.astype(float)
    resampled = bootstrap_aucs(is_case, scores, cluster=drawn, n_replicates=2, seed=1)

    for patient, left in zip(pd.unique(drawn), resampled.jackknife[:, 0], strict=True):
        kept = drawn != patient
        if is_case[kept].any() and not is_case[kept].all():
            auc = estimate_aucs(is_case[kept], scores[kept]).auc[0]
            assert left == pytest.approx(auc)
        else:
            assert np.isnan(left)


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


def test_the_p_value_is_twice_the_smaller_tail_with_the_data_as_one_replicate():
    gained = np.repeat([-0.1, 0.1], [3, 97])
    resampled = BootstrapAucs(
        names=("a", "b"),
        auc=np.array([0.8, 0.7]),
        replicates=np.stack([0.7 + gained, np.full(100, 0.7)], axis=1),
        n_skipped=0,
        jackknife=np.zeros((3, 2)),
    )

    assert resampled.compare("a", "b")[1] == pytest.approx(2 * (3 + 1) / 101)
    assert resampled.compare("b", "a")[1] == pytest.approx(2 * (3 + 1) / 101)


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


@pytest.mark.parametrize("score", [[1.0] * 20, list(range(20)), list(range(20, 0, -1))])
def test_replicates_that_are_all_alike_are_flagged(score):
    is_case = np.arange(20) >= 10

    resampled = bootstrap_aucs(is_case, score, cluster=None, n_replicates=9, seed=1)

    assert resampled.is_degenerate.all()


@pytest.mark.parametrize(("n_controls", "few"), [(8, True), (29, True), (30, False)])
def test_few_patients_of_a_class_are_flagged(n_controls, few):
    is_case = np.repeat([True, False, False], [40, n_controls, n_controls])
    patients = np.r_[np.arange(40), np.tile(40 + np.arange(n_controls), 2)]
    scores = np.random.default_rng(1).random(len(is_case))

    resampled = bootstrap_aucs(
        is_case, scores, cluster=patients, n_replicates=5, seed=1
    )

    assert resampled.has_few_patients == few
    assert not resampled.is_degenerate.any()


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("score", [[1.0] * 20, list(range(20)), list(range(20, 0, -1))])
def test_replicates_that_are_all_alike_have_no_interval_of_no_width(score, method):
    is_case = np.arange(20) >= 10
    scores = np.stack([score, np.random.default_rng(1).random(20)], axis=1)

    resampled = bootstrap_aucs(is_case, scores, cluster=None, n_replicates=99, seed=1)

    found = resampled.interval(method=method)
    assert np.isnan(found.bounds[0]).all()
    assert np.isnan(found.monte_carlo_error[0]).all()
    assert np.isfinite(found.bounds[1]).all()


def test_a_perfect_and_a_constant_score_leave_no_difference_to_test():
    is_case = np.arange(20) >= 10
    scores = np.stack([is_case, np.ones(20), -1 * is_case], axis=1)
    resampled = bootstrap_aucs(is_case, scores, cluster=None, n_replicates=99, seed=1)

    for first, second in (("model 1", "model 2"), ("model 1", "model 3")):
        found, p_value = resampled.compare(first, second)
        assert np.isnan(found.bounds).all()
        assert np.isnan(p_value)


@pytest.mark.parametrize("decimals", [0, 1, 9])
@pytest.mark.parametrize("n_patients", [5, 30, 300])
def test_replicates_are_the_aucs_of_the_images_of_the_patients_drawn(
    decimals, n_patients
):
    """By the slow definition: images written as often as their patient is drawn."""
    rng = np.random.default_rng(decimals)
    codes = np.append(np.arange(n_patients), rng.integers(0, n_patients, 100))
    is_case = rng.random(len(codes)) < 0.4
    scores = np.round(rng.standard_normal(len(codes)) + is_case, decimals)
    with_case = np.isin(range(n_patients), codes[is_case])
    with_control = np.isin(range(n_patients), codes[~is_case])
    strata = with_case + 2 * with_control

    found = bootstrap_aucs(is_case, scores, cluster=codes, n_replicates=5, seed=9)

    draws = np.random.default_rng(9)
    for replicate in found.replicates[:, 0]:
        drawn = np.concatenate(
            [
                draws.choice(patients, size=len(patients))
                for patients in (np.flatnonzero(strata == k) for k in np.unique(strata))
            ]
        )
        images = np.concatenate([np.flatnonzero(codes == patient) for patient in drawn])
        cases = scores[images][is_case[images]][:, np.newaxis]
        controls = scores[images][~is_case[images]]
        expected = (cases > controls).mean() + (cases == controls).mean() / 2
        assert replicate == pytest.approx(expected, abs=1e-12)


def test_a_long_bootstrap_says_how_far_it_is(monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(f"{bootstrap_aucs.__module__}._SECONDS_BETWEEN_WORDS", -1.0)

    bootstrap_aucs([True, False], [1.0, 0.0], cluster=None, n_replicates=3, seed=1)

    assert "Bootstrap: 2 of 3 replicates" in caplog.text
