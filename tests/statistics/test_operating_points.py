"""Sensitivity, specificity and predictive values at a frozen threshold."""

import numpy as np
import pytest
from scipy.stats import binomtest
from scipy.stats import t as student

from covid_cxr.statistics.operating_points import choose_youden_threshold, perform_at
from covid_cxr.statistics.proportion import Proportion, clustered_share


@pytest.fixture
def performance():
    """80 of 100 cases and 90 of 120 controls are called rightly."""
    is_case = np.repeat([True, False], [100, 120])
    called = np.r_[np.arange(100) < 80, np.arange(120) >= 90]
    return perform_at(is_case, called.astype(float), threshold=0.5, cluster=None)


def test_shares_by_hand(performance):
    assert performance.sensitivity.estimate == 0.8
    assert performance.specificity.estimate == 0.75
    assert performance.sensitivity.n_images == 100
    assert performance.covariance == 0


def test_an_image_at_the_threshold_is_called_positive():
    performance = perform_at([True, False], [0.5, 0.4], threshold=0.5, cluster=None)

    assert performance.sensitivity.estimate == 1
    assert performance.specificity.estimate == 1


@pytest.mark.parametrize(("hits", "n"), [(9, 10), (80, 100), (1, 2), (10, 10), (0, 5)])
def test_with_one_image_per_patient_the_interval_is_wilsons(hits, n):
    # The variance has n - 1 below where Wilson has n: a hundredth for 100 patients.
    is_case = np.repeat([True, False], [n, 1])
    called = np.r_[np.arange(n) < hits, 0].astype(float)

    interval = perform_at(
        is_case, called, threshold=0.5, cluster=None
    ).sensitivity.interval()

    wilson = binomtest(hits, n).proportion_ci(method="wilson")
    assert interval == pytest.approx(tuple(wilson), abs=1e-12)


def test_copies_of_an_image_add_no_information():
    is_case = np.repeat([True, False], [50, 60])
    scores = np.random.default_rng(1).random(110)
    once = perform_at(is_case, scores, threshold=0.4, cluster=None)

    thrice = perform_at(
        np.tile(is_case, 3),
        np.tile(scores, 3),
        threshold=0.4,
        cluster=np.tile(np.arange(110), 3),
    )

    assert thrice.sensitivity.variance == pytest.approx(once.sensitivity.variance)
    assert thrice.specificity.interval() == pytest.approx(once.specificity.interval())


def test_the_variance_is_that_of_resampled_patients():
    rng = np.random.default_rng(3)
    patients = rng.integers(0, 80, 400)
    is_hit = rng.random(400) < np.linspace(0.2, 0.9, 80)[patients]
    share, _ = clustered_share(is_hit, np.ones(400, dtype=bool), patients)
    resampled = []
    for _ in range(2000):
        drawn = np.bincount(rng.integers(0, 80, 80), minlength=80)[patients]
        resampled.append((drawn * is_hit).sum() / drawn.sum())

    assert np.sqrt(share.variance) == pytest.approx(np.std(resampled), rel=0.08)
    assert share.variance > 1.3 * share.estimate * (1 - share.estimate) / 400


def test_a_share_of_one_is_not_taken_for_certain():
    performance = perform_at(
        [True] * 12 + [False] * 2,
        [1.0] * 12 + [0.0, 1.0],
        threshold=0.5,
        cluster=[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7],
    )

    lower, upper = performance.sensitivity.interval()

    assert upper == 1
    assert lower == pytest.approx(binomtest(6, 6).proportion_ci(method="wilson").low)


def test_patients_can_tell_no_more_than_all_their_images_would():
    # One hit and one miss for nearly every patient: hardly any variance between them.
    is_hit = np.append(np.tile([True, False], 20), [True, True])
    share, _ = clustered_share(is_hit, np.ones(42, dtype=bool), np.arange(42) // 2)

    assert share.variance < share.estimate * (1 - share.estimate) / 42
    wilson = binomtest(22, 42).proportion_ci(method="wilson")
    assert share.interval() == pytest.approx(tuple(wilson))


def test_predictive_values_follow_bayes(performance):
    ppv, lower, upper = performance.positive_predictive_value(0.1)
    npv, *_ = performance.negative_predictive_value(0.1)

    assert ppv == pytest.approx(0.8 * 0.1 / (0.8 * 0.1 + 0.25 * 0.9))
    assert npv == pytest.approx(0.75 * 0.9 / (0.75 * 0.9 + 0.2 * 0.1))
    # The delta method by hand: var log(.8) + var log(.25).
    error = np.sqrt(0.2 / 0.8 / 99 + 0.75 / 0.25 / 119)
    odds = ppv / (1 - ppv)
    bounds = odds * np.exp(np.array([-1.959964, 1.959964]) * error)
    assert (lower, upper) == pytest.approx(tuple(bounds / (1 + bounds)), rel=1e-6)


def test_patients_with_both_classes_enter_the_predictive_values():
    # A patient whose images are all called positive raises both shares of calls.
    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(60), 4)
    is_case = np.tile([True, False], 120)
    eager = rng.random(60)[patients]
    scores = (rng.random(240) < 0.2 + 0.6 * eager).astype(float)
    performance = perform_at(is_case, scores, threshold=0.5, cluster=patients)
    estimate, lower, upper = performance.positive_predictive_value(0.5)
    resampled = []
    for _ in range(2000):
        drawn = np.bincount(rng.integers(0, 60, 60), minlength=60)[patients]
        right = (drawn * scores * is_case).sum() / (drawn * is_case).sum()
        wrong = (drawn * scores * ~is_case).sum() / (drawn * ~is_case).sum()
        resampled.append(np.log(right / wrong))

    width = np.log(upper / (1 - upper)) - np.log(lower / (1 - lower))
    assert performance.covariance < 0
    assert width / 2 / 1.959964 == pytest.approx(np.std(resampled), rel=0.1)
    assert lower < estimate < upper


