"""All intervals of each AUROC."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.scored_part import ScoredPart, ScoredParts
from covid_cxr.statistics.bootstrap import bootstrap_aucs


def test_each_interval_stands_in_its_columns(
    validation, test_part, reporting, evaluation
):
    parts = ScoredParts(validation=validation, test=test_part)

    table = tabulate_aurocs(
        arrange_parts(parts), reporting=reporting, evaluation=evaluation
    )

    by_patient = test_part.estimate(by_patient=True)
    by_image = test_part.estimate(by_patient=False)
    row = table.iloc[1]
    assert row["classifier"] == "dull"
    assert row["auroc"] == pytest.approx(
        roc_auc_score(test_part.is_case, test_part.scores["dull"])
    )
    assert (row["lower"], row["upper"]) == pytest.approx(
        tuple(by_patient.interval(0.95, "logit")[1])
    )
    assert (row["image_lower"], row["image_upper"]) == pytest.approx(
        tuple(by_image.interval(0.95, "wald")[1])
    )
    assert row["bootstrap_replicates"] == 200
    assert row["bootstrap_lower"] == pytest.approx(row["lower"], abs=0.03)
    assert 0 < row["bootstrap_error"] < 0.02
    assert row["partial_auroc"] == pytest.approx(
        roc_auc_score(test_part.is_case, test_part.scores["dull"], max_fpr=0.2)
    )
    assert row["max_false_positive_rate"] == 0.2
    assert (row["cases"] + row["controls"], row["patients"]) == (160, 80)
    assert not row["is_at_boundary"]


def test_validation_chooses_and_the_test_part_has_no_say(
    validation, test_part, reporting, evaluation
):
    parts = ScoredParts(validation=validation, test=test_part)

    table = tabulate_aurocs(
        arrange_parts(parts), reporting=reporting, evaluation=evaluation
    )
    rows = table.set_index("classifier")

    assert rows.loc["dull", "auroc"] > rows.loc["sharp", "auroc"]
    assert rows["is_chosen"].to_dict() == {"sharp": True, "dull": False}
    assert rows.loc["dull", "validation_auroc"] == pytest.approx(
        roc_auc_score(validation.is_case, validation.scores["dull"])
    )


def test_without_validation_none_is_chosen(test_part, reporting, evaluation):
    parts = ScoredParts(validation=None, test=test_part)

    table = tabulate_aurocs(
        arrange_parts(parts), reporting=reporting, evaluation=evaluation
    )

    assert not table["is_chosen"].any()
    assert np.isnan(table["validation_auroc"]).all()


N = 80  # patients of two images each, as in the test part


@pytest.mark.parametrize(
    ("score", "n_patients", "said", "has_bootstrap"),
    [
        (lambda case, rng: rng.normal(size=len(case)) + case, N, "", True),
        (lambda case, rng: rng.normal(size=len(case)) + case, 20, "10 patients", True),
        (lambda case, rng: np.ones(len(case)), N, "no variance", False),
        (lambda case, rng: case * 0.5, N, "wholly separated", False),
        (lambda case, rng: 1 - case * 0.5, 20, "wholly separated", False),
    ],
    ids=["many patients", "few", "constant", "perfect", "reversed, few"],
)
def test_an_interval_to_distrust_carries_its_caution(
    score, n_patients, said, has_bootstrap, reporting, evaluation
):
    rng = np.random.default_rng(3)
    patients = np.arange(2 * n_patients) // 2
    is_case = patients % 2 == 0
    part = ScoredPart(
        is_case=is_case,
        scores=pd.DataFrame({"a": score(is_case, rng)}),
        patients=patients.astype(str).astype(object),
    )

    table = tabulate_aurocs(
        arrange_parts(ScoredParts(validation=None, test=part)),
        reporting=reporting,
        evaluation=evaluation,
    )

    row = table.iloc[0]
    assert said in row["caution"]
    assert bool(row["caution"]) == bool(said)
    assert ("BCa intervals cover less" in row["caution"]) == (n_patients == 20)
    assert np.isfinite(row["bootstrap_lower"]) == has_bootstrap
    assert np.isfinite(row["bootstrap_error"]) == has_bootstrap


def test_a_bootstrap_that_left_something_out_says_how_much(
    test_part, reporting, evaluation, monkeypatch
):
    scores = arrange_parts(ScoredParts(validation=None, test=test_part))
    whole = tabulate_aurocs(scores, reporting=reporting, evaluation=evaluation)
    monkeypatch.setattr(f"{bootstrap_aucs.__module__}._MANY_IMAGES", 100)
    monkeypatch.setattr(f"{bootstrap_aucs.__module__}._MOST_LEFT_OUT", 1.0)

    linear = tabulate_aurocs(scores, reporting=reporting, evaluation=evaluation)

    assert (whole["caution"] == "").all()
    for said in linear["caution"]:
        share = re.search(r"two patients at once: about ([0-9.]+)% of its", said)
        assert 0 < float(share[1]) < 30
