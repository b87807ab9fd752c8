"""AUCs and their covariance: by hand, against slow definitions, edge cases."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from covid_cxr.statistics.auc import AucEstimates, as_codes, estimate_aucs


def slow_kernel(cases, controls):
    """The definition: 1 where the case scores higher, one half at a tie."""
    higher = (cases[:, None] > controls[None, :]).astype(float)
    return higher + 0.5 * (cases[:, None] == controls[None, :])


def slow_clustered_covariance(is_case, scores, cluster):
    """Obuchowski 1997, sums over patients written out."""
    patients = sorted(set(cluster))
    models = range(scores.shape[1])
    kernels = [slow_kernel(scores[is_case, k], scores[~is_case, k]) for k in models]
    aucs = [kernel.mean() for kernel in kernels]
    m, n = is_case.sum(), (~is_case).sum()
    a = np.zeros((len(patients), len(aucs)))
    b = np.zeros((len(patients), len(aucs)))
    for i, patient in enumerate(patients):
        for k, kernel in enumerate(kernels):
            a[i, k] = (kernel.mean(axis=1)[cluster[is_case] == patient] - aucs[k]).sum()
            b[i, k] = (
                kernel.mean(axis=0)[cluster[~is_case] == patient] - aucs[k]
            ).sum()
    i10 = len(set(cluster[is_case]))
    i01 = len(set(cluster[~is_case]))
    i = len(patients)
    s10, s01 = np.zeros((2, len(aucs), len(aucs)))
    s11 = np.zeros((len(aucs), len(aucs)))
    for p in range(i):
        s10 += i10 / ((i10 - 1) * m) * np.outer(a[p], a[p])
        s01 += i01 / ((i01 - 1) * n) * np.outer(b[p], b[p])
        s11 += i / (i - 1) * np.outer(a[p], b[p])
    return s10 / m + s01 / n + (s11 + s11.T) / (m * n)


@st.composite
def studies(draw):
    """Draw two models' scores, with many ties, on images of both classes."""
    n = draw(st.integers(6, 40))
    is_case = draw(arrays(bool, n))
    is_case[:4] = [True, True, False, False]
    steps = draw(st.sampled_from([2, 5, 1000]))
    scores = draw(arrays(np.int64, (n, 2), elements=st.integers(0, steps))) / steps
    cluster = draw(arrays(np.int64, n, elements=st.integers(0, 8)))
    cluster[:4] = [0, 1, 0, 1]  # patients 0 and 1 have images of both classes
    return is_case, scores, cluster


@given(studies())
def test_the_auc_is_the_share_of_pairs_in_order_with_ties_as_half(study):
    is_case, scores, _ = study

    estimates = estimate_aucs(is_case, scores)

    for k in range(2):
        brute = slow_kernel(scores[is_case, k], scores[~is_case, k]).mean()
        assert estimates.auc[k] == pytest.approx(brute, abs=1e-12)
        assert estimates.auc[k] == pytest.approx(
            roc_auc_score(is_case, scores[:, k]), abs=1e-12
        )


@given(studies())
def test_the_covariance_without_clusters_is_that_of_the_placements(study):
    is_case, scores, _ = study
    kernels = [slow_kernel(scores[is_case, k], scores[~is_case, k]) for k in range(2)]
    v10 = [kernel.mean(axis=1) for kernel in kernels]
    v01 = [kernel.mean(axis=0) for kernel in kernels]
    expected = np.cov(v10) / is_case.sum() + np.cov(v01) / (~is_case).sum()

    assert estimate_aucs(is_case, scores).covariance == pytest.approx(
        expected, abs=1e-12
    )


@given(studies())
def test_the_clustered_covariance_follows_the_sums_over_patients(study):
    is_case, scores, cluster = study

    estimates = estimate_aucs(is_case, scores, cluster=cluster)

    assert estimates.covariance == pytest.approx(
        slow_clustered_covariance(is_case, scores, cluster), abs=1e-12
    )
    assert estimates.n_clusters == len(set(cluster))


@given(studies())
def test_patients_with_one_image_each_give_delongs_covariance(study):
    is_case, scores, _ = study
    names = [f"patient {i}" for i in range(len(is_case))]

    clustered = estimate_aucs(is_case, scores, cluster=names)

    assert clustered.covariance == pytest.approx(
        estimate_aucs(is_case, scores).covariance, abs=1e-15
    )


