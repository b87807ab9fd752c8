"""Pooled cohorts: labels, rows and parts of the whole."""

import pandas as pd
import pytest

from covid_cxr.patients.pooling import (
    of_cohort,
    pool_draws,
    pool_radiographs,
    pool_splits,
)


def curated(patients, sex=None, **labels):
    return pd.DataFrame(
        {
            "image_id": [f"{number}.png" for number in range(len(patients))],
            "patient_id": patients,
            "row": range(len(patients)),
            "sex": sex or "unknown",
            **dict.fromkeys(("view", "age_years", "source", "site", "is_synthetic")),
            **{name: pd.array(v, dtype="boolean") for name, v in labels.items()},
        }
    )


def pairs(*shared):
    """Return pairs of pictures, each as two cohorts and two patients."""
    ends = ("first_cohort", "first_patient_id", "second_cohort", "second_patient_id")
    return pd.DataFrame(shared, columns=list(ends), dtype="str")


NOTHING_SHARED = pairs()


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
        labels=["pneumonia", "covid19"],
    ).set_index("image_id")


def test_images_of_different_cohorts_never_share_an_id(pool):
    assert list(pool.index) == ["nih:0.png", "nih:1.png", "rsna:0.png", "covid:0.png"]


def test_a_row_is_that_of_its_cohorts_own_store(pool):
    assert pool["row"].tolist() == [0, 1, 0, 0]
    assert pool["cohort"].tolist() == ["nih", "nih", "rsna", "covid"]


def test_nobody_had_covid_before_2019_and_what_a_cohort_does_not_tell_is_unknown(pool):
    assert pool["covid19"].tolist() == [False, False, False, True]
    assert pool["pneumonia"].tolist() == [True, False, pd.NA, pd.NA]


def test_every_image_keeps_its_part_where_no_patient_crosses():
    pooled, _ = pool_splits(
        {
            "nih": split(train=["nih:1"], validation=["nih:2"]),
            "covid": split(train=["covid:1"], test=["covid:2"]),
        },
        NOTHING_SHARED,
    )

    assert dict(zip(pooled["image_id"], pooled["part"], strict=True)) == {
        "nih:0.png": "train",
        "nih:1.png": "validation",
        "covid:0.png": "train",
        "covid:1.png": "test",
    }


def test_nobody_trained_on_is_validated_on(caplog):
    caplog.set_level("INFO", logger="covid_cxr")
    pooled, _ = pool_splits(
        {
            "nih": split(train=["nih:1"], validation=["nih:2"]),
            "rsna": split(train=["nih:2"], validation=["nih:1", "nih:4"]),
        },
        NOTHING_SHARED,
    )

    parts = pooled.groupby("patient_id")["part"].agg(set).to_dict()
    assert parts == {"nih:1": {"train"}, "nih:2": {"train"}, "nih:4": {"validation"}}
    assert "left 2 validation images out" in caplog.text


def test_nobody_tested_on_is_in_another_cohorts_parts():
    pooled, _ = pool_splits(
        {
            "nih": split(train=["nih:1", "nih:2"]),
            "covid": split(train=["covid:1"], test=["nih:2"]),
        },
        NOTHING_SHARED,
    )

    assert set(pooled["image_id"]) == {"nih:0.png", "covid:0.png", "covid:1.png"}


def test_a_shared_picture_makes_two_patients_one():
    shared = pairs(("nih", "nih:1", "clinic", "clinic:7"))
    pooled, crossing = pool_splits(
        {
            "nih": split(train=["nih:2"], test=["nih:1"]),
            "clinic": split(train=["clinic:7", "clinic:8"], validation=["clinic:9"]),
        },
        shared,
    )

    assert set(pooled["patient_id"]) == {"nih:1", "nih:2", "clinic:8", "clinic:9"}
    assert crossing.to_dict("records") == [
        {
            "image_id": "clinic:0.png",
            "patient_id": "clinic:7",
            "reason": "patient in the test part of another cohort",
        }
    ]


