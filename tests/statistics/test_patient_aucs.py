"""AUCs of patients and of one image of each: slow definitions and resampling."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.patient_aucs import (
    QUESTIONS,
    estimate_aucs_by_question,
    estimate_aucs_of_one_image,
    estimate_aucs_of_patients,
    estimate_weighted_aucs,
)


def a_study(seed, n_patients=60, digits=1, *, is_mixed=False):
    """Return labels, two models' scores and patients, of whom sick ones have more.

    Patients who are mixed have images of both labels.
    """
    rng = np.random.default_rng(seed)
    own = rng.standard_normal(n_patients)
    sizes = 1 + rng.poisson(np.exp(own))
    patients = np.repeat(np.arange(n_patients), sizes)
    is_case = (rng.random(n_patients) < 0.5)[patients]
    if is_mixed:
        is_case = rng.random(len(patients)) < 0.5
    noise = rng.standard_normal((len(patients), 2))
    scores = is_case[:, None] + own[patients][:, None] + noise
    return is_case, np.round(scores, digits), patients


@pytest.mark.parametrize("rule", ["max", "mean", "first"])
def test_patients_are_compared_by_one_score_each(rule):
    is_case, scores, patients = a_study(1, digits=8)
    everyone = range(60)
    label = [is_case[patients == p].any() for p in everyone]
    aggregate = {"max": np.max, "mean": np.mean, "first": lambda own: own[0]}[rule]
    score = [aggregate(scores[patients == p, 0]) for p in everyone]

    found = estimate_aucs_of_patients(is_case, scores, cluster=patients, rule=rule)

    assert found.auc[0] == pytest.approx(roc_auc_score(label, score))
    assert found.n_cases + found.n_controls == 60


@pytest.mark.parametrize("is_mixed", [False, True])
def test_one_image_of_each_is_the_weighted_share_of_pairs(is_mixed):
    is_case, scores, patients = a_study(2, is_mixed=is_mixed)
    weights = 1 / np.bincount(patients)[patients]
    x, y = scores[is_case, 0][:, None], scores[~is_case, 0]
    pairs = np.outer(weights[is_case], weights[~is_case])
    pairs[patients[is_case][:, None] == patients[~is_case]] = 0
    expected = (pairs * ((x > y) + 0.5 * (x == y))).sum() / pairs.sum()

    found = estimate_aucs_of_one_image(is_case, scores, cluster=patients)

    assert found.auc[0] == pytest.approx(expected)
    assert found.n_cases == is_case.sum()


@pytest.mark.parametrize(("n_patients", "is_mixed"), [(60, False), (8, True)])
def test_one_image_of_each_is_the_mean_of_many_draws(n_patients, is_mixed):
    is_case, scores, patients = a_study(3, n_patients=n_patients, is_mixed=is_mixed)
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(3000):
        order = rng.permutation(len(patients))
        _, first = np.unique(patients[order], return_index=True)
        kept = order[first]
        x, y = scores[kept[is_case[kept]], 0], scores[kept[~is_case[kept]], 0]
        above = (x[:, None] > y) + 0.5 * (x[:, None] == y)
        drawn.append((above.sum(), above.size))

    found = estimate_aucs_of_one_image(is_case, scores, cluster=patients)

    above, pairs = np.sum(drawn, axis=0)
    assert found.auc[0] == pytest.approx(above / pairs, abs=0.005)


def test_a_patient_alone_is_no_draw_of_a_case_and_a_control():
    found = estimate_aucs_of_one_image(
        [True, False, True], [0.9, 0.1, 0.8], cluster=["a", "a", "a"]
    )

    assert np.isnan(found.auc).all()
    assert np.isnan(found.interval(method="logit")).all()


@pytest.mark.parametrize("seed", range(20))
def test_patients_with_both_labels_are_told_apart_exactly(seed):
    is_case, _, patients = a_study(seed, n_patients=20, is_mixed=True)

    found = estimate_aucs_of_one_image(is_case, is_case * 0.3, cluster=patients)

    assert found.auc[0] == 1
    assert found.interval(method="logit")[0, 1] == 1


def test_its_error_is_that_of_pairs_of_different_patients():
    is_case, scores, patients = a_study(6, n_patients=9, is_mixed=True)
    weights = 1 / np.bincount(patients)[patients]
    cases, controls = patients[is_case], patients[~is_case]
    pairs = np.outer(weights[is_case], weights[~is_case])
    pairs[cases[:, None] == controls] = 0
    x, y = scores[is_case, 0][:, None], scores[~is_case, 0]
    above = (x > y) + 0.5 * (x == y)
    share = (pairs * above).sum() / pairs.sum()
    apart = pairs * (above - share) / pairs.sum()
    a = np.array([apart[cases == p].sum() for p in range(9)])
    b = np.array([apart[:, controls == p].sum() for p in range(9)])
    i10, i01 = len(set(cases)), len(set(controls))

    found = estimate_aucs_of_one_image(is_case, scores, cluster=patients)

    expected = (
        i10 / (i10 - 1) * a @ a + i01 / (i01 - 1) * b @ b + 2 * 9 / (9 - 1) * a @ b
    )
    assert found.covariance[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("is_mixed", [False, True])
def test_its_error_is_the_jackknifes(is_mixed):
    is_case, scores, patients = a_study(4, n_patients=120, is_mixed=is_mixed)

    found = estimate_aucs_of_one_image(is_case, scores, cluster=patients)

    left_out = np.array(
        [
            estimate_aucs_of_one_image(
                is_case[keep], scores[keep], cluster=patients[keep]
            ).auc
            for keep in (patients != p for p in set(patients))
        ]
    )
    jackknife = (119**2 / 120) * np.cov(left_out.T)
    assert found.covariance == pytest.approx(jackknife, rel=0.05)


def test_with_as_many_images_each_all_is_one():
    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(40), 2)
    is_case = patients < 20
    scores = rng.standard_normal((80, 2)) + is_case[:, None]

    found = estimate_aucs_of_one_image(is_case, scores, cluster=patients)

    by_image = estimate_aucs(is_case, scores, cluster=patients)
    assert found.auc == pytest.approx(by_image.auc)
    assert found.interval(method="logit") == pytest.approx(
        by_image.interval(method="logit")
    )


def test_sick_patients_with_more_images_make_the_questions_differ():
    is_case, scores, patients = a_study(6, n_patients=4000)

    by_image = estimate_aucs(is_case, scores, cluster=patients).auc[0]
    one_image = estimate_aucs_of_one_image(is_case, scores, cluster=patients).auc[0]

    assert abs(by_image - one_image) > 0.01


@pytest.mark.parametrize("seed", range(8, 12))
def test_separated_classes_have_the_exact_bound_of_their_patients(seed):
    _, _, patients = a_study(seed)
    is_case = patients < 30
    scores = np.arange(len(patients)) + 1000.0 * is_case

    found = estimate_aucs_of_one_image(
        is_case, np.stack([scores, -scores], axis=1), cluster=patients
    )

    assert found.auc.tolist() == [1, 0]
    bound = 0.025 ** (1 / 30)
    assert found.interval(method="logit") == pytest.approx(
        np.array([[bound, 1], [0, 1 - bound]])
    )


def test_an_unknown_rule_is_refused():
    is_case, scores, patients = a_study(7)

    with pytest.raises(ValueError, match="'max', 'mean' or 'first', got 'median'"):
        estimate_aucs_of_patients(is_case, scores, cluster=patients, rule="median")


def test_each_question_is_answered_as_by_its_own_function():
    is_case, scores, patients = a_study(9)

    found = estimate_aucs_by_question(is_case, scores, cluster=patients).estimates

    given = {"is_case": is_case, "scores": scores, "cluster": patients}
    expected = {
        "image": estimate_aucs(**given),
        "patient_max": estimate_aucs_of_patients(**given, rule="max"),
        "patient_mean": estimate_aucs_of_patients(**given, rule="mean"),
        "one_image": estimate_aucs_of_one_image(**given),
    }
    assert list(found) == list(expected)
    for question, one in expected.items():
        assert found[question].auc == pytest.approx(one.auc)
        assert found[question].covariance == pytest.approx(one.covariance)


def test_the_difference_of_two_questions_has_the_jackknifes_error():
    is_case, scores, patients = a_study(10, n_patients=150)

    def differences(keep):
        found = estimate_aucs_by_question(
            is_case[keep], scores[keep], cluster=patients[keep]
        ).estimates
        return [found[q].auc[1] - found["image"].auc[1] for q in QUESTIONS[1:]]

    left_out = np.array([differences(patients != p) for p in range(150)])
    jackknife = 149**2 / 150 * left_out.var(axis=0, ddof=1)
    whole = estimate_aucs_by_question(is_case, scores, cluster=patients)
    for question, estimate, variance in zip(
        QUESTIONS[1:], differences(patients >= 0), jackknife, strict=True
    ):
        found = whole.compare(question, "image", 1)
        assert found.estimate == pytest.approx(estimate)
        assert found.standard_error == pytest.approx(np.sqrt(variance), rel=0.1)


def test_questions_that_are_one_do_not_differ():
    is_case, scores, _ = a_study(11)

    found = estimate_aucs_by_question(is_case, scores, cluster=None)

    for question in QUESTIONS:
        assert found.compare(question, "image", 0).p_value == 1


def test_patients_who_all_have_a_case_leave_patients_unknown():
    is_case = np.arange(12) % 2 == 0
    scores = np.random.default_rng(1).random(12)

    found = estimate_aucs_by_question(is_case, scores, cluster=np.arange(12) // 2)

    assert list(found.estimates) == ["image", "one_image"]
    assert np.isnan(found.compare("patient_max", "image", 0).p_value)


@pytest.mark.parametrize("is_mixed", [False, True])
def test_whole_weights_are_copies_of_images(is_mixed):
    """A radiograph of weight 3 is like three of its patient, error and all."""
    is_case, scores, patients = a_study(8, is_mixed=is_mixed)
    weights = np.random.default_rng(3).integers(0, 4, len(is_case))
    places = np.repeat(np.arange(len(is_case)), weights)

    found = estimate_weighted_aucs(is_case, scores, weights=weights, cluster=patients)

    copied = estimate_aucs(is_case[places], scores[places], cluster=patients[places])
    np.testing.assert_allclose(found.auc, copied.auc)
    # Patients of weight 0 are left out of the copies, and still count as patients.
    np.testing.assert_allclose(found.covariance, copied.covariance, rtol=0.05)


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1, -1, 1], "1 that are none"), ([1, 1], "3 weights"), ([1, 0, 1], "above 0")],
)
def test_what_is_no_weight_is_refused(weights, message):
    is_case = np.array([True, False, True])

    with pytest.raises(ValueError, match=message):
        estimate_weighted_aucs(is_case, [1.0, 2.0, 3.0], weights=weights, cluster=None)