@given(studies())
def test_a_second_copy_of_every_image_adds_no_information(study):
    is_case, scores, _ = study
    once = np.arange(len(is_case))
    single = estimate_aucs(is_case, scores)

    clustered = estimate_aucs(
        np.tile(is_case, 2), np.tile(scores, (2, 1)), cluster=np.tile(once, 2)
    )
    naive = estimate_aucs(np.tile(is_case, 2), np.tile(scores, (2, 1)))

    assert clustered.covariance == pytest.approx(single.covariance, abs=1e-15)
    m, n = is_case.sum(), (~is_case).sum()
    v10, v01 = _variance_terms(is_case, scores[:, 0])
    halved = v10 * (m - 1) / (2 * m - 1) + v01 * (n - 1) / (2 * n - 1)
    assert naive.covariance[0, 0] == pytest.approx(halved, abs=1e-12)


def _variance_terms(is_case, score):
    kernel = slow_kernel(score[is_case], score[~is_case])
    terms = kernel.mean(axis=1), kernel.mean(axis=0)
    return [np.var(term, ddof=1) / len(term) for term in terms]


@given(studies(), st.randoms(use_true_random=False))
def test_order_of_images_and_monotone_transforms_change_nothing(study, random):
    is_case, scores, cluster = study
    order = np.array(random.sample(range(len(is_case)), len(is_case)))
    before = estimate_aucs(is_case, scores, cluster=cluster)

    after = estimate_aucs(
        is_case[order], np.exp(3 * scores[order]) - 7, cluster=cluster[order]
    )

    assert after.auc == pytest.approx(before.auc, abs=1e-12)
    assert after.covariance == pytest.approx(before.covariance, abs=1e-12)


@given(studies())
def test_a_reversed_score_has_the_mirrored_auc_and_the_same_variance(study):
    is_case, scores, cluster = study
    before = estimate_aucs(is_case, scores, cluster=cluster)

    after = estimate_aucs(is_case, -scores, cluster=cluster)

    assert after.auc == pytest.approx(1 - before.auc, abs=1e-12)
    assert after.covariance == pytest.approx(before.covariance, abs=1e-12)


@given(studies())
def test_swapped_models_change_the_sign_only(study):
    is_case, scores, cluster = study
    estimates = estimate_aucs(is_case, scores, cluster=cluster)

    forth, back = estimates.compare(0, 1), estimates.compare(1, 0)

    assert back.estimate == -forth.estimate
    assert back.standard_error == forth.standard_error
    assert back.p_value == pytest.approx(forth.p_value, nan_ok=True)


@given(studies())
def test_models_that_rank_alike_have_a_p_value_of_one(study):
    is_case, scores, cluster = study
    twice = np.stack([scores[:, 0], 2 * scores[:, 0] + 1], axis=1)

    difference = estimate_aucs(is_case, twice, cluster=cluster).compare(0, 1)

    assert difference.estimate == 0
    assert difference.standard_error == 0
    assert difference.p_value == 1


def test_a_small_study_by_hand():
    # Placements of the cases: 1, 1/2, 1; of the controls: 1, 2/3 (one tie each).
    is_case = np.array([True, True, True, False, False])
    score = np.array([0.9, 0.4, 0.8, 0.2, 0.4])
    kernel = np.array([[1, 1], [1, 0.5], [1, 1]])
    v10, v01 = kernel.mean(axis=1), kernel.mean(axis=0)

    estimates = estimate_aucs(is_case, score)

    assert estimates.auc[0] == pytest.approx(5.5 / 6)
    assert list(v10) == [1, 0.75, 1]
    assert list(v01) == pytest.approx([1, 2.5 / 3])
    by_hand = (1 / 48) / 3 + (1 / 72) / 2
    assert estimates.covariance[0, 0] == pytest.approx(by_hand)
    assert (estimates.n_cases, estimates.n_controls, estimates.n_clusters) == (3, 2, 5)


