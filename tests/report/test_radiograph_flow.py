"""Counts of cohorts and parts, and where every radiograph went."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.radiograph_flow import (
    CohortFlow,
    SplitCohort,
    count_cohorts,
    count_parts,
    follow_radiographs,
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


def test_what_is_not_told_of_an_image_is_not_counted_as_absent():
    radiographs = PHASE_1.radiographs.astype({"pneumonia": "boolean"})
    is_untold = radiographs["image_id"].isin(["b", "d"])
    untold = radiographs.assign(
        pneumonia=radiographs["pneumonia"].mask(is_untold, pd.NA)
    )

    table = count_parts({"phase1": replace(PHASE_1, radiographs=untold)})

    counted = table[["part", "images", "positives", "known"]]
    assert counted.to_numpy().tolist() == [["train", 3, 1, 2], ["test", 1, 0, 0]]
    assert "known" not in count_parts({"phase1": PHASE_1})


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

    table = count_cohorts(
        **curated, **{f"{name}_rejected": table for name, table in rejected.items()}
    ).set_index("cohort")

    assert table["is_synthetic"].tolist() == [False, True]
    assert table.loc["nih", ["images", "patients", "rejected"]].tolist() == [3, 2, 1]


def images(ids, **columns):
    table = pd.DataFrame({"image_id": list(ids)})
    return table.assign(patient_id=[f"p:{i.lower()}" for i in ids], **columns)


def cohort_flow(**changes):
    """Return eight listed radiographs, of which "A" and "a" are of one patient."""
    tables = {
        "ingested": images("Aabcdef"),
        "curated": images("Aabcd"),
        "rejected": pd.DataFrame(
            {
                "image_id": ["e", "f", "g"],
                "file": ["e.png", "f.png", "g.png"],
                "stage": ["curation", "curation", "ingestion"],
                "reason": ["file missing: e.png", "blank", "age out of range"],
            }
        ),
        "splits": {"phase3": images("Aab", part=["train", "train", "test"])},
        "left_out": {
            "phase3": images("cd", reason=["duplicate of A.png", "not drawn"])
        },
    }
    return CohortFlow(**{**tables, **changes})


def follow(**changes):
    return follow_radiographs({"covid": cohort_flow(**changes)})


def test_every_listed_radiograph_is_accounted_for():
    table = follow().set_index("step")["images"]

    assert table["listed"] == 8
    assert table["listed"] == table["rejected at ingestion"] + table["ingested"]
    lost = table["rejected at curation"].sum()
    assert table["ingested"] == lost + table["curated"]
    left_out = table["left out"].sum()
    assert table["curated"] == left_out + table["train"] + table["test"]


def test_patients_are_counted_where_their_ids_are_known():
    table = follow().set_index("step")["patients"]

    assert np.isnan(table["listed"])
    assert np.isnan(table["rejected at ingestion"])
    assert table["ingested"] == 6
    assert table["rejected at curation"].tolist() == [1, 1]
    assert table["curated"] == 4
    assert table["train"] == 1


def test_reasons_name_no_file():
    table = follow().dropna(subset="reason")

    assert set(table["reason"]) == {
        *("age out of range", "file missing", "blank", "duplicate", "not drawn"),
    }


def test_a_reason_is_counted_once_for_all_its_files():
    rejected = cohort_flow().rejected.assign(
        reason="file missing: " + pd.Series([*"efg"])
    )

    table = follow(rejected=rejected)

    assert table.loc[table["reason"] == "file missing", "images"].tolist() == [1, 2]


def test_frequent_reasons_come_first():
    reasons = ["a rare one", "not drawn", "not drawn"]

    table = follow(
        splits={"phase3": images("Aa", part="train")},
        left_out={"phase3": images("bcd", reason=reasons)},
    )

    left_out = table[table["step"] == "left out"]
    assert left_out["reason"].tolist() == ["not drawn", "a rare one"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"curated": images("Aabc")}, "1 went nowhere, such as d"),
        ({"curated": images("Aabcdz")}, "1 were never there.* such as z"),
        ({"curated": images("Aabcde")}, "1 went to two places, such as e"),
        (
            {"left_out": {"phase3": images("c", reason="not drawn")}},
            "5 curated covid radiographs, 1 went nowhere, such as d",
        ),
    ],
)
def test_numbers_that_do_not_add_up_stop_the_run(changes, problem):
    with pytest.raises(ValueError, match=problem):
        follow(**changes)
