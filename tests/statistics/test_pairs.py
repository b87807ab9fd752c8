"""All pairs of models, as one family."""

import numpy as np
import pytest

from covid_cxr.statistics.auc import AucEstimates, estimate_aucs
from covid_cxr.statistics.pairs import compare_all_pairs


@pytest.fixture
def estimates():
    rng = np.random.default_rng(4)
    is_case = rng.random(120) < 0.6
    signal = is_case + rng.standard_normal(120)
    noise = rng.standard_normal((120, 4)) * [0.2, 1, 2, 4]
    return estimate_aucs(
        is_case, signal[:, None] + noise, cluster=rng.integers(0, 50, 120)
    )


def test_every_pair_is_compared_once_and_in_order(estimates):
    comparisons = compare_all_pairs(estimates)

    assert comparisons.pairs[:3] == tuple(("model 1", f"model {k}") for k in (2, 3, 4))
    assert len(comparisons.pairs) == 6
    for (first, second), difference in zip(
        comparisons.pairs, comparisons.differences, strict=True
    ):
        assert difference == estimates.compare(first, second)


def test_the_correlation_is_that_of_the_differences(estimates):
    comparisons = compare_all_pairs(estimates)
    draws = np.random.default_rng(1).multivariate_normal(
        estimates.auc, estimates.covariance, size=40_000
    )
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]

    simulated = np.corrcoef([draws[:, i] - draws[:, j] for i, j in pairs])

    assert comparisons.correlation == pytest.approx(simulated, abs=0.03)


def test_each_adjustment_is_less_conservative_than_bonferroni(estimates):
    comparisons = compare_all_pairs(estimates)
    simulated = comparisons.max_t(seed=1)
    slack = 4 * simulated.monte_carlo_error

    rounding = 1e-12
    assert (comparisons.holm <= comparisons.bonferroni + rounding).all()
    assert (comparisons.benjamini_hochberg <= comparisons.holm + rounding).all()
    assert (simulated.p_value <= comparisons.holm + slack).all()
    assert (simulated.p_value >= comparisons.p_value - slack).all()


def test_models_that_rank_alike_stay_at_one():
    rng = np.random.default_rng(2)
    is_case = np.arange(60) % 2 == 0
    score = rng.standard_normal(60) + 3 * is_case
    other = rng.standard_normal(60)
    scores = np.stack([score, 2 * score, other], axis=1)

    comparisons = compare_all_pairs(estimate_aucs(is_case, scores))

    assert comparisons.max_t(seed=1).p_value[0] == 1
    assert comparisons.max_t(seed=1).p_value[1] < 0.05


def test_without_a_variance_nothing_is_claimed():
    estimates = AucEstimates(
        names=("a", "b"),
        auc=np.array([0.9, 0.8]),
        covariance=np.full((2, 2), np.nan),
        n_cases=1,
        n_controls=5,
        n_clusters=6,
    )

    comparisons = compare_all_pairs(estimates)

    assert np.isnan(comparisons.max_t(seed=1).p_value).all()
    assert np.isnan(comparisons.holm).all()


def test_with_few_patients_no_adjusted_p_value_is_below_its_own():
    # Student's p values: normal quantiles of the statistics would be smaller.
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(12), 4)
    is_case = patients < 6
    scores = rng.standard_normal((48, 2)) + 3 * is_case[:, None] * [1, 0]
    comparisons = compare_all_pairs(estimate_aucs(is_case, scores, cluster=patients))

    simulated = comparisons.max_t(seed=1)

    (difference,) = comparisons.differences
    assert difference.degrees_of_freedom < 11
    assert simulated.p_value[0] == pytest.approx(
        difference.p_value, abs=4 * simulated.monte_carlo_error[0]
    )
