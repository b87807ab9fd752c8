"""Cramér's V with its bias correction."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from covid_cxr.statistics.association import cramers_v


def expand(counts):
    """Return two attributes with the given table of counts."""
    first, second = np.indices(np.shape(counts)).reshape(2, -1)
    times = np.ravel(counts)
    return pd.Series(first.repeat(times)), pd.Series(second.repeat(times))


def test_v_follows_the_formula_by_hand():
    # chi2 / n = ((30 * 30 - 20 * 20) / (50 * 50))^2 = 0.04, and n = 100
    expected = np.sqrt((0.04 - 1 / 99) / (1 - 1 / 99))

    assert cramers_v(*expand([[30, 20], [20, 30]])) == pytest.approx(expected)


def test_v_is_that_of_scipy_but_for_the_correction():
    counts = np.random.default_rng(1).integers(1, 50, (4, 3))
    n = counts.sum()
    phi2 = association(counts, method="cramer") ** 2 * 2
    corrected = (phi2 - 3 * 2 / (n - 1)) / (3 - 2**2 / (n - 1) - 1)

    assert cramers_v(*expand(counts)) == pytest.approx(np.sqrt(corrected))


def test_an_attribute_that_tells_another_has_v_one():
    assert cramers_v(*expand([[7, 0], [0, 5]])) == pytest.approx(1.0)


def test_many_levels_without_association_have_a_v_of_about_zero():
    """Uncorrected, V is 0.3 here by the number of levels alone."""
    rng = np.random.default_rng(2)
    found = [
        cramers_v(
            pd.Series(rng.integers(0, 20, 200)), pd.Series(rng.integers(0, 2, 200))
        )
        for _ in range(50)
    ]

    assert np.mean(found) < 0.12


def test_one_level_only_has_no_v():
    assert np.isnan(cramers_v(pd.Series(["a"] * 4), pd.Series([0, 1, 0, 1])))


def test_missing_values_are_refused_not_dropped():
    with pytest.raises(ValueError, match="view or None has missing values"):
        cramers_v(pd.Series(["PA", None], name="view"), pd.Series([0, 1]))


def test_attributes_of_other_radiographs_are_refused():
    with pytest.raises(ValueError, match="3 and 2 values"):
        cramers_v(pd.Series([1, 2, 3]), pd.Series([0, 1]))