def test_where_nobody_is_called_there_is_no_predictive_value():
    performance = perform_at([True, False], [0.1, 0.2], threshold=0.5, cluster=None)

    assert np.isnan(performance.positive_predictive_value(0.3)).all()
    assert performance.negative_predictive_value(0.3)[0] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("is_case", "scores", "message"),
    [
        ([True, True], [0.1, 0.2], "got 2 and 0"),
        ([True, False], [0.1], r"shape \(1,\)"),
        ([True, False], [0.1, np.nan], "1 that are no"),
    ],
)
def test_what_cannot_be_judged_is_refused(is_case, scores, message):
    with pytest.raises(ValueError, match=message):
        perform_at(is_case, scores, threshold=0.5, cluster=None)


def test_a_prevalence_of_nobody_is_refused(performance):
    with pytest.raises(ValueError, match="got 0"):
        performance.negative_predictive_value(0)


@pytest.mark.parametrize(
    ("n_hits", "n_cases", "expected"),
    [  # Newcombe (Stat Med 1998;17:857), Table I, method 3; the first by hand
        (9, 10, (0.596, 0.982)),
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilsons_published_intervals_come_out_as_printed(n_hits, n_cases, expected):
    is_case = np.repeat([True, False], [n_cases, 3])
    scores = np.r_[np.ones(n_hits), np.zeros(n_cases - n_hits + 3)]
    performance = perform_at(
        is_case, scores, threshold=0.5, cluster=np.arange(n_cases + 3)
    )

    assert performance.sensitivity.interval() == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("n_patients", "hits", "images"), [(3, 2, 3), (7, 1, 3), (10, 1, 2), (11, 3, 7)]
)
def test_patients_who_are_all_alike_count_as_one_image_each(n_patients, hits, images):
    # The residuals are 0 but for rounding, which is no information.
    called = np.tile(np.arange(images) < hits, n_patients)
    patients = np.repeat(np.arange(n_patients), images)
    everything = np.ones(len(called), dtype=bool)

    share, _ = clustered_share(called, everything, patients)

    assert share.variance == 0
    wilson = Proportion(
        estimate=hits / images, variance=0.0, n_images=99, n_clusters=n_patients
    )
    assert share.interval() == pytest.approx(wilson.interval(), abs=1e-12)
    performance = perform_at(
        np.append(everything, [False] * 9),
        np.append(called, np.arange(9) < 4),
        threshold=0.5,
        cluster=np.append(patients, 100 + np.arange(9)),
    )
    for value in (
        performance.positive_predictive_value(0.2),
        performance.negative_predictive_value(0.2),
    ):
        assert np.isfinite(value[0])
        assert np.isnan(value[1:]).all()


@pytest.mark.parametrize(("n_called", "n_patients"), [(5, 10), (1, 3), (7, 9)])
def test_predictive_values_that_cancel_in_every_patient_have_no_bounds(
    n_called, n_patients
):
    # A case and a control each, both called or neither: log odds without variance.
    is_case = np.tile([True, False], n_patients)
    patients = np.repeat(np.arange(n_patients), 2)

    found = perform_at(
        is_case, 1.0 * (patients < n_called), threshold=0.5, cluster=patients
    )

    value = found.positive_predictive_value(0.3)
    assert value[0] == pytest.approx(0.3)
    assert np.isnan(value[1:]).all()


def slow_youden_interval(is_case, scores, patients, level):
    """Return the outermost scores whose index is as good, by sums over patients."""

    def index(c):
        return np.mean(scores[is_case] >= c) - np.mean(scores[~is_case] >= c)

    candidates = np.unique(scores)
    indices = [index(c) for c in candidates]
    best = candidates[np.flatnonzero(np.isclose(indices, max(indices)))[0]]
    good = []
    for c in candidates:
        gain = {}
        for kind in (True, False):
            own = is_case == kind
            apart = (scores >= best).astype(int) - (scores >= c)
            centred = (apart - apart[own].mean()) * own / own.sum()
            for p in set(patients):
                sign = 1 if kind else -1
                gain[p] = gain.get(p, 0) + sign * centred[patients == p].sum()
        n = len(gain)
        error = np.sqrt(n / (n - 1) * sum(g**2 for g in gain.values()))
        if index(best) - index(c) <= student.ppf((1 + level) / 2, n - 1) * error:
            good.append(c)
    return best, min(good), max(good)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_the_interval_of_youdens_threshold_has_all_that_are_not_worse(level):
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(60), rng.integers(1, 4, 60))
    is_case = (np.arange(60) < 25)[patients]
    scores = np.round(2 * is_case + rng.standard_normal(len(patients)), 1)

    found = choose_youden_threshold(is_case, scores, cluster=patients, level=level)
    best, lower, upper = slow_youden_interval(is_case, scores, patients, level)

    assert (found.threshold, found.lower, found.upper) == (best, lower, upper)
    assert lower < best < upper


def test_where_no_threshold_is_told_from_the_best_there_are_no_bounds():
    """By hand: the index is 1/2 at 0.4, and with four images nothing is told apart."""
    is_case = np.array([True, False, True, False])

    found = choose_youden_threshold(
        is_case, [0.4, 0.3, 0.2, 0.1], cluster=None, level=0.95
    )

    assert found.threshold == 0.2  # of equally good ones the most sensitive
    assert (found.lower, found.upper) == (-np.inf, np.inf)
