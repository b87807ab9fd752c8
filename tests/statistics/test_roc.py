"""ROC curves and operating points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.roc import trace_roc


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 1000]))
def test_the_area_under_the_curve_is_the_auc(seed, n_levels):
    rng = np.random.default_rng(seed)
    is_case = np.append(rng.random(30) < 0.4, [True, False])
    scores = rng.integers(0, n_levels, 32) + 0.5 * is_case
    curve = trace_roc(is_case, scores)

    area = np.trapezoid(curve.sensitivity, curve.false_positive_rate)

    assert area == pytest.approx(estimate_aucs(is_case, scores).auc[0])


@given(st.integers(0, 2**32 - 1))
def test_points_and_corners_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    is_case = np.append(rng.random(30) < 0.4, [True, False])
    scores = rng.integers(0, 10, 32).astype(float)
    curve = trace_roc(is_case, scores)

    rate, sensitivity, thresholds = roc_curve(is_case, scores, drop_intermediate=False)
    assert curve.thresholds.tolist() == thresholds.tolist()
    assert curve.false_positive_rate == pytest.approx(rate)
    assert curve.sensitivity == pytest.approx(sensitivity)
    corners = curve.corners
    assert set(corners.thresholds) <= set(thresholds)
    # Drawn through the corners alone, it passes through every point.
    way = rate + sensitivity
    drawn = np.interp(
        way, corners.false_positive_rate + corners.sensitivity, corners.sensitivity
    )
    assert drawn == pytest.approx(sensitivity)


def test_a_curve_by_hand():
    curve = trace_roc([True, True, False, True, False], [0.9, 0.8, 0.7, 0.6, 0.1])

    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6, 0.1]
    assert curve.sensitivity == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert curve.false_positive_rate.tolist() == [0, 0, 0, 0.5, 0.5, 1]
    assert curve.corners.thresholds.tolist() == [np.inf, 0.8, 0.7, 0.6, 0.1]


def test_equal_scores_make_one_slanted_step():
    curve = trace_roc([True, False, True, False], [1.0, 1.0, 1.0, 1.0])

    assert curve.sensitivity.tolist() == [0, 1]
    assert curve.false_positive_rate.tolist() == [0, 1]


def test_youdens_threshold_maximises_sensitivity_plus_specificity():
    curve = trace_roc([True, True, False, True, False], [0.9, 0.8, 0.7, 0.6, 0.1])

    assert curve.youden_threshold() == 0.8  # 2/3 + 1 beats 1 + 1/2


def test_of_equally_good_thresholds_the_most_sensitive_is_taken():
    curve = trace_roc([True, False, True, False], [4.0, 3.0, 2.0, 1.0])

    assert curve.youden_threshold() == 2.0  # 1 + 1/2, as 1/2 + 1 from 4 on


def slow_youden(is_case, score):
    """Return the threshold by trying all of them."""
    best, best_index = None, -np.inf
    for threshold in sorted(set(score)):
        called = score >= threshold
        index = called[is_case].mean() + (~called[~is_case]).mean()
        if index > best_index + 1e-12:
            best, best_index = threshold, index
    return best


def test_youdens_threshold_follows_the_definition():
    rng = np.random.default_rng(2)
    for _ in range(30):
        is_case = rng.random(25) < 0.4
        score = np.round(rng.random(25) + 0.3 * is_case, 1)

        if 0 < is_case.sum() < 25:
            threshold = trace_roc(is_case, score).youden_threshold()
            assert threshold == slow_youden(is_case, score)


def test_a_curve_without_controls_is_refused():
    with pytest.raises(ValueError, match="0 controls"):
        trace_roc([True, True], [0.1, 0.2])


def test_the_threshold_of_a_target_sensitivity_is_the_highest_that_reaches_it():
    curve = trace_roc([True, True, False, True, False], [0.9, 0.8, 0.7, 0.6, 0.1])

    assert curve.threshold_of_sensitivity(0.6) == 0.8
    assert curve.threshold_of_sensitivity(2 / 3) == 0.8
    assert curve.threshold_of_sensitivity(0.7) == 0.6


@pytest.mark.parametrize("end", [0.1, 0.37, 1.0])
def test_the_partial_area_is_that_of_scikit_learn(end):
    rng = np.random.default_rng(3)
    is_case = rng.random(200) < 0.4
    scores = np.round(rng.standard_normal(200) + is_case, 1)
    curve = trace_roc(is_case, scores)

    theirs = roc_auc_score(is_case, scores, max_fpr=end)

    assert curve.partial_area(end) == pytest.approx(theirs)


@pytest.mark.parametrize("share", [0, 1.2])
def test_a_share_outside_zero_and_one_is_refused(share):
    curve = trace_roc([True, False], [1.0, 0.0])

    with pytest.raises(ValueError, match="sensitivity lies in"):
        curve.threshold_of_sensitivity(share)
    with pytest.raises(ValueError, match="rate lies in"):
        curve.partial_area(share)


def test_the_threshold_of_a_sensitivity_may_lie_between_two_corners():
    curve = trace_roc(np.repeat([True, False], 10), np.r_[11:21, 1:11])

    assert curve.threshold_of_sensitivity(0.9) == 12
    assert curve.threshold_of_sensitivity(1) == 11
    assert curve.threshold_of_sensitivity(0.05) == 20


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("n_levels", [4, 1000])
def test_the_threshold_of_a_sensitivity_is_the_highest_that_has_it(target, n_levels):
    rng = np.random.default_rng(n_levels)
    is_case = np.repeat([True, False], [45, 15])
    for _ in range(20):
        scores = rng.integers(0, n_levels, 60) + rng.integers(0, 2) * 2 * is_case

        found = trace_roc(is_case, scores).threshold_of_sensitivity(target)

        # By the definition: every score is tried.
        reaching = [t for t in scores if np.mean(scores[:45] >= t) >= target - 1e-9]
        assert found == max(reaching)


@pytest.mark.parametrize(
    "is_case", [[1.0, 0.0, np.nan], np.array([True, False, None]), [1, 0, 2]]
)
def test_a_label_that_is_not_known_is_no_case(is_case):
    with pytest.raises(ValueError, match="one boolean per image"):
        trace_roc(is_case, [0.9, 0.2, 0.5])
