"""Planning, and the smallest detectable difference."""

import numpy as np
import pytest

from covid_cxr.statistics.power import (
    PlannedTestSet,
    power_to_detect,
    smallest_detectable_difference,
)


@pytest.mark.parametrize(
    ("auc", "standard_error"),
    # Their formula worked out for 165 cases and 53 controls, to four places.
    [(0.849, 0.0261), (0.857, 0.0253), (0.757, 0.0342)],
)
def test_the_standard_error_of_hanley_and_mcneil(auc, standard_error):
    planned = PlannedTestSet(n_cases=165, n_controls=53)

    assert planned.standard_error(auc) == pytest.approx(standard_error, abs=5e-5)


def test_images_of_one_patient_count_less():
    alone = PlannedTestSet(n_cases=165, n_controls=53)
    together = PlannedTestSet(
        n_cases=165,
        n_controls=53,
        images_per_patient=2.3,
        within_patient_correlation=0.5,
    )

    assert together.design_effect == pytest.approx(1.65)
    assert together.standard_error(0.8) == pytest.approx(
        np.sqrt(1.65) * alone.standard_error(0.8)
    )


def test_the_difference_of_independent_models_has_both_variances():
    planned = PlannedTestSet(n_cases=100, n_controls=100)

    assert planned.standard_error_of_difference(0.8, 0.0) == pytest.approx(
        np.sqrt(2) * planned.standard_error(0.8)
    )
    assert planned.standard_error_of_difference(0.8, 0.75) == pytest.approx(
        np.sqrt(0.5) * planned.standard_error(0.8)
    )


def test_the_smallest_detectable_difference_is_detected_with_that_power():
    smallest = smallest_detectable_difference(0.03, significance=0.05, power=0.8)

    assert smallest == pytest.approx(0.03 * (1.959964 + 0.841621), rel=1e-6)
    assert power_to_detect(smallest, 0.03) == pytest.approx(0.8, abs=1e-4)


def test_no_difference_is_found_as_often_as_chance_allows():
    assert power_to_detect(0.0, 0.03) == pytest.approx(0.05)


def test_power_is_that_of_simulated_tests():
    rng = np.random.default_rng(1)
    z = rng.normal(0.06 / 0.03, 1, 40_000)

    assert power_to_detect(0.06, 0.03) == pytest.approx(
        (abs(z) > 1.959964).mean(), abs=0.01
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_cases": 1, "n_controls": 5}, "got 1, 5"),
        (
            {"n_cases": 5, "n_controls": 5, "within_patient_correlation": 2},
            "got 2",
        ),
    ],
)
def test_what_is_no_test_set_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PlannedTestSet(**settings)


def test_a_power_beyond_one_is_refused():
    with pytest.raises(ValueError, match="power must lie"):
        smallest_detectable_difference(0.03, power=80)


@pytest.mark.parametrize("unknown", [0.0, np.nan])
def test_without_a_standard_error_nothing_is_known_to_be_detectable(unknown):
    assert np.isnan(smallest_detectable_difference(unknown))