def test_the_paired_test_by_hand():
    estimates = AucEstimates(
        names=("b", "f"),
        auc=np.array([0.857, 0.757]),
        covariance=np.array([[0.0321**2, 0.0], [0.0, 0.0378**2]]),
        n_cases=165,
        n_controls=53,
        n_clusters=218,
    )

    difference = estimates.compare("b", "f")

    standard_error = np.hypot(0.0321, 0.0378)
    assert difference.estimate == pytest.approx(0.1)
    assert difference.standard_error == pytest.approx(standard_error)
    assert difference.z == pytest.approx(0.1 / standard_error)
    assert difference.p_value == pytest.approx(0.0437, abs=5e-5)  # of z = 2.0165
    assert difference.interval(0.95) == pytest.approx(
        (0.1 - 1.959964 * standard_error, 0.1 + 1.959964 * standard_error)
    )


def test_the_intervals_of_the_paper_are_wald_intervals():
    estimates = AucEstimates(
        names=("path_b",),
        auc=np.array([0.857]),
        covariance=np.array([[0.0321**2]]),
        n_cases=165,
        n_controls=53,
        n_clusters=218,
    )

    assert estimates.interval(0.95) == pytest.approx(
        np.array([[0.794, 0.920]]), abs=5e-4
    )
    assert estimates.interval(0.95, method="logit") == pytest.approx(
        np.array([[0.782, 0.909]]), abs=1e-3
    )


# Albumin, total protein, K-G score and outcome of 43 patients with ovarian cancer: the
# data of DeLong et al. 1988 as they and the results are printed in the SAS/STAT 14.1
# User's Guide, Example 72.8. A high K-G score is a bad sign.
OVARIAN = np.reshape(
    [
        *(3.0, 5.8, 10, 0, 3.2, 6.3, 5, 1, 3.9, 6.8, 3, 1, 2.8, 4.8, 6, 0),
        *(3.2, 5.8, 3, 1, 0.9, 4.0, 5, 0, 2.5, 5.7, 8, 0, 1.6, 5.6, 5, 1),
        *(3.8, 5.7, 5, 1, 3.7, 6.7, 6, 1, 3.2, 5.4, 4, 1, 3.8, 6.6, 6, 1),
        *(4.1, 6.6, 5, 1, 3.6, 5.7, 5, 1, 4.3, 7.0, 4, 1, 3.6, 6.7, 4, 0),
        *(2.3, 4.4, 6, 1, 4.2, 7.6, 4, 0, 4.0, 6.6, 6, 0, 3.5, 5.8, 6, 1),
        *(3.8, 6.8, 7, 1, 3.0, 4.7, 8, 0, 4.5, 7.4, 5, 1, 3.7, 7.4, 5, 1),
        *(3.1, 6.6, 6, 1, 4.1, 8.2, 6, 1, 4.3, 7.0, 5, 1, 4.3, 6.5, 4, 1),
        *(3.2, 5.1, 5, 1, 2.6, 4.7, 6, 1, 3.3, 6.8, 6, 0, 1.7, 4.0, 7, 0),
        *(3.7, 6.1, 5, 1, 3.3, 6.3, 7, 1, 4.2, 7.7, 6, 1, 3.5, 6.2, 5, 1),
        *(2.9, 5.7, 9, 0, 2.1, 4.8, 7, 1, 2.8, 6.2, 8, 0, 4.0, 7.0, 7, 1),
        *(3.3, 5.7, 6, 1, 3.7, 6.9, 5, 1, 3.6, 6.6, 5, 1),
    ],
    (43, 4),
)


def test_the_data_of_delong_give_what_sas_prints_for_them():
    # The tables "ROC Association Statistics" and "ROC Contrast Estimation" there.
    albumin, protein, kg_score, outcome = OVARIAN.T
    scores = np.stack([albumin, 10 - kg_score, protein], axis=1)

    estimates = estimate_aucs(outcome == 1, scores)

    assert (estimates.n_cases, estimates.n_controls) == (31, 12)
    assert estimates.auc == pytest.approx([0.7366, 0.7258, 0.6478], abs=5e-5)
    assert estimates.standard_error == pytest.approx([0.0927, 0.1028, 0.1000], abs=5e-5)
    assert estimates.interval() == pytest.approx(
        np.array([[0.5549, 0.9182], [0.5243, 0.9273], [0.4518, 0.8439]]), abs=5e-5
    )
    for model, printed in [
        (0, (0.0108, 0.0953, 0.0127, 0.9102, -0.1761, 0.1976)),
        (2, (-0.0780, 0.1046, 0.5554, 0.4561, -0.2830, 0.1271)),
    ]:
        found = estimates.compare(model, 1)
        chi_squared = found.z**2
        ours = (found.estimate, found.standard_error, chi_squared, found.p_value)
        assert (*ours, *found.interval()) == pytest.approx(printed, abs=5.1e-5)


