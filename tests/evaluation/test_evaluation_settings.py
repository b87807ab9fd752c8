"""Settings that are refused."""

from dataclasses import replace

import pytest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_sensitivity": 90}, "target_sensitivity must lie between 0 and 1"),
        ({"prevalences": [0.1, 1.0]}, r"prevalences\[1\]"),
        ({"calibration_bins": 0}, "calibration_bins must be a whole number"),
        ({"bootstrap_replicates": True}, "bootstrap_replicates"),
        ({"age_edges": [60, 40]}, "age_edges must rise"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(evaluation, change, message):
    with pytest.raises(ValueError, match=message):
        replace(evaluation, **change)
