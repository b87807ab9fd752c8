"""AUCs where labels are missing: by hand, a slow oracle, simulation, and refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, rankdata

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.missing_labels import estimate_aucs_with_missing_labels


def test_two_scores_by_hand():
    """The high score: 6 of 8 have a label, 5 cases; the low one: 4 of 12, 1 case.

    By hand: 8 high ones with 20/3 cases and 4/3 controls, 12 low ones with 3 and 9.
    AUC = (20/3 * 9 + (20/3 * 4/3 + 3 * 9) / 2) / (29/3 * 31/3).
    """
    score = np.repeat([1.0, 0.0], [8, 12])
    labelled = np.zeros(20, dtype=bool)
    labelled[[0, 1, 2, 3, 4, 5, 8, 9, 10, 11]] = True
    case = np.zeros(20, dtype=bool)
    case[[0, 1, 2, 3, 4, 8, 19]] = True  # the last has no label, and does not count

    pairs = 20 / 3 * 9 + (20 / 3 * 4 / 3 + 3 * 9) / 2
    found = estimate_aucs_with_missing_labels(
        np.tile(case, 3), np.tile(labelled, 3), np.tile(score, 3), cluster=None
    )

    assert found.estimates.auc[0] == pytest.approx(pairs / (29 / 3 * 31 / 3))
    assert found.largest_weight == pytest.approx(3)
    assert (found.estimates.n_cases, found.estimates.n_controls) == (18, 12)


def simulate(rng, n_patients, *, shift=1.5):
    """Return labels, which are known more often of high scores, scores and patients."""
    patient = np.repeat(np.arange(n_patients), rng.integers(1, 4, n_patients))
    case = (rng.random(n_patients) < 0.45)[patient]
    own = rng.standard_normal(n_patients)[patient]
    noise = rng.standard_normal((len(patient), 2))
    scores = shift * case[:, None] + 0.7 * own[:, None] + 0.7 * noise
    chance = 0.1 + 0.85 / (1 + np.exp(1 - scores.mean(axis=1)))
    return case, rng.random(len(patient)) < chance, scores, patient


def slow_auc(weights, case, labelled, scores, strata):
    """Return the weighted AUC by a loop over strata, and all pairs."""
    w = np.zeros(len(case))
    for stratum in set(strata):
        own = strata == stratum
        share = (weights * labelled)[own].sum() / weights[own].sum()
        w[own & labelled] = weights[own & labelled] / share
    won = (scores[:, None] > scores) + 0.5 * (scores[:, None] == scores)
    pairs = np.outer(w * case, w * ~case)
    return (won * pairs).sum() / pairs.sum()


def slow_strata(scores, n_strata):
    rank = rankdata(scores, axis=0).mean(axis=1)
    return pd.qcut(rank, n_strata, labels=False)


@pytest.mark.parametrize("seed", range(4))
def test_images_of_equal_mean_ranks_are_of_one_stratum(seed):
    """Coarse scores: many images have one mean of ranks, by other ranks each."""
    case, labelled, scores, _ = simulate(np.random.default_rng(seed), 150)
    coarse = np.round(scores, 1)

    found = estimate_aucs_with_missing_labels(case, labelled, coarse, cluster=None)

    strata = slow_strata(coarse, labelled.sum() // 30)
    for one, auc in zip(coarse.T, found.estimates.auc, strict=True):
        expected = slow_auc(np.ones(len(case)), case, labelled, one, strata)
        assert auc == pytest.approx(expected, rel=1e-12)


def test_the_error_is_that_of_a_numerical_derivative_of_the_whole_estimator():
    """Each patient's weight a little up and down, the shares of labelled anew."""
    case, labelled, scores, patient = simulate(np.random.default_rng(1), 120)
    found = estimate_aucs_with_missing_labels(case, labelled, scores, cluster=patient)
    n_patients, step = patient.max() + 1, 1e-4
    strata = slow_strata(scores, found.n_strata)

    assert found.n_strata == labelled.sum() // 30 > 2
    derivatives = np.empty((2, n_patients))
    for k, one in enumerate(scores.T):
        whole = slow_auc(np.ones(len(case)), case, labelled, one, strata)
        assert found.estimates.auc[k] == pytest.approx(whole, rel=1e-12)
        for p in range(n_patients):
            moved = [
                slow_auc(1 + sign * step * (patient == p), case, labelled, one, strata)
                for sign in (1, -1)
            ]
            derivatives[k, p] = (moved[0] - moved[1]) / (2 * step)
    # Without the factors I / (I - 1) of each class and of what both have in common.
    parts = found.estimates.variance_parts
    apart = sum(one.covariance for one in parts)
    freedoms = [len(set(patient[labelled & own])) - 1 for own in (case, ~case)]
    plain = (found.estimates.covariance - apart) * (n_patients - 1) / n_patients + sum(
        one.covariance * freedom / (freedom + 1)
        for one, freedom in zip(parts, freedoms, strict=True)
    )
    assert plain == pytest.approx(derivatives @ derivatives.T, rel=1e-4)