def test_a_wider_level_gives_a_wider_interval():
    estimates = estimate_aucs([True, True, False, False, True], [3, 1, 2, 0, 5])

    for method in ("wald", "logit"):
        narrow, wide = (estimates.interval(level, method)[0] for level in (0.8, 0.99))
        assert wide[0] < narrow[0] < narrow[1] < wide[1]


@settings(max_examples=25)
@given(studies())
def test_a_logit_interval_stays_between_zero_and_one(study):
    is_case, scores, cluster = study
    estimates = estimate_aucs(is_case, scores, cluster=cluster)

    interval = estimates.interval(0.95, method="logit")

    known = interval[~np.isnan(interval)]
    assert ((known >= 0) & (known <= 1)).all()


def test_a_perfect_model_is_flagged_and_not_taken_for_certain():
    scores = np.array([[3.0, 1.0], [2.0, 4.0], [1.0, 2.0], [0.0, 3.0]])
    estimates = estimate_aucs([True, True, False, False], scores)

    assert estimates.is_at_boundary.tolist() == [True, False]
    assert estimates.interval(method="wald")[0].tolist() == [1, 1]
    # Two independent pairs, both rightly ordered: A squared is at least 0.025.
    assert estimates.n_independent_pairs == 2
    assert estimates.interval(method="logit")[0] == pytest.approx([np.sqrt(0.025), 1.0])
    mirrored = estimate_aucs([True, True, False, False], -scores)
    assert mirrored.interval(method="logit")[0] == pytest.approx(
        [0.0, 1 - np.sqrt(0.025)]
    )


def test_the_exact_bound_covers_where_perfect_separation_is_common():
    # Normal scores, AUC .97, 12 patients of each class, two images each.
    rng = np.random.default_rng(1)
    shift = np.sqrt(2) * norm.ppf(0.97)
    covered = []
    for _ in range(1000):
        means = np.r_[rng.standard_normal(12) + shift, rng.standard_normal(12)]
        scores = np.repeat(means, 2)
        is_case = np.repeat([True, False], 24)
        estimates = estimate_aucs(is_case, scores, cluster=np.repeat(range(24), 2))
        if estimates.is_at_boundary[0]:
            covered.append(estimates.interval(method="logit")[0, 0] < 0.97)

    assert len(covered) > 100
    assert all(covered)


def test_one_mixed_patient_gives_no_bound():
    estimates = estimate_aucs([True, False], [1.0, 0.0], cluster=["a", "a"])

    assert estimates.n_independent_pairs == 0
    assert np.isnan(estimates.interval(method="logit")).all()


def test_two_certain_but_opposite_models_have_no_p_value():
    scores = np.array([[3.0, 0.0], [2.0, 1.0], [1.0, 2.0], [0.0, 3.0]])

    difference = estimate_aucs([True, True, False, False], scores).compare(0, 1)

    assert difference.estimate == 1
    assert np.isnan(difference.p_value)


def test_one_patient_with_all_cases_leaves_the_uncertainty_unknown():
    is_case = np.array([True, True, False, False, False])
    estimates = estimate_aucs(is_case, np.arange(5.0), cluster=list("aabcd"))

    assert estimates.auc[0] == 0
    assert np.isnan(estimates.covariance).all()
    assert np.isnan(estimates.compare(0, 0).standard_error)


def test_a_patient_may_have_images_of_both_classes():
    is_case = np.array([True, False, True, False, True, False])
    scores = np.array([0.9, 0.2, 0.6, 0.7, 0.8, 0.3])
    mixed = estimate_aucs(is_case, scores, cluster=list("aabbcc"))

    assert mixed.n_clusters == 3
    assert mixed.covariance[0, 0] == pytest.approx(
        slow_clustered_covariance(is_case, scores[:, None], np.array(list("aabbcc")))[
            0, 0
        ]
    )


