"""Two classifiers at frozen thresholds, compared patient by patient."""

import numpy as np
import pytest
from scipy.stats import t as student
from statsmodels.stats.contingency_tables import mcnemar

from covid_cxr.statistics.operating_points import perform_at
from covid_cxr.statistics.paired_calls import compare_at, count_called


def study(seed, n_patients=80, images=4, correlation=0.6):
    """Return labels, the scores of two equally good models, and patients."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(n_patients), images)
    is_case = np.repeat(rng.random(n_patients) < 0.5, images)
    own = rng.standard_normal((n_patients, 2))[patients]
    noise = rng.standard_normal((len(patients), 2))
    signal = np.sqrt(correlation) * own + np.sqrt(1 - correlation) * noise
    first, second = (signal + is_case[:, np.newaxis]).T
    return is_case, first, second, patients


def test_the_differences_are_those_of_the_shares():
    is_case, first, second, patients = study(1)

    paired = compare_at(is_case, first, second, thresholds=(0.4, 0.6), cluster=patients)

    alone = [
        perform_at(is_case, scores, threshold=threshold, cluster=patients)
        for scores, threshold in ((first, 0.4), (second, 0.6))
    ]
    for name in ("sensitivity", "specificity"):
        shares = [getattr(performance, name).estimate for performance in alone]
        found = getattr(paired, name)
        assert found.estimate == pytest.approx(shares[0] - shares[1])
        assert found.n_images == getattr(alone[0], name).n_images
        assert found.n_clusters == getattr(alone[0], name).n_clusters


def test_with_one_image_per_patient_it_is_mcnemars_test():
    is_case, first, second, _ = study(2, n_patients=300, images=1)

    found = compare_at(is_case, first, second, thresholds=(0.2, 0.5), cluster=None)

    called = np.stack([first >= 0.2, second >= 0.5])[:, is_case]
    table = [
        [(called[0] & called[1]).sum(), (called[0] & ~called[1]).sum()],
        [(~called[0] & called[1]).sum(), (~called[0] & ~called[1]).sum()],
    ]
    expected = mcnemar(table, exact=False, correction=False)
    assert found.sensitivity.p_value == pytest.approx(expected.pvalue)
    gained = called[0].astype(float) - called[1]
    error = gained.std(ddof=1) / np.sqrt(len(gained))
    assert found.sensitivity.standard_error == pytest.approx(error)
    margin = student.ppf(0.95, len(gained) - 1) * error
    assert found.sensitivity.interval(0.9) == pytest.approx(
        (gained.mean() - margin, gained.mean() + margin)
    )


def test_copies_of_an_image_add_no_information():
    is_case, first, second, _ = study(3, images=1)
    once = compare_at(is_case, first, second, thresholds=(0.5, 0.7), cluster=None)

    thrice = compare_at(
        *(np.tile(values, 3) for values in (is_case, first, second)),
        thresholds=(0.5, 0.7),
        cluster=np.tile(np.arange(80), 3),
    )

    for name in ("p_value", "standard_error"):
        expected = getattr(once.specificity, name)
        assert getattr(thrice.specificity, name) == pytest.approx(expected)


def test_a_true_null_is_rejected_as_often_as_it_says_and_by_image_more_often():
    rejected = np.zeros(2)
    for seed in range(400):
        is_case, first, second, patients = study(seed)
        for k, cluster in enumerate((patients, None)):
            paired = compare_at(
                is_case, first, second, thresholds=(0.5, 0.5), cluster=cluster
            )
            rejected[k] += paired.sensitivity.p_value < 0.05

    by_patient, by_image = rejected / 400
    assert 0.02 < by_patient < 0.083  # three standard errors
    assert by_image > 0.09


def test_classifiers_that_call_alike_differ_in_nothing():
    is_case = [True, True, False]
    found = compare_at(
        is_case, [0.9, 0.2, 0.1], [9, 2, 1], thresholds=(0.5, 5), cluster=None
    )

    assert found.sensitivity.p_value == 1
    assert np.isnan(found.sensitivity.interval()).all()
    assert np.isnan(found.specificity.standard_error)


@pytest.mark.parametrize(
    "calls",
    [[[1, 0], [0, 1], [1, 1]], [[True, False]] * 2, [True, False, True]],
    ids=["numbers", "too few", "one column without a second axis"],
)
def test_what_is_no_call_per_image_and_classifier_is_refused(calls):
    with pytest.raises(ValueError, match="one boolean per image and classifier"):
        count_called([True, False, True], calls, cluster=None)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="got 2 and 0"):
        compare_at([True, True], [1, 2], [1, 2], thresholds=(1, 1), cluster=None)


@pytest.mark.parametrize(("gains", "n"), [(1, 49), (2, 49), (3, 47), (1, 3)])
def test_patients_who_all_gain_alike_leave_no_interval(gains, n):
    is_case = np.append(np.ones(5 * n, dtype=bool), False)
    first = np.append(np.tile(np.arange(n) < gains, 5), 0).astype(float)

    found = compare_at(
        is_case,
        first,
        np.zeros(len(first)),
        thresholds=(0.5, 0.5),
        cluster=np.append(np.repeat(np.arange(5), n), 5),
    ).sensitivity

    assert found.estimate == pytest.approx(gains / n)
    assert found.standard_error == 0
    assert np.isnan(found.interval()).all()
