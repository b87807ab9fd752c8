import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.evaluation.adjudicated import TOLD_BY, tabulate_adjudicated

LABELS = sorted({name for names in TOLD_BY.values() for name in names})


@pytest.fixture
def scores():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "image_id": [f"image_{n}" for n in range(80)],
            "patient_id": [f"nih:{n // 2}" for n in range(80)],
            "part": ["validation"] * 20 + ["test"] * 60,
        }
    )
    for label in LABELS:
        table[label] = rng.random(80) < 0.3
        table[f"{label}_score"] = rng.random(80)
    return table


@pytest.fixture
def adjudicated(scores):
    rng = np.random.default_rng(4)
    read = scores.loc[10:70, ["image_id"]]
    table = read.assign(**{name: rng.random(len(read)) < 0.4 for name in TOLD_BY})
    table = table.astype(dict.fromkeys(TOLD_BY, "boolean"))
    table.loc[69, "pneumothorax"] = pd.NA
    return table


def test_both_truths_are_judged_on_the_images_that_have_both(
    scores, adjudicated, reporting
):
    table = tabulate_adjudicated(adjudicated, reporting, phase1=scores)

    both = scores[scores["part"] == "test"].merge(
        adjudicated, on="image_id", how="inner"
    )
    row = table.set_index("finding").loc["nodule_or_mass"]
    score = np.maximum(both["nodule_score"], both["mass_score"])
    text = both["nodule"] | both["mass"]
    assert row["images"] == len(both) == 51
    assert row["adjudicated_auroc"] == pytest.approx(
        roc_auc_score(both["nodule_or_mass"].astype(bool), score)
    )
    assert row["text_auroc"] == pytest.approx(roc_auc_score(text, score))
    assert row["text_cases"] == text.sum()
    assert (
        row["adjudicated_lower"] < row["adjudicated_auroc"] < row["adjudicated_upper"]
    )


def test_a_label_on_which_nobody_agreed_is_left_out(scores, adjudicated, reporting):
    table = tabulate_adjudicated(adjudicated, reporting, phase1=scores)

    assert table.set_index("finding")["images"].to_dict() == {
        "pneumothorax": 50,
        "nodule_or_mass": 51,
        "airspace_opacity": 51,
    }


def test_without_such_labels_there_is_no_row(scores, adjudicated, reporting):
    table = tabulate_adjudicated(adjudicated.iloc[:0], reporting, phase1=scores)

    assert table.empty
    assert "text_auroc" in table


def test_a_training_that_tells_no_such_finding_has_no_row(
    scores, adjudicated, reporting
):
    table = tabulate_adjudicated(
        adjudicated, reporting, phase1=scores.drop(columns=["mass", "mass_score"])
    )

    assert "nodule_or_mass" not in set(table["finding"])


def test_one_class_has_no_auroc(scores, adjudicated, reporting):
    nobody = adjudicated.assign(pneumothorax=False)

    row = tabulate_adjudicated(nobody, reporting, phase1=scores).iloc[0]

    assert row["adjudicated_cases"] == 0
    assert np.isnan(row["adjudicated_auroc"])
    assert row["text_auroc"] > 0
