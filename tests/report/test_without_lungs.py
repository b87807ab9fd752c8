"""What is left of an AUROC without the lungs, in one table."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.evaluation.masked_aurocs import (
    INPUT_NAMES,
    compare_inputs,
    describe_without_classifier,
)
from covid_cxr.report.html import write_report
from covid_cxr.report.leakage_summary import AuditTables
from covid_cxr.report.without_lungs import ShortcutTables
from covid_cxr.statistics.auc import estimate_aucs

N_IMAGES = 120
NO_CLASSIFIER = pd.DataFrame(
    {"input": ["intensity"], "auroc": [0.6], "lower": [0.5], "upper": [0.7]}
)


def make_scores(seed):
    """Return scores of two images of each patient; the last 80 are the test part."""
    rng = np.random.default_rng(seed)
    is_case = np.repeat(np.random.default_rng(1).random(N_IMAGES // 2) < 0.5, 2)
    return pd.DataFrame(
        {
            "image_id": [f"i{n:03d}" for n in range(N_IMAGES)],
            "patient_id": [f"p{n // 2}" for n in range(N_IMAGES)],
            "part": np.repeat(["validation", "test"], [40, 80]),
            "covid19": is_case,
            "covid19_score": rng.random(N_IMAGES) * 0.7 + 0.3 * is_case,
        }
    )


def make_audit():
    """Return the tables of an audit that found nothing."""
    stage = {"stage": "path_b.phase3", "part": "test", "kind": "same_image"}
    earlier = {"earlier_stage": "phase1", "earlier_part": "train", "verdict": "clean"}
    sizes = dict.fromkeys(["n_images", "n_patients", "of_images", "of_patients"], 0)
    found = {"training_set": "phase3", "label": "covid19", "part": "test"}
    auroc = {
        "predictors": "view",
        "n_levels": 2,
        "auroc": 0.6,
        "lower": 0.5,
        "upper": 0.7,
    }
    pair = {"training_set": "phase3", "first": "covid19", "second": "view"}
    return AuditTables(
        leakage=pd.DataFrame([{**stage, **earlier, **sizes}]),
        associations=pd.DataFrame([{**pair, "cramers_v": 0.2}]),
        metadata_auroc=pd.DataFrame([{**found, **auroc}]),
        source_labels=pd.DataFrame(),
    )


def masked_as(name, scores, share=0.5):
    return scores.assign(input=name, hidden_share=share)


@pytest.fixture(scope="module")
def whole():
    return make_scores(2)


@pytest.fixture(scope="module")
def hidden():
    return make_scores(3)


@pytest.fixture(scope="module")
def results(whole, hidden, reporting):
    """Return the table of a path with masks for the last 60 test images only."""
    masked = pd.concat(
        [
            masked_as("lungs_removed", hidden.tail(60)),
            masked_as("centre_removed", hidden, share=0.25),
            masked_as("border_only", whole),
        ]
    )
    return compare_inputs(
        {"path_b": whole},
        {"path_b": masked},
        NO_CLASSIFIER,
        label="covid19",
        reporting=reporting,
    )


@pytest.fixture(scope="module")
def rows(results):
    return results.set_index("input")


def test_every_path_has_every_input_and_then_come_those_without(results):
    assert results["input"].tolist() == [*INPUT_NAMES, "intensity"]
    assert results["path"].tolist()[:5] == ["path_b"] * 5
    assert pd.isna(results["path"].iloc[5])
    assert results["auroc"].iloc[5] == 0.6


def test_aurocs_are_of_the_test_part(rows, whole, hidden):
    test = whole["part"] == "test"
    expected = roc_auc_score(whole["covid19"][test], whole["covid19_score"][test])
    covered = roc_auc_score(hidden["covid19"][test], hidden["covid19_score"][test])

    assert rows.loc["whole", "auroc"] == pytest.approx(expected)
    assert rows.loc["centre_removed", "auroc"] == pytest.approx(covered)
    assert rows.loc["centre_removed", ["images", "patients"]].tolist() == [80, 40]
    assert rows.loc["centre_removed", "hidden_share"] == 0.25


def test_the_difference_is_paired_and_by_patient(rows, whole, hidden):
    test = whole["part"] == "test"
    pair = pd.DataFrame(
        {"h": hidden["covid19_score"][test], "w": whole["covid19_score"][test]}
    )
    patients = whole["patient_id"][test]
    aucs = estimate_aucs(whole["covid19"][test], pair, cluster=patients)
    expected = aucs.compare("h", "w")

    row = rows.loc["centre_removed"]
    assert row["difference"] == pytest.approx(expected.estimate)
    assert row["p_value"] == pytest.approx(expected.p_value)
    bounds = [row["difference_lower"], row["difference_upper"]]
    assert bounds == pytest.approx(expected.interval(0.95))
    assert [row["lower"], row["upper"]] == pytest.approx(
        aucs.interval(0.95, "logit")[0]
    )


def test_images_with_a_mask_are_compared_with_the_same_images_as_a_whole(rows, whole):
    last = whole.tail(60)
    same = roc_auc_score(last["covid19"], last["covid19_score"])

    row = rows.loc["lungs_removed"]
    assert row["images"] == 60
    assert row["whole_auroc"] == pytest.approx(same)
    assert row["whole_auroc"] != pytest.approx(rows.loc["whole", "auroc"])
    assert row["difference"] == pytest.approx(row["auroc"] - same)


def test_an_input_without_images_is_a_row_of_unknown_numbers(rows):
    assert rows.loc["lungs_only", "images"] == 0
    assert rows.loc["lungs_only", ["auroc", "difference", "p_value"]].isna().all()


def test_an_input_that_changes_nothing_has_no_difference(rows):
    assert rows.loc["border_only", ["difference", "p_value"]].tolist() == [0.0, 1.0]


def test_masks_of_one_class_only_give_no_auroc(whole, reporting):
    cases = whole[whole["covid19"]]
    table = compare_inputs(
        {"path_b": whole},
        {"path_b": masked_as("lungs_only", cases)},
        NO_CLASSIFIER,
        label="covid19",
        reporting=reporting,
    ).set_index("input")

    assert table.loc["lungs_only", "images"] > 0
    assert np.isnan(table.loc["lungs_only", "auroc"])


def test_metadata_and_intensity_stand_beside_the_classifiers(reporting):
    rng = np.random.default_rng(1)
    curated = make_scores(2).assign(
        source="one",
        site=rng.choice(["here", "there"], N_IMAGES),
        view="PA",
        sex="F",
        age_years=np.nan,
    )
    split = curated[["image_id", "patient_id"]].assign(
        part=np.repeat(["train", "test"], N_IMAGES // 2)
    )
    intensity = pd.DataFrame(
        {
            "predicted": ["covid19", "covid19", "site"],
            "part": ["validation", "test", "test"],
            "level": ["positive", "positive", "here"],
            "auroc": [0.1, 0.7, 0.2],
            "lower": np.nan,
            "upper": np.nan,
            "n_images": [40, 60, 60],
            "n_patients": [20, 30, 30],
        }
    )
    table = describe_without_classifier(
        curated, split, intensity, label="covid19", reporting=reporting
    )

    # Of the metadata, the site alone is not the same for all.
    assert table["input"].tolist() == ["metadata: site", "intensity"]
    assert table["auroc"].iloc[1] == 0.7
    assert table[["images", "patients"]].to_numpy().tolist() == [[60, 30], [60, 30]]


@pytest.fixture
def tables(results):
    intensity = pd.DataFrame(
        [
            ("covid19", "test", "positive", 0.6),
            ("site", "validation", "here", 0.1),
            ("site", "test", "here", 0.8),
            ("site", "test", "there", 0.9),
            ("site", "test", "macro_average", 0.85),
        ],
        columns=["predicted", "part", "level", "auroc"],
    ).assign(lower=np.nan, upper=np.nan)
    return ShortcutTables(shortcut_results=results, intensity_auroc=intensity)


def test_the_report_has_a_row_for_each_path_and_a_heading_for_each_input(tables):
    (row,) = tables.paths
    assert row["name"] == "path_b"
    assert [cell["input"] for cell in row["cells"]] == list(INPUT_NAMES)
    assert [heading["images"] for heading in tables.inputs] == [80, 60, 0, 80, 80]
    assert [row["input"] for row in tables.without_classifier] == ["intensity"]


def test_the_report_tells_sources_and_sites_from_the_label(tables):
    (site,) = tables.collections

    assert (site["predicted"], site["mean"]) == ("site", 0.85)
    assert [row["level"] for row in site["levels"]] == ["here", "there"]


def test_a_report_without_the_audit_of_the_study_shows_shortcuts(make_contents, tables):
    html = write_report(**make_contents(audit=None, shortcuts=tables))

    assert '<h2 id="audit">Shortcuts</h2>' in html
    assert '<a href="#audit">Shortcuts</a>' in html
    assert 'id="shortcuts"' in html
    assert "What is held out" not in html
    assert re.search(r"Lungs hidden.*50 % hidden, 60 radiographs", html)
    assert "Site: there" in html


def test_a_report_with_neither_has_no_such_section(make_contents):
    html = write_report(**make_contents(audit=None, shortcuts=None))

    assert 'id="audit"' not in html
    assert 'href="#audit"' not in html


def test_leakage_and_shortcuts_stand_in_one_section(make_contents, tables):
    html = write_report(**make_contents(audit=make_audit(), shortcuts=tables))

    assert html.count('<h2 id="audit">Leakage and shortcuts</h2>') == 1
    for table in ("leakage-stages", "metadata-auroc", "shortcuts", "intensity-auroc"):
        assert html.count(f'id="{table}"') == 1, table
