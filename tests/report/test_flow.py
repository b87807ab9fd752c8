"""Counts of cohorts, parts and rejections."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.flow import (
    SplitCohort,
    count_cohorts,
    count_parts,
    count_rejections,
)


def split(*rows):
    return pd.DataFrame(rows, columns=["image_id", "patient_id", "part"])


def training_set(rows, **labels):
    table = split(*rows)
    [(label, positives)] = labels.items()
    radiographs = pd.DataFrame(
        {"image_id": table["image_id"], label: table["image_id"].isin(positives)}
    )
    shuffled = radiographs.iloc[::-1]
    return SplitCohort(split=table, radiographs=shuffled, label=label)


PHASE_1 = training_set(
    [
        ("a", "nih:1", "train"),
        ("b", "nih:1", "train"),
        ("c", "nih:2", "train"),
        ("d", "nih:3", "test"),
    ],
    pneumonia=["a", "d"],
)


def test_parts_count_images_patients_and_positives():
    table = count_parts({"phase1": PHASE_1}).set_index("part")

    columns = ["images", "patients", "positives"]
    assert table.loc["train", columns].tolist() == [3, 2, 1]
    assert table.loc["test", columns].tolist() == [1, 1, 1]
    assert "validation" not in table.index


def test_images_of_patients_that_phase_1_learned_are_counted():
    rsna = training_set(
        [
            ("r1", "nih:2", "validation"),
            ("r2", "nih:3", "validation"),
            ("r3", "rsna:x", "validation"),
            ("r4", "nih:1", "validation"),
        ],
        pneumonia=["r1"],
    )

    table = count_parts({"phase1": PHASE_1, "phase2_rsna": rsna})

    row = table[table["training_set"] == "phase2_rsna"].iloc[0]
    assert row["images_of_phase1_patients"] == 2


def test_overlap_is_unknown_where_no_radiograph_is_mapped_to_its_patient():
    rsna = training_set([("r1", "rsna:x", "validation")], pneumonia=["r1"])

    table = count_parts({"phase1": PHASE_1, "phase2_rsna": rsna})

    assert np.isnan(table["images_of_phase1_patients"].iloc[-1])


def test_a_split_of_other_images_is_refused():
    stale = SplitCohort(
        split=split(("z", "nih:1", "train")),
        radiographs=PHASE_1.radiographs,
        label="pneumonia",
    )

    with pytest.raises(ValueError, match=r"1 images of the phase3 split.*curation"):
        count_parts({"phase3": stale})


def test_cohorts_say_whether_they_are_synthetic():
    curated = {
        name: pd.DataFrame({"patient_id": ["p", "p", "q"], "is_synthetic": synthetic})
        for name, synthetic in (("nih", False), ("covid", True))
    }
    rejected = {"nih": pd.DataFrame({"image_id": ["x"]}), "covid": pd.DataFrame()}

    table = count_cohorts(curated, rejected).set_index("cohort")

    assert table["is_synthetic"].tolist() == [False, True]
    assert table.loc["nih", ["images", "patients", "rejected"]].tolist() == [3, 2, 1]


def test_rejections_are_counted_by_reason_without_what_names_a_file():
    rejected = pd.DataFrame(
        {
            "stage": "curation",
            "reason": ["file missing: a.png", "empty file", "file missing: b.png"],
        }
    )

    table = count_rejections({"nih": rejected, "covid": rejected.head(0)})

    assert table["reason"].tolist() == ["file missing", "empty file"]
    assert table["images"].tolist() == [2, 1]


def test_no_rejections_give_an_empty_table_with_its_columns():
    table = count_rejections({"nih": pd.DataFrame({"stage": [], "reason": []})})

    assert table.columns.tolist() == ["cohort", "stage", "reason", "images"]
    assert table.empty
