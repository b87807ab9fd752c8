"""A reference that errs: by hand, a perfect one, and simulated truth."""

import numpy as np
import pytest
from scipy.optimize import linprog

from covid_cxr.statistics.imperfect_reference import Reference, correct_for_reference

REFERENCE = Reference(sensitivity=0.8, specificity=0.98)


def simulate(rng, n_patients=300):
    """Return the reference's and the classifier's calls, and patients; both err."""
    patients = np.repeat(np.arange(n_patients), 2)
    truth = (rng.random(n_patients) < 0.4)[patients]
    own = rng.standard_normal(n_patients)[patients]
    score = 1.6832 * truth + 0.6 * own + 0.8 * rng.standard_normal(len(patients))
    chance = np.where(truth, 0.8, 0.02)
    reference = (rng.random(n_patients) < chance[::2])[patients]
    return reference, score >= 0.8416, patients  # 0.8 of either are called rightly


def test_a_table_by_hand():
    # Truly 500 of 1000 diseased; the reference finds 0.8 of them and 0.1 of the others,
    # the classifier 0.9 and 0.2, independently.
    counts = {
        (True, True): 500 * 0.8 * 0.9 + 500 * 0.1 * 0.2,
        (True, False): 500 * 0.8 * 0.1 + 500 * 0.1 * 0.8,
        (False, True): 500 * 0.2 * 0.9 + 500 * 0.9 * 0.2,
        (False, False): 500 * 0.2 * 0.1 + 500 * 0.9 * 0.8,
    }
    rows = [pair for pair, n in counts.items() for _ in range(round(n))]
    is_case, is_called = np.array(rows).T

    found = correct_for_reference(
        is_case,
        is_called,
        reference=Reference(sensitivity=0.8, specificity=0.9),
        cluster=None,
    )

    assert found.prevalence == pytest.approx(0.5)
    assert found.sensitivity.estimate == pytest.approx(0.9)
    assert found.specificity.estimate == pytest.approx(0.8)
    # Of 370 called positives at least 320 are diseased and at most all; of 180 called
    # negatives at least none and at most 100.
    assert found.sensitivity_bounds == pytest.approx((320 / 500, 470 / 500))


@pytest.mark.parametrize("share_called", [(0.9, 0.1), (0.3, 0.9), (0.95, 0.97)])
def test_the_bounds_are_those_of_a_linear_program(share_called):
    rng = np.random.default_rng(4)
    is_case = np.arange(1000) < 400
    is_called = rng.random(1000) < np.where(is_case, *share_called)
    reference = Reference(sensitivity=0.7, specificity=0.9)

    found = correct_for_reference(is_case, is_called, reference=reference, cluster=None)

    # How many of the called and of the other positives, then negatives, are diseased.
    called = [is_called[kind].mean() * kind.mean() for kind in (is_case, ~is_case)]
    cells = [(called[0], 0.4 - called[0]), (called[1], 0.6 - called[1])]
    diseased = (0.4 + 0.9 - 1) / (0.7 + 0.9 - 1)
    for sign, bound in zip((1, -1), found.sensitivity_bounds, strict=True):
        solved = linprog(
            [sign, 0, sign, 0],
            A_eq=[[1, 1, 0, 0], [0, 0, 1, 1]],
            b_eq=[0.7 * diseased, 0.3 * diseased],
            bounds=[(0, most) for pair in cells for most in pair],
        )
        assert bound == pytest.approx(sign * solved.fun / diseased)


def test_a_perfect_reference_changes_nothing():
    is_case, is_called, patients = simulate(np.random.default_rng(1))

    found = correct_for_reference(
        is_case,
        is_called,
        reference=Reference(sensitivity=1, specificity=1),
        cluster=patients,
    )

    assert found.sensitivity.estimate == pytest.approx(is_called[is_case].mean())
    assert found.specificity.estimate == pytest.approx((~is_called[~is_case]).mean())
    assert found.sensitivity_bounds == pytest.approx((is_called[is_case].mean(),) * 2)


def test_the_truth_is_found_and_its_interval_holds():
    rng = np.random.default_rng(2)
    estimates, held, within = [], [], []
    for _ in range(400):
        is_case, is_called, patients = simulate(rng)
        found = correct_for_reference(
            is_case, is_called, reference=REFERENCE, cluster=patients
        )
        estimates.append((found.sensitivity.estimate, found.specificity.estimate))
        intervals = found.sensitivity.interval(), found.specificity.interval()
        held.append([low <= 0.8 <= high for low, high in intervals])
        low, high = found.specificity_bounds
        within.append(low <= found.specificity.estimate <= high)

    assert np.mean(estimates, axis=0) == pytest.approx([0.8, 0.8], abs=0.005)
    assert np.mean(held, axis=0) == pytest.approx([0.95, 0.95], abs=0.03)
    assert all(within)


def test_what_does_not_agree_is_refused():
    is_case, is_called, patients = simulate(np.random.default_rng(3))

    with pytest.raises(ValueError, match="together more than 1"):
        Reference(sensitivity=0.4, specificity=0.5)
    with pytest.raises(ValueError, match="does not agree with its sensitivity"):
        correct_for_reference(
            np.arange(600) < 3, is_called, reference=REFERENCE, cluster=patients
        )
    with pytest.raises(ValueError, match="2 calls were given for 600"):
        correct_for_reference(
            is_case, is_called[:2], reference=REFERENCE, cluster=patients
        )
