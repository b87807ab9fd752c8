"""Pooled cohorts: labels, rows and parts of the whole."""

import pandas as pd
import pytest

from covid_cxr.patients.pooling import pool_radiographs, pool_splits


def curated(patients, **labels):
    return pd.DataFrame(
        {
            "image_id": [f"{number}.png" for number in range(len(patients))],
            "patient_id": patients,
            "row": range(len(patients)),
            **{name: pd.array(v, dtype="boolean") for name, v in labels.items()},
        }
    )


def split(**parts):
    """Return a split table from `part=[patients]`, one image each."""
    rows = [(patient, part) for part, whole in parts.items() for patient in whole]
    return pd.DataFrame(
        {
            "image_id": [f"{number}.png" for number in range(len(rows))],
            "patient_id": [patient for patient, _ in rows],
            "part": [part for _, part in rows],
        }
    )


@pytest.fixture
def pool():
    return pool_radiographs(
        {
            "nih": curated(["nih:1", "nih:2"], pneumonia=[True, False]),
            "rsna": curated(["nih:1"], pneumonia=[None]),
            "covid": curated(["covid:1"], covid19=[True]),
        },
        n_images={"nih": 5, "rsna": 7, "covid": 1},
        labels=["pneumonia", "covid19"],
    ).set_index("image_id")


def test_images_of_different_cohorts_never_share_an_id(pool):
    assert list(pool.index) == ["nih:0.png", "nih:1.png", "rsna:0.png", "covid:0.png"]


def test_a_cohorts_rows_follow_all_rows_of_the_stores_before_it(pool):
    assert pool["row"].tolist() == [0, 1, 5, 12]


def test_nobody_had_covid_before_2019_and_what_a_cohort_does_not_tell_is_unknown(pool):
    assert pool["covid19"].tolist() == [False, False, False, True]
    assert pool["pneumonia"].tolist() == [True, False, pd.NA, pd.NA]


def test_every_image_keeps_its_part_where_no_patient_crosses():
    pooled = pool_splits(
        {
            "nih": split(train=["nih:1"], validation=["nih:2"]),
            "covid": split(train=["covid:1"], test=["covid:2"]),
        },
        tested="covid",
    )

    assert dict(zip(pooled["image_id"], pooled["part"], strict=True)) == {
        "nih:0.png": "train",
        "nih:1.png": "validation",
        "covid:0.png": "train",
        "covid:1.png": "test",
    }


def test_nobody_trained_on_is_validated_on(caplog):
    caplog.set_level("INFO", logger="covid_cxr")
    pooled = pool_splits(
        {
            "nih": split(train=["nih:1"], validation=["nih:2"]),
            "rsna": split(train=["nih:2"], validation=["nih:1", "nih:4"]),
        },
        tested="covid",
    )

    parts = pooled.groupby("patient_id")["part"].agg(set).to_dict()
    assert parts == {"nih:1": {"train"}, "nih:2": {"train"}, "nih:4": {"validation"}}
    assert "left 2 validation images out" in caplog.text


def test_nobody_tested_on_is_in_another_cohorts_parts():
    pooled = pool_splits(
        {
            "nih": split(train=["nih:1", "nih:2"]),
            "covid": split(train=["covid:1"], test=["nih:2"]),
        },
        tested="covid",
    )

    assert set(pooled["image_id"]) == {"nih:0.png", "covid:0.png", "covid:1.png"}


def test_the_test_part_of_a_cohort_that_is_not_tested_keeps_nobody_from_training():
    pooled = pool_splits(
        {
            "nih": split(train=["nih:1"], test=["nih:3"]),
            "rsna": split(train=["nih:3"]),
        },
        tested="covid",
    )

    assert dict(zip(pooled["image_id"], pooled["part"], strict=True)) == {
        "nih:0.png": "train",
        "rsna:0.png": "train",
    }
