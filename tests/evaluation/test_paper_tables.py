"""Tables 1 to 3 from made-up scores."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.cohorts.radiograph_table import FINDINGS
from covid_cxr.evaluation.arranged_scores import arrange_paths
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.paper_tables import (
    chosen_path,
    tabulate_findings,
    tabulate_related,
    tabulate_target,
)
from covid_cxr.evaluation.published import TABLE_1
from covid_cxr.statistics.auc import estimate_aucs

REPORTING = Reporting(level=0.9, significance=0.05, seed=1)


def made_up_scores(label, *, seed, n=60):
    labels = np.random.default_rng(0)  # the same images for every classifier
    rng = np.random.default_rng(seed)
    is_case = labels.random(n) < 0.5
    return pd.DataFrame(
        {
            "image_id": [f"i{i:03d}" for i in range(n)],
            "patient_id": [f"p{i // 2}" for i in range(n)],
            "part": np.where(np.arange(n) < n // 2, "validation", "test"),
            label: is_case,
            f"{label}_score": rng.normal(size=n) + is_case,
        }
    )


@pytest.fixture(scope="module")
def covid_scores():
    return {
        f"path_{letter}": made_up_scores("covid19", seed=seed)
        for seed, letter in enumerate("fabcde")
    }


def test_table_3_has_the_paths_in_their_order_with_the_papers_numbers(covid_scores):
    table = tabulate_target(arrange_paths(**covid_scores), reporting=REPORTING)

    assert table["path"].tolist() == [f"path_{letter}" for letter in "abcdef"]
    assert table["paper_auroc"].tolist() == [0.849, 0.857, 0.851, 0.806, 0.765, 0.757]
    assert table["paper_lower"].iloc[1] == 0.794


def test_table_3_is_of_the_test_part_and_says_validation_apart(covid_scores):
    table = tabulate_target(arrange_paths(**covid_scores), reporting=REPORTING)

    for _, row in table.iterrows():
        scores = covid_scores[row["path"]]
        for part, column in (("test", "auroc"), ("validation", "validation_auroc")):
            rows = scores[scores["part"] == part]
            expected = roc_auc_score(rows["covid19"], rows["covid19_score"])
            assert row[column] == pytest.approx(expected)


def test_table_3_has_intervals_by_patient_and_by_image(covid_scores):
    table = tabulate_target(arrange_paths(**covid_scores), reporting=REPORTING)

    test = covid_scores["path_c"].query("part == 'test'")
    arguments = (test["covid19"], test["covid19_score"])
    by_patient = estimate_aucs(*arguments, cluster=test["patient_id"])
    row = table.set_index("path").loc["path_c"]
    assert row[["lower", "upper"]].tolist() == pytest.approx(
        by_patient.interval(0.9, "logit")[0].tolist()
    )
    assert row[["image_lower", "image_upper"]].tolist() == pytest.approx(
        estimate_aucs(*arguments).interval(0.9, "wald")[0].tolist()
    )
    assert (row["patients"], row["cases"] + row["controls"]) == (15, 30)


def test_the_path_is_chosen_on_validation_not_on_test():
    table = pd.DataFrame(
        {
            "path": ["path_a", "path_b", "path_c"],
            "auroc": [0.9, 0.7, 0.8],
            "validation_auroc": [0.6, 0.8, 0.8],
        }
    )

    assert chosen_path(table).name == "path_b"  # the first of equals


def test_table_1_ends_with_the_macro_average():
    scores = made_up_scores("edema", seed=1).assign(
        hernia=lambda t: ~t["edema"], hernia_score=lambda t: -(t["edema_score"] ** 3)
    )

    table = tabulate_findings(scores, ["hernia", "edema"], REPORTING)

    assert table["finding"].tolist() == ["hernia", "edema", "macro_average"]
    assert table["auroc"].iloc[2] == pytest.approx(table["auroc"].iloc[:2].mean())
    assert table["paper_auroc"].tolist() == [0.867, 0.834, 0.806]
    difference = table["auroc"] - table["paper_auroc"]
    assert table["minus_paper"].iloc[:2].tolist() == difference.iloc[:2].tolist()
    assert np.isnan(table["minus_paper"].iloc[2])  # the paper's is of 14 findings
    test = scores.query("part == 'test'")
    assert table["auroc"].iloc[1] == pytest.approx(
        roc_auc_score(test["edema"], test["edema_score"])
    )
    assert table["cases"].iloc[1] == test["edema"].sum()


def test_the_macro_average_of_the_papers_findings_is_compared_with_the_papers():
    scores = made_up_scores("edema", seed=1)
    for finding in TABLE_1:
        scores[finding] = scores["edema"]
        scores[f"{finding}_score"] = scores["edema_score"]

    table = tabulate_findings(scores, [*FINDINGS], REPORTING)

    last = table.iloc[-1]
    assert last["minus_paper"] == pytest.approx(last["auroc"] - 0.806)


def test_table_3_says_how_far_it_is_from_the_paper(covid_scores):
    table = tabulate_target(arrange_paths(**covid_scores), reporting=REPORTING)

    assert table["minus_paper"].tolist() == pytest.approx(
        [row["auroc"] - row["paper_auroc"] for row in table.to_dict("records")]
    )


def test_a_finding_with_one_class_keeps_its_row_and_spoils_no_average(caplog):
    scores = made_up_scores("edema", seed=1).assign(hernia=False, hernia_score=0.5)

    with caplog.at_level("INFO"):
        table = tabulate_findings(scores, ["edema", "hernia"], REPORTING)

    assert np.isnan(table["auroc"].iloc[1])
    assert table["auroc"].iloc[2] == table["auroc"].iloc[0]
    assert "hernia" in caplog.text


def test_a_finding_that_the_paper_lacks_has_no_published_number():
    table = tabulate_findings(made_up_scores("rickets", seed=1), ["rickets"], REPORTING)

    assert np.isnan(table["paper_auroc"].iloc[0])


def test_table_2_counts_the_training_parts_of_phases_1_and_2():
    counts = pd.DataFrame(
        [
            ("phase1", "train", 1000, 10, np.nan),
            ("phase2_rsna", "train", 200, 50, 150),
            ("phase2_rsna", "validation", 60, 15, 33),
            ("phase2_nih", "train", 200, 4, 0),
            ("phase2_nih", "validation", 60, 1, 0),
        ],
        columns=[
            "training_set",
            "part",
            "images",
            "positives",
            "images_of_phase1_patients",
        ],
    )
    scores = {
        f"path_{letter}_phase2": made_up_scores("pneumonia", seed=seed)
        for seed, letter in enumerate("ebda")
    }

    table = tabulate_related(counts, REPORTING, **scores).set_index("path")

    assert table.index.tolist() == ["path_a", "path_b", "path_d", "path_e"]
    assert table["training_images"].tolist() == [1200, 1200, 200, 200]
    assert table["training_positives"].tolist() == [60, 14, 50, 4]
    assert table["prevalence_percent"].tolist() == [25, 2, 25, 2]
    partly = counts.assign(known=[1000, 100, 60, 200, 60])
    known = tabulate_related(partly, REPORTING, **scores)
    assert known["prevalence_percent"].tolist() == [50, 2, 50, 2]
    assert table["images_of_phase1_patients"].tolist() == [33, 0, 0, 0]
    assert table["paper_training_images"].tolist() == [95828, 95919, 20000, 20091]
    validation = scores["path_a_phase2"].query("part == 'validation'")
    assert table.loc["path_a", "auroc"] == pytest.approx(
        roc_auc_score(validation["pneumonia"], validation["pneumonia_score"])
    )
