"""Adjusted p values."""

import numpy as np
import pytest

from covid_cxr.statistics.multiplicity import bonferroni


def test_every_p_value_is_multiplied_by_their_number():
    assert bonferroni([0.01, 0.02, 0.5]) == pytest.approx([0.03, 0.06, 1.0])


def test_a_test_that_could_not_be_done_still_counts():
    adjusted = bonferroni([0.01, np.nan])

    assert adjusted[0] == pytest.approx(0.02)
    assert np.isnan(adjusted[1])


def test_what_is_no_p_value_is_refused():
    with pytest.raises(ValueError, match=r"got 1\.5"):
        bonferroni([0.1, 1.5])