def test_a_picture_of_a_cohort_outside_the_pool_links_nobody():
    shared = pairs(("nih", "nih:1", "covid", "clinic:7"))
    splits = {"nih": split(test=["nih:1"]), "clinic": split(train=["clinic:7"])}

    assert pool_splits(splits, shared)[1].empty


def test_a_draw_is_found_again_in_the_pool():
    own = split(train=["nih:1"], test=["nih:2"])
    pooled, _ = pool_splits(
        {"nih": own, "clinic": split(train=["clinic:1"])}, NOTHING_SHARED
    )

    pd.testing.assert_frame_equal(of_cohort(pooled, "nih", among=["nih", "c"]), own)
    assert of_cohort(own, "nih", among=["nih"]) is own
    assert of_cohort(pooled[:0], "nih", among=["nih", "c"]).empty


def pool_two(*, first, second, second_tells=("a", "b")):
    """Pool two cohorts of six patients, in both parts; a draws to the label a."""
    ids = {"nih": [f"nih:{n}" for n in range(6)], "own": [f"own:{n}" for n in range(6)]}
    labels = {"nih": first, "own": second}
    tables = {}
    for cohort, patients in ids.items():
        tables[f"{cohort}_curated"] = curated(patients, **labels[cohort])
        tables[f"{cohort}_split"] = split(train=patients[:3], validation=patients[3:5])
        left_out = tables[f"{cohort}_curated"].iloc[5:][["image_id", "patient_id"]]
        tables[f"{cohort}_left_out"] = left_out.assign(reason="not drawn")
    told = {"nih": ["a", "b"], "own": [*second_tells]}
    return pool_draws(["a", "b"], told, NOTHING_SHARED, **tables)


def test_every_image_is_in_the_pooled_split_or_left_out_of_it():
    both = [True, False] * 3
    pooled, parts, left_out = pool_two(first={"a": both}, second={"a": both, "b": both})

    assert sorted([*parts["image_id"], *left_out["image_id"]]) == sorted(
        pooled["image_id"]
    )
    assert left_out["reason"].tolist() == ["not drawn"] * 2
    assert pooled.loc[pooled["cohort"] == "nih", "b"].isna().all()


def test_a_label_that_a_cohort_is_not_to_tell_is_missing_though_its_table_has_it():
    both = {"a": [True, False] * 3, "b": [True, False] * 3}
    pooled, _, _ = pool_two(first=both, second=both, second_tells=["a"])

    own = pooled["cohort"] == "own"
    assert pooled.loc[own, "b"].isna().all()
    assert pooled.loc[own, "a"].notna().all()
    assert pooled.loc[~own, ["a", "b"]].notna().all(axis=None)


@pytest.mark.parametrize(
    ("b", "part"),
    [([False] * 3 + [True] * 3, "train"), ([True] * 3 + [False] * 3, "validation")],
)
def test_a_masked_label_without_positives_stops_before_training(b, part):
    both = [True, False] * 3

    with pytest.raises(ValueError, match=f"the {part} part is positive for b, .* own"):
        pool_two(first={"a": both}, second={"a": both, "b": b})


def test_a_label_that_all_cohorts_tell_may_be_rare():
    both = [True, False] * 3
    rare = {"a": both, "b": [False] * 6}

    assert len(pool_two(first=rare, second=rare)) == 3


def test_different_people_of_one_number_are_refused():
    patients = [f"hospital:{number}" for number in range(4)]
    cohorts = {
        "north": curated(patients, sex=["F", "M", "F", "M"], a=[True] * 4),
        "south": curated(patients, sex=["M", "M", "M", "M"], a=[True] * 4),
    }

    with pytest.raises(ValueError, match=r"north and south claim .* 2 of the 4 .*:0:"):
        pool_radiographs(cohorts, labels=["a"])


def test_a_few_wrong_sexes_are_no_other_people():
    patients = [f"nih:{number}" for number in range(20)]
    cohorts = {
        "nih": curated(patients, sex=["F"] * 20, a=[True] * 20),
        "rsna": curated(patients, sex=["F"] * 18 + ["M", "unknown"], a=[True] * 20),
    }

    assert len(pool_radiographs(cohorts, labels=["a"])) == 40