def test_a_table_names_its_models():
    scores = pd.DataFrame({"path_a": [0.1, 0.9, 0.8], "path_b": [0.5, 0.4, 0.7]})
    estimates = estimate_aucs(
        pd.Series([False, True, True]),
        scores,
        cluster=pd.Series(["nih:1", "nih:2", "nih:3"]),
    )

    assert estimates.names == ("path_a", "path_b")
    assert estimates.compare("path_a", "path_b").estimate == pytest.approx(0.5)


def test_an_unknown_model_is_refused():
    estimates = estimate_aucs([True, False], [1.0, 0.0])

    with pytest.raises(ValueError, match=r"'path_z'.*model 1"):
        estimates.compare("model 1", "path_z")


@pytest.mark.parametrize("label", [True, False])
def test_one_class_is_refused(label):
    with pytest.raises(ValueError, match=r"got [02] cases and [02] controls; leave"):
        estimate_aucs([label, label], [0.1, 0.2])


def test_scores_that_are_no_number_are_counted():
    scores = pd.DataFrame(
        {"path_a": [0.1, np.nan, np.inf], "path_b": [0.1, 0.2, np.nan]}
    )

    with pytest.raises(ValueError, match=r"2 of 'path_a', 1 of 'path_b'"):
        estimate_aucs([True, False, True], scores)


def test_labels_that_are_no_booleans_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\) of float64"):
        estimate_aucs([1.0, np.nan, 0.0], [0.1, 0.2, 0.3])


def test_scores_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 1\) for 3 images"):
        estimate_aucs([True, False, True], [0.1, 0.2])


