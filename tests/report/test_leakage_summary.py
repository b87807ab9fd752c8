"""Leakage and shortcuts, as the report words them."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.leakage_summary import AuditTables, compare_with_models


def make_leakage(**counts):
    """Return the rows of path (a)'s phase 2, with what leaks of each kind."""
    rows = [
        {
            "stage": "path_a.phase2",
            "part": "validation",
            "earlier_stage": "phase1",
            "earlier_part": earlier_part,
            "kind": kind,
            "n_images": counts.get(f"{kind}_{earlier_part}", 0),
            "n_patients": 7,
            "of_images": 5000,
            "of_patients": 2133,
            "verdict": "warn" if f"{kind}_{earlier_part}" in counts else "clean",
        }
        for earlier_part in ("train", "validation")
        for kind in ("same_image", "duplicate", "same_patient")
    ]
    return pd.DataFrame(rows)


def make_aurocs():
    rows = [
        (name, label, part, "view", 2, auroc)
        for name, label, part, auroc in [
            ("phase1", "pneumonia", "validation", 0.61),
            ("phase1", "pneumonia", "test", 0.62),
            ("phase2_rsna", "pneumonia", "validation", 0.706),
            ("phase3", "covid19", "validation", 0.81),
            ("phase3", "covid19", "test", 0.82),
        ]
    ]
    columns = ["training_set", "label", "part", "predictors", "n_levels", "auroc"]
    return pd.DataFrame(rows, columns=columns)


def make_tables(leakage):
    associations = [
        ("phase1", "pneumonia", "source", np.nan),
        ("phase1", "pneumonia", "view", 0.1),
        ("phase1", "source", "view", np.nan),
        ("phase3", "covid19", "source", 0.9),
        ("phase3", "covid19", "view", 0.2),
    ]
    columns = ["training_set", "first", "second", "cramers_v"]
    return AuditTables(
        leakage=leakage,
        associations=pd.DataFrame(associations, columns=columns),
        metadata_auroc=make_aurocs(),
        source_labels=pd.DataFrame(),
    )


def test_a_stage_without_leaks_is_held_out():
    [stage] = make_tables(make_leakage()).stages

    assert stage["title"] == "Path (a), phase 2"
    assert stage["words"].startswith("Held out")


def test_a_leak_is_told_with_its_largest_count_for_each_earlier_part():
    leakage = make_leakage(
        same_image_train=3137, same_patient_train=3140, duplicate_validation=478
    )

    [stage] = make_tables(leakage).stages
    assert stage["words"] == (
        "Not held out: of 5,000 validation radiographs 3,140 are in the training part "
        "of phase 1; of 5,000 validation radiographs 478 are in the validation part of "
        "phase 1, by image, duplicate or patient."
    )


def test_only_what_leaks_is_listed():
    leaks = make_tables(make_leakage(same_image_train=3137)).leaks

    shown = [(row["where"], row["earlier"], row["kind"]) for row in leaks]
    assert shown == [
        (
            "Path (a), phase 2, validation part",
            "training part of phase 1",
            "the same image",
        )
    ]


def test_unknown_ancestry_is_not_called_held_out():
    unknown = (
        make_leakage()
        .head(1)
        .assign(
            earlier_stage="initial",
            earlier_part="unknown",
            kind="unknown_ancestry",
            n_images=5000,
            verdict="warn",
        )
    )
    tables = make_tables(pd.concat([make_leakage(), unknown], ignore_index=True))

    assert tables.stages[0]["words"].startswith("Not known")
    assert tables.leaks[0]["earlier"] == "initial weights"


def test_a_leak_is_told_although_the_ancestry_is_unknown():
    unknown = make_leakage().head(1).assign(kind="unknown_ancestry", n_images=5000)
    leakage = pd.concat([make_leakage(same_image_train=9), unknown], ignore_index=True)

    assert "9 are in the training part" in make_tables(leakage).stages[0]["words"]


def test_associations_are_those_with_the_label():
    strengths = make_tables(make_leakage()).strengths.set_index("training_set")

    assert list(strengths.columns) == ["source", "view"]
    assert strengths.loc["phase3"].tolist() == [0.9, 0.2]
    assert np.isnan(strengths.loc["phase1", "source"])


@pytest.fixture
def compared():
    paths = ["path_a", "path_b", "path_d"]
    table1 = pd.DataFrame({"finding": ["mass", "pneumonia"], "auroc": [0.9, 0.7]})
    table2 = pd.DataFrame({"path": paths, "auroc": [0.88, 0.71, 0.87]})
    table3 = pd.DataFrame({"path": paths, "auroc": [0.85, 0.86, 0.80]})
    return {
        row["training_set"]: row
        for row in compare_with_models(
            make_aurocs(), table1=table1, table2=table2, table3=table3
        )
    }


def test_metadata_stand_beside_the_classifiers_of_the_same_images(compared):
    assert compared["phase1"]["models"] == [0.7, 0.7]
    assert compared["phase2_rsna"]["models"] == [0.87, 0.88]
    assert compared["phase3"]["models"] == [0.8, 0.86]


def test_metadata_are_judged_on_the_part_that_the_classifiers_are(compared):
    shown = {
        name: (row["part"], row["cells"][0]["auroc"]) for name, row in compared.items()
    }

    assert shown == {
        "phase1": ("test", 0.62),
        "phase2_rsna": ("validation", 0.706),
        "phase3": ("test", 0.82),
    }


def test_metadata_without_classifiers_stand_alone():
    alone = compare_with_models(make_aurocs(), table1=None, table2=None, table3=None)

    assert [row["models"] for row in alone] == [[], [], []]
