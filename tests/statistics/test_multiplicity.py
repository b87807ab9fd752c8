"""Adjusted p values."""

import numpy as np
import pytest
from scipy.stats import norm

from covid_cxr.statistics.multiplicity import (
    benjamini_hochberg,
    bonferroni,
    holm,
    max_t,
)


def test_every_p_value_is_multiplied_by_their_number():
    assert bonferroni([0.01, 0.02, 0.5]) == pytest.approx([0.03, 0.06, 1.0])


def test_a_test_that_could_not_be_done_still_counts():
    adjusted = bonferroni([0.01, np.nan])

    assert adjusted[0] == pytest.approx(0.02)
    assert np.isnan(adjusted[1])


def test_what_is_no_p_value_is_refused():
    with pytest.raises(ValueError, match=r"got 1\.5"):
        bonferroni([0.1, 1.5])


def test_holm_by_hand():
    # Sorted .01, .02, .03: times 3, 2, 1, and never below an earlier one.
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


def test_benjamini_hochberg_by_hand():
    # Sorted .01, .02, .9: times 3/1, 3/2, 3/3, and never above a later one.
    assert benjamini_hochberg([0.9, 0.02, 0.01]) == pytest.approx([0.9, 0.03, 0.03])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_an_undone_test_counts_as_the_last_of_the_family(adjust):
    adjusted = adjust([0.01, np.nan, 0.5])

    assert adjusted[0] == pytest.approx(0.03)
    assert np.isnan(adjusted[1])


def test_independent_tests_have_sidaks_p_values():
    z = np.array([2.5, 1.0, 0.2])

    simulated = max_t(z, np.eye(3), seed=1)

    # Step-down: the largest among three, then among two, then alone.
    single = 2 * norm.sf(z)
    expected = 1 - (1 - single) ** np.array([3, 2, 1])
    error = 4 * simulated.monte_carlo_error
    assert (np.abs(simulated.p_value - expected) < error).all()
    binomial = np.sqrt(expected * (1 - expected) / 200_000)
    assert simulated.monte_carlo_error == pytest.approx(binomial, rel=0.02)


def test_no_test_is_adjusted_to_less_than_one_with_a_larger_statistic():
    larger, smaller = max_t([2.0, 1.99], np.eye(2), seed=1).p_value

    # The second alone would have 0.047, but the first is not rejected at 0.09.
    assert larger == pytest.approx(1 - (1 - 2 * norm.sf(2.0)) ** 2, abs=0.003)
    assert smaller == larger


def test_tests_that_are_one_test_need_no_adjustment():
    z = np.array([2.0, -2.0])
    together = np.array([[1.0, -1.0], [-1.0, 1.0]])

    simulated = max_t(z, together, seed=1)

    assert simulated.p_value == pytest.approx(2 * norm.sf(2.0), abs=0.002)


def test_max_t_keeps_the_family_wise_error_and_beats_bonferroni():
    # All pairs of four alike models: six tests of rank three.
    rng = np.random.default_rng(7)
    models = np.eye(4)
    contrasts = np.array([models[i] - models[j] for i in range(4) for j in range(i)])
    correlation = contrasts @ contrasts.T / 2
    families = rng.standard_normal((1000, 4)) @ contrasts.T / np.sqrt(2)

    simulated = [max_t(z, correlation, seed=3, n_draws=5000) for z in families]
    rejects = np.mean([result.p_value.min() <= 0.05 for result in simulated])
    bonferroni_rejects = np.mean(
        [bonferroni(2 * norm.sf(abs(z))).min() <= 0.05 for z in families]
    )

    assert 0.05 - 0.022 < rejects < 0.05 + 0.022  # three standard errors
    assert bonferroni_rejects < rejects


def test_an_undone_test_leaves_the_others_to_themselves():
    correlation = np.array([[1.0, np.nan], [np.nan, np.nan]])

    simulated = max_t([1.96, np.nan], correlation, seed=1)

    assert simulated.p_value[0] == pytest.approx(0.05, abs=0.002)
    assert np.isnan(simulated.p_value[1])


@pytest.mark.parametrize(
    ("correlation", "message"),
    [
        (np.eye(3), r"shape \(3, 3\) for 2 tests"),
        ([[1.0, 2.0], [2.0, 1.0]], "no negative eigenvalue"),
        ([[2.0, 0.0], [0.0, 1.0]], "ones on its diagonal"),
    ],
)
def test_what_is_no_correlation_of_the_tests_is_refused(correlation, message):
    with pytest.raises(ValueError, match=message):
        max_t([1.0, 2.0], correlation, seed=1)
