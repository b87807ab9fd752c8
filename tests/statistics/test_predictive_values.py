"""Predictive values: by hand, by leaving patients out, and against R."""

import numpy as np
import pytest

from covid_cxr.statistics.operating_points import perform_at
from covid_cxr.statistics.predictive_values import sum_calls

# DTComPair 1.2.6 in R: data(Paired1); tab.paired(d=d, y1=y1, y2=y2, data=Paired1):
# called by both, by the first, by the second and by neither.
DISEASED, HEALTHY = (319, 78, 22, 32), (31, 53, 22, 155)


def estimate_predictive_values(is_case, is_called, *, prevalence, cluster):
    """Return both predictive values at one prevalence."""
    calls = sum_calls(is_case, is_called, cluster=cluster)
    return calls.predictive_values(prevalence)


def paired1():
    calls = np.array([(1, 1), (1, 0), (0, 1), (0, 0)], dtype=bool)
    is_called = np.concatenate(
        [np.repeat(calls, DISEASED, axis=0), np.repeat(calls, HEALTHY, axis=0)]
    )
    return np.arange(712) < sum(DISEASED), is_called


def a_study(seed, n_patients=70):
    """Return labels, two classifiers' calls, and patients with images of both kinds."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(n_patients), 1 + rng.poisson(2, n_patients))
    own = rng.standard_normal(n_patients)[patients]
    is_case = rng.random(len(patients)) < 0.2 + 0.5 * (own > 0)
    noise = rng.standard_normal((len(patients), 2))
    return is_case, noise + (is_case + own)[:, None] > 0.8, patients


def test_both_are_by_bayes():
    is_case, is_called = paired1()
    sensitivity, specificity = 397 / 451, 177 / 261

    positive, negative = estimate_predictive_values(
        is_case, is_called, prevalence=0.1, cluster=None
    )

    true, false = 0.1 * sensitivity, 0.9 * (1 - specificity)
    assert positive.auc[0] == pytest.approx(true / (true + false))
    true, false = 0.9 * specificity, 0.1 * (1 - sensitivity)
    assert negative.auc[0] == pytest.approx(true / (true + false))


@pytest.mark.parametrize(
    ("k", "values", "error"),
    [  # pv.rpv(...): ppv and npv, se.log.rppv and se.log.rnpv
        (0, (0.82536383, 0.86548223), 0.01991247),
        (1, (0.7662338, 0.6540881), 0.03783679),
    ],
)
def test_at_the_share_of_cases_they_are_those_of_r(k, values, error):
    is_case, is_called = paired1()
    m, n = 451, 261

    found = estimate_predictive_values(
        is_case, is_called, prevalence=m / 712, cluster=None
    )[k]

    assert found.auc == pytest.approx(values, abs=5e-8)
    # Every image twice, of one patient: nothing changes, and the parts are told.
    twice = estimate_predictive_values(
        np.repeat(is_case, 2),
        np.repeat(is_called, 2, axis=0),
        prevalence=m / 712,
        cluster=np.repeat(np.arange(712), 2),
    )[k]
    assert twice.covariance == pytest.approx(found.covariance)
    # R takes variances over m, not m - 1, and the prevalence as estimated: log ratios
    # change with its log odds, of variance 1/m + 1/n, by the difference.
    contrast = np.array([1, -1]) / found.auc
    sizes = (m, n) if k == 0 else (n, m)  # the class that is looked for comes first
    fixed = sum(
        contrast @ part.covariance @ contrast * (size - 1) / size
        for part, size in zip(twice.variance_parts, sizes, strict=True)
    )
    prevalence = (values[0] - values[1]) ** 2 * (1 / m + 1 / n)
    assert np.sqrt(fixed + prevalence) == pytest.approx(error, abs=5e-9)


def test_their_covariance_is_the_jackknifes():
    is_case, is_called, patients = a_study(1, n_patients=150)

    def both(keep):
        return np.concatenate(
            [
                one.auc
                for one in estimate_predictive_values(
                    is_case[keep],
                    is_called[keep],
                    prevalence=0.15,
                    cluster=patients[keep],
                )
            ]
        )

    left_out = np.array([both(patients != p) for p in range(150)])
    jackknife = 149**2 / 150 * np.cov(left_out.T)
    positive, negative = estimate_predictive_values(
        is_case, is_called, prevalence=0.15, cluster=patients
    )
    assert positive.covariance == pytest.approx(jackknife[:2, :2], rel=0.1)
    assert negative.covariance == pytest.approx(jackknife[2:, 2:], rel=0.1)


def test_the_interval_is_that_at_one_threshold_with_students_quantile():
    is_case, is_called, patients = a_study(2, n_patients=4000)
    alone = perform_at(
        is_case, is_called[:, 0].astype(float), threshold=0.5, cluster=patients
    )

    positive, negative = estimate_predictive_values(
        is_case, is_called, prevalence=0.15, cluster=patients
    )

    for found, expected in (
        (positive, alone.positive_predictive_value(0.15)),
        (negative, alone.negative_predictive_value(0.15)),
    ):
        bounds = found.interval(method="logit")[0]
        assert (found.auc[0], *bounds) == pytest.approx(expected, abs=2e-4)


def test_a_value_of_1_has_no_bound_and_is_told_apart_from_no_other_such():
    is_case = np.arange(12) % 2 == 0
    is_called = np.stack([is_case, is_case & (np.arange(12) < 6)], axis=1)

    positive, _ = estimate_predictive_values(
        is_case, is_called, prevalence=0.3, cluster=None
    )

    assert positive.auc.tolist() == [1, 1]
    assert np.isnan(positive.interval(method="logit")).all()
    assert np.isnan(positive.compare(0, 1).interval()).all()


def test_a_value_of_1_is_not_told_apart_from_a_lower_one():
    """Its own error is unknown: that of the difference would be the other's alone."""
    is_case = np.arange(60) % 2 == 0
    sure = is_case & (np.arange(60) < 40)
    is_called = np.stack([sure, is_case ^ (np.arange(60) % 5 == 0), is_case], axis=1)

    positive, _ = estimate_predictive_values(
        is_case, is_called, prevalence=0.3, cluster=None
    )
    found = positive.compare(0, 1)

    assert positive.auc[0] == 1 > positive.auc[1]
    assert found.estimate == pytest.approx(positive.auc[0] - positive.auc[1])
    assert np.isnan([found.standard_error, found.p_value, *found.interval()]).all()
    assert positive.compare(0, 2).p_value == 1  # both are sure


def test_classifiers_that_call_nothing_or_everything_have_one_of_both():
    is_case = np.arange(12) % 2 == 0
    is_called = np.array([[False, True]] * 12)

    positive, negative = estimate_predictive_values(
        is_case, is_called, prevalence=0.3, cluster=None
    )

    assert positive.auc == pytest.approx([np.nan, 0.3], nan_ok=True)
    assert negative.auc == pytest.approx([0.7, np.nan], nan_ok=True)
    assert np.isnan(positive.compare(0, 1).p_value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prevalence": 10}, "prevalence must lie between 0 and 1, got 10"),
        ({"is_called": np.zeros((3, 2))}, "one boolean per image and classifier"),
        ({"is_case": np.ones(4, dtype=bool)}, "got 4 cases and 0 controls"),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    given = {
        "is_case": np.array([True, True, False, False]),
        "is_called": np.ones((4, 2), dtype=bool),
        "prevalence": 0.1,
    }

    with pytest.raises(ValueError, match=message):
        estimate_predictive_values(**given | change, cluster=None)
