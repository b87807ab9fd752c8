"""Margins: the two one-sided tests say what the interval says."""

import numpy as np
import pytest
from scipy.stats import t as student
from statsmodels.stats.weightstats import DescrStatsW

from covid_cxr.statistics.auc import AucDifference
from covid_cxr.statistics.margins import compare_with_margin


def a_difference(estimate, error=0.02, freedom=30):
    return AucDifference(
        estimate=estimate, standard_error=error, degrees_of_freedom=freedom
    )


def test_the_p_values_are_by_hand():
    found = compare_with_margin(a_difference(-0.01), 0.05)

    assert found.p_first == pytest.approx(student.sf(0.04 / 0.02, 30))
    assert found.p_second == pytest.approx(student.sf(0.06 / 0.02, 30))
    assert found.p_equivalent == found.p_first


def test_equivalence_is_that_of_statsmodels():
    values = np.random.default_rng(1).normal(0.02, 0.3, 50)
    of_means = DescrStatsW(values)

    found = compare_with_margin(
        a_difference(values.mean(), error=of_means.std_mean, freedom=49), 0.1
    )

    p_value, lower, upper = of_means.ttost_mean(-0.1, 0.1)
    assert found.p_equivalent == pytest.approx(p_value)
    assert (found.p_first, found.p_second) == pytest.approx((lower[1], upper[1]))


@pytest.mark.parametrize("seed", range(40))
def test_the_verdict_is_what_the_interval_shows(seed):
    rng = np.random.default_rng(seed)
    one = a_difference(rng.normal(0, 0.05), error=rng.uniform(0.005, 0.04))
    lower, upper = one.interval(0.95)
    expected = {
        (True, True): "equivalent",
        (True, False): "first not inferior",
        (False, True): "second not inferior",
        (False, False): "not shown",
    }[lower > -0.05, upper < 0.05]

    assert compare_with_margin(one, 0.05).verdict(0.05) == expected


@pytest.mark.parametrize("error", [np.nan, 0.0])
def test_without_an_error_nothing_is_said(error):
    found = compare_with_margin(a_difference(0.0, error=error), 0.05)

    assert found.verdict(0.05) == "unknown"


def test_no_significance_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1, as in 0\.05, got 5"):
        compare_with_margin(a_difference(0.0), 0.05).verdict(5)
