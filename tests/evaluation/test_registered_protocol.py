"""A protocol is held against what is tested, and judged."""

import hashlib
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
import yaml

from covid_cxr.evaluation.registered_protocol import (
    draft_protocol,
    judge_hypotheses,
    read_protocol,
)

CLASSIFIERS = {
    "net": {
        "sha256": "a" * 64,
        "label": {"name": "covid19", "words": "COVID-19", "reference": "RT-PCR"},
        "operating_points": [{"rule": "youden", "threshold": 0.4}],
    }
}
AUROCS = pd.DataFrame({"classifier": ["net"], "auroc": [0.8], "lower": [0.72]})
OPERATING = pd.DataFrame(
    {
        "classifier": ["net"],
        "rule": ["youden"],
        "sensitivity": [0.9],
        "sensitivity_lower": [0.8],
    }
)


def text_of(**changes):
    return yaml.safe_dump(
        {"date": "2026-01-01", **draft_protocol(CLASSIFIERS), **changes}
    )


def test_a_draft_is_a_protocol_that_says_what_it_leaves_open():
    text = text_of()

    found = read_protocol(text, CLASSIFIERS)

    assert found["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert found["caution"].startswith("the protocol leaves open: setting")


def test_a_protocol_with_a_day_in_it_is_written_into_the_result():
    cohort = {"setting": "ward", "period": date(2020, 3, 1), "eligibility": ["adult"]}

    found = read_protocol(text_of(cohort=cohort, date=date(2026, 1, 1)), CLASSIFIERS)

    said = json.loads(json.dumps(found))
    assert said["cohort"] == {**cohort, "period": "2020-03-01"}
    assert said["date"] == "2026-01-01"


def test_no_protocol_is_said():
    found = read_protocol(None, CLASSIFIERS)

    assert found["sha256"] is None
    assert "no protocol was registered before" in found["caution"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bundles": {"net": "b" * 64}}, "other bundles"),
        ({"thresholds": {"net": {"youden": 0.5}}}, "other thresholds"),
        ({"hypotheses": [{"measure": "accuracy", "above": 0.5}]}, "accuracy"),
        ({"hypotheses": [{"measure": "auroc", "above": 70}]}, "between 0 and 1"),
        ({"hypotheses": [{"measure": "sensitivity", "above": 0.5}]}, "of a rule"),
        ({"hypotheses": ["auroc"]}, "measure: auroc"),
        ({"hypotheses": "auroc"}, "hypotheses is no list"),
        ({"tresholds": {}}, "tresholds"),
    ],
)
def test_what_is_not_what_is_tested_is_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        read_protocol(text_of(**changes), CLASSIFIERS)


@pytest.mark.parametrize("text", ["", "a: [", "- 1"])
def test_what_is_no_protocol_is_refused(text):
    with pytest.raises(ValueError, match=r"external_protocol\.yml"):
        read_protocol(text, CLASSIFIERS)


@pytest.mark.parametrize(
    ("above", "is_met"), [(0.7, True), (0.72, False), (0.75, False)]
)
def test_a_hypothesis_is_met_by_the_lower_bound_alone(above, is_met):
    asked = [{"measure": "auroc", "above": above}]

    judged = judge_hypotheses({"hypotheses": asked}, AUROCS, OPERATING)

    assert judged["is_met"].item() == is_met


def test_an_unknown_bound_meets_and_refutes_nothing():
    asked = {"hypotheses": [{"measure": "auroc", "above": 0.5}]}

    judged = judge_hypotheses(asked, AUROCS.assign(lower=np.nan), OPERATING)

    assert judged["is_met"].isna().all()


def test_a_sensitivity_is_that_of_its_rule():
    asked = [{"measure": "sensitivity", "rule": "youden", "above": 0.75}]

    judged = judge_hypotheses({"hypotheses": asked}, AUROCS, OPERATING)

    assert judged["lower"].item() == 0.8
    assert judged["is_met"].all()
    asked[0]["rule"] = "other"
    with pytest.raises(ValueError, match="no bundle has the rule 'other'"):
        judge_hypotheses({"hypotheses": asked}, AUROCS, OPERATING)