@pytest.mark.parametrize("unknown", [None, np.nan, pd.NA])
def test_an_image_without_a_patient_is_refused(unknown):
    with pytest.raises(ValueError, match="1 of 3 images have no cluster"):
        estimate_aucs([True, False, True], [1, 2, 3], cluster=["a", unknown, "b"])


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_outside_zero_and_one_is_refused(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        estimate_aucs([True, False], [1.0, 0.0]).interval(level)


def test_an_unknown_kind_of_interval_is_refused():
    with pytest.raises(ValueError, match="'bootstrap'"):
        estimate_aucs([True, False], [1.0, 0.0]).interval(method="bootstrap")


def test_few_patients_give_students_quantiles():
    rng = np.random.default_rng(6)
    patients = np.repeat(np.arange(14), 3)
    is_case = patients < 9  # nine patients with cases, five with controls
    scores = rng.standard_normal((42, 2)) + is_case[:, None]
    estimates = estimate_aucs(is_case, scores, cluster=patients)

    cases, controls = (p.covariance[0, 0] for p in estimates.variance_parts)
    freedom = (cases + controls) ** 2 / (cases**2 / 8 + controls**2 / 4)
    margin = student.ppf(0.975, freedom) * estimates.standard_error[0]
    lower, upper = estimates.interval()[0]
    assert cases + controls == pytest.approx(estimates.covariance[0, 0])
    assert (upper - lower) / 2 == pytest.approx(margin)
    difference = estimates.compare(0, 1)
    freedom = difference.degrees_of_freedom
    assert 4 <= freedom <= 12
    assert difference.p_value == pytest.approx(
        2 * student.sf(abs(difference.z), freedom)
    )
    assert difference.interval()[1] - difference.estimate == pytest.approx(
        student.ppf(0.975, freedom) * difference.standard_error
    )


@given(studies())
def test_one_image_per_patient_is_delongs_normal_approximation(study):
    is_case, scores, _ = study
    clustered = estimate_aucs(is_case, scores, cluster=np.arange(len(is_case)))
    plain = estimate_aucs(is_case, scores)

    assert clustered.interval() == pytest.approx(plain.interval(), nan_ok=True)
    assert clustered.compare(0, 1).p_value == pytest.approx(
        plain.compare(0, 1).p_value, nan_ok=True
    )


def test_non_inferiority_is_the_one_sided_test_of_the_shifted_difference():
    rng = np.random.default_rng(6)
    patients = np.repeat(np.arange(14), 3)
    is_case = patients < 9
    scores = rng.standard_normal((42, 2)) + is_case[:, None]
    difference = estimate_aucs(is_case, scores, cluster=patients).compare(0, 1)

    p_value = difference.non_inferiority_p_value(0.1)

    excess = (difference.estimate + 0.1) / difference.standard_error
    assert p_value == pytest.approx(student.sf(excess, difference.degrees_of_freedom))
    # It is 0.025 where the lower end of the 95 % interval is the margin.
    margin = -difference.interval()[0]
    assert difference.non_inferiority_p_value(margin) == pytest.approx(0.025)


def test_models_that_rank_alike_are_not_inferior_and_opposite_ones_unknown():
    scores = np.array([[3.0, 6.0, 0.0], [2, 4, 1], [1, 2, 2], [0, 0, 3]])
    estimates = estimate_aucs([True, True, False, False], scores)

    assert estimates.compare(0, 1).non_inferiority_p_value(0.05) == 0
    assert np.isnan(estimates.compare(0, 2).non_inferiority_p_value(0.05))


@pytest.mark.parametrize("margin", [0, -0.05, 1, 5])
def test_a_margin_that_is_none_is_refused(margin):
    estimates = estimate_aucs([True, False], [1.0, 0.0])

    with pytest.raises(ValueError, match="margin lies between 0 and 1"):
        estimates.compare(0, 0).non_inferiority_p_value(margin)


NO_VARIANCE = {
    # Labels, scores and patients whose placements are alike, or cancel in each patient.
    "constant": (np.arange(20) < 8, np.ones(20), None),
    "constant by patient": (np.arange(20) < 8, np.ones(20), np.arange(20) // 2),
    "cancelling": (
        np.tile([True, True, True, False], 6),
        np.tile([0.0, 2.0, 2.0, 1.0], 6),
        np.repeat(np.arange(6), 4),
    ),
    "cancelling, of other sizes": (
        np.tile([True] * 7 + [False] * 3, 5),
        np.tile([0.0, 2, 2, 2, 0, 2, 2, 1, 1, 1], 5),
        np.repeat(np.arange(5), 10),
    ),
}


@pytest.mark.parametrize("method", ["wald", "logit"])
@pytest.mark.parametrize("kind", NO_VARIANCE)
def test_an_auc_without_variance_has_no_interval_of_no_width(kind, method):
    is_case, score, cluster = NO_VARIANCE[kind]

    estimates = estimate_aucs(is_case, score, cluster=cluster)

    assert 0 < estimates.auc[0] < 1
    assert np.isnan(estimates.interval(method=method)).all()


@pytest.mark.parametrize("second", ["constant", "perfect", "reversed", "itself"])
def test_a_difference_without_variance_has_no_interval_of_no_width(second):
    is_case = np.arange(12) < 6
    others = {
        "constant": np.ones(12),
        "perfect": is_case * 2.0,
        "reversed": -1.0 * is_case,
        "itself": is_case * 1.0,
    }
    scores = np.stack([is_case * 1.0, others[second]], axis=1)

    difference = estimate_aucs(is_case, scores).compare(0, 1)

    assert np.isnan(difference.interval()).all()
    assert difference.p_value == 1 or np.isnan(difference.p_value)
    with pytest.raises(ValueError, match="got 95"):
        difference.interval(95)


def test_a_single_pair_in_the_wrong_order_leaves_a_variance():
    n = 100_000
    is_case = np.repeat([False, True], n)
    score = np.arange(2.0 * n)
    score[[n - 1, n]] = score[[n, n - 1]]

    lower, upper = estimate_aucs(is_case, score).interval(method="logit")[0]

    assert lower < 1 - 1 / n**2 < upper


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        ([0, 1, 1, 2, 0], [0, 1, 1, 2, 0]),
        ([1, 0, 0, 2, 1], [0, 1, 1, 2, 0]),
        ([0, 2, 2, 1, 0], [0, 1, 1, 2, 0]),
        ([0, -1, -1, 1, 0], [0, 1, 1, 2, 0]),
        ([7, 7, 7, 7, 7], [0, 0, 0, 0, 0]),
    ],
)
def test_patients_are_numbered_in_order_of_appearance(cluster, expected):
    for kind in (np.array, np.float64, list):
        assert as_codes(kind(cluster), 5).tolist() == expected


def test_numbers_of_patients_must_be_as_many_as_images_too():
    with pytest.raises(ValueError, match="3 clusters were named for 4 images"):
        as_codes(np.array([0, 1, 2]), 4)
