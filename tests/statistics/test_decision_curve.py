"""Net benefit."""

import numpy as np
import pytest

from covid_cxr.statistics.decision_curve import trace_decision_curve


def test_net_benefit_by_hand():
    is_case = [True, True, False, False]
    probability = [0.9, 0.3, 0.6, 0.1]

    curve = trace_decision_curve(is_case, probability, thresholds=[0.2, 0.5])

    assert curve.model == pytest.approx([2 / 4 - 1 / 4 * 0.25, 1 / 4 - 1 / 4])
    assert curve.everybody == pytest.approx([2 / 4 - 2 / 4 * 0.25, 0])


def test_another_prevalence_reweights_the_classes():
    rng = np.random.default_rng(1)
    is_case = rng.random(200) < 0.5
    probability = rng.random(200)

    rare = trace_decision_curve(is_case, probability, thresholds=[0.3], prevalence=0.2)

    hits = (probability[is_case] >= 0.3).mean()
    alarms = (probability[~is_case] >= 0.3).mean()
    assert rare.model[0] == pytest.approx(0.2 * hits - 0.8 * alarms * 3 / 7)


def test_a_model_that_calls_everybody_is_worth_calling_everybody():
    curve = trace_decision_curve(
        [True, False, False], [1.0, 1.0, 1.0], thresholds=[0.1, 0.9]
    )

    assert curve.model == pytest.approx(curve.everybody)


@pytest.mark.parametrize(
    ("is_case", "probability", "threshold", "message"),
    [
        ([True, False], [0.5, 1.5], 0.5, "1 outside"),
        ([False, False], [0.5, 0.5], 0.5, "got 0 and 2"),
        ([True, False], [0.5, 0.5], 1.0, "got 1 to 1"),
    ],
)
def test_what_has_no_net_benefit_is_refused(is_case, probability, threshold, message):
    with pytest.raises(ValueError, match=message):
        trace_decision_curve(is_case, probability, thresholds=[threshold])