def test_where_all_have_a_label_it_is_the_auc():
    case, _, scores, patient = simulate(np.random.default_rng(2), 60)

    found = estimate_aucs_with_missing_labels(
        case, np.ones_like(case), scores, cluster=patient
    )
    plain = estimate_aucs(case, scores, cluster=patient)

    assert found.estimates.auc == pytest.approx(plain.auc)
    assert found.estimates.covariance == pytest.approx(plain.covariance)
    assert found.largest_weight == 1


def test_names_and_the_paired_test_are_those_of_any_aucs():
    case, labelled, scores, patient = simulate(np.random.default_rng(3), 80)
    table = pd.DataFrame(scores, columns=["a", "b"])

    found = estimate_aucs_with_missing_labels(case, labelled, table, cluster=patient)

    difference = found.estimates.compare("a", "b")
    assert difference.estimate == pytest.approx(
        found.estimates.auc[0] - found.estimates.auc[1]
    )
    assert 0 < difference.p_value < 1


def test_the_interval_holds_the_auc_of_all_and_that_of_the_labelled_does_not():
    rng = np.random.default_rng(4)
    truth = norm.cdf(1.5 / np.sqrt(2 * 0.98))
    held, of_labelled = [], []
    for _ in range(300):
        case, labelled, scores, patient = simulate(rng, 150)
        labelled &= rng.random(len(case)) < np.where(scores[:, 0] > 0.3, 1, 0.5)
        own = scores[:, 0]
        found = estimate_aucs_with_missing_labels(case, labelled, own, cluster=patient)
        alone = estimate_aucs(case[labelled], own[labelled], cluster=patient[labelled])
        for one, kept in ((found.estimates, held), (alone, of_labelled)):
            low, high = one.interval(0.95, "logit")[0]
            kept.append(low <= truth <= high)

    assert np.mean(held) == pytest.approx(0.95, abs=0.035)
    assert np.mean(of_labelled) < 0.88


def test_weights_that_explode_are_refused():
    case, labelled, scores, patient = simulate(np.random.default_rng(5), 80)
    own = scores[:, 0]

    def weigh(labelled):
        return estimate_aucs_with_missing_labels(case, labelled, own, cluster=patient)

    with pytest.raises(ValueError, match=r"images with similar scores 0 .*of 2 from"):
        weigh(own > np.quantile(own, 0.8))
    few = np.flatnonzero(case)[:3]
    with pytest.raises(ValueError, match=r"cases or controls are worth .* patients"):
        weigh(labelled & ~case | np.isin(np.arange(len(case)), few))
    with pytest.raises(ValueError, match="expected one of each per image"):
        weigh(labelled[1:])
    with pytest.raises(ValueError, match="needs cases and controls"):
        weigh(labelled & case)
