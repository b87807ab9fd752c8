"""Defects planted among the raw files: curation names exactly these, none else."""

import pandas as pd
import pytest

from covid_cxr.patients.duplicates import DuplicateSearch, find_duplicates_across
from covid_cxr.radiographs.lung_masks import decode_masks
from covid_cxr.radiographs.store import open_store

COHORTS = ("nih", "rsna", "covid")
COPIES = {"copy": "exact", "stored_anew": "near", "inverted_copy": "near"}
BROKEN = ["corrupt", "missing", "truncated", "wrong_size"]


@pytest.fixture(scope="module")
def read(planted):
    """Return a function that reads a table of the planted hospital."""
    return lambda name: pd.read_parquet(planted / f"{name}.parquet")


@pytest.fixture(scope="module")
def defects(read):
    return read("02_intermediate/synthetic_defects")


def names(defects, cohort, kinds):
    """Return the images of a cohort that have one of the kinds of defects."""
    of_kind = (defects["cohort"] == cohort) & defects["defect"].isin(kinds)
    return set(defects.loc[of_kind, "image_id"])


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_broken_file_is_rejected_and_no_other(read, defects, cohort):
    rejected = read(f"03_primary/{cohort}_rejected")

    broken = names(defects, cohort, BROKEN)
    assert len(broken) == len(BROKEN)
    assert set(rejected["image_id"]) == broken
    reason = rejected.set_index("image_id")["reason"]
    (missing,) = names(defects, cohort, ["missing"])
    assert "missing" in reason[missing]
    assert not reason.drop(missing).str.contains("missing").any()


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_copy_is_found_with_its_original_and_no_other(read, defects, cohort):
    pairs = read(f"03_primary/{cohort}_duplicates")

    planted = defects[(defects["cohort"] == cohort) & defects["defect"].isin(COPIES)]
    expected = {
        (
            *sorted([row.image_id, row.of_image_id]),
            COPIES[row.defect],
            row.defect == "inverted_copy",
        )
        for row in planted.itertuples()
    }
    columns = ["first_image_id", "second_image_id", "kind", "is_inverted"]
    assert len(expected) == len(COPIES)
    assert set(pairs[columns].itertuples(index=False, name=None)) == expected
    assert (pairs["first_patient_id"] != pairs["second_patient_id"]).all()


@pytest.mark.parametrize("cohort", COHORTS)
def test_every_negative_is_a_polarity_suspect_and_no_other(read, defects, cohort):
    curated = read(f"03_primary/{cohort}_curated")

    suspects = set(curated.loc[curated["is_polarity_suspect"], "image_id"])

    assert suspects == names(defects, cohort, ["inverted", "inverted_copy"])


def test_a_radiograph_in_two_cohorts_is_found_across_them(planted, read, defects):
    cohorts = ("nih", "covid")
    stores = {
        name: open_store(planted / f"03_primary/{name}_store") for name in cohorts
    }
    pairs = find_duplicates_across(
        {name: read(f"03_primary/{name}_curated") for name in cohorts},
        stores,
        DuplicateSearch(
            max_distance=20, max_inverted_distance=48, min_correlation=0.97
        ),
    )

    (shared,) = defects[defects["defect"] == "in_two_cohorts"].itertuples()
    assert pairs[["first_image_id", "second_image_id"]].to_numpy().tolist() == [
        [shared.of_image_id, shared.image_id]
    ]


def test_a_patient_with_a_turned_result_is_listed_and_no_other(read, defects):
    mixed = read("03_primary/covid_mixed_results")

    (image,) = names(defects, "covid", ["mixed_labels"])
    curated = read("03_primary/covid_curated").set_index("image_id")
    assert mixed["patient_id"].tolist() == [curated["patient_id"][image]]


def test_every_radiograph_that_shows_its_own_patient_has_a_lung_mask(read, defects):
    lungs = read("03_primary/covid_lungs")

    curated = read("03_primary/covid_curated")
    foreign = names(defects, "covid", [*COPIES, "in_two_cohorts"])
    assert set(lungs["image_id"]) == set(curated["image_id"]) - foreign
    assert read("03_primary/covid_lungs_rejected").empty
    masks = decode_masks(lungs, lungs["image_id"].to_list())
    assert masks.shape[1:] == (64, 64)
    # The crop leaves a margin around the lungs.
    assert masks.mean(axis=(1, 2)).min() > 0.25
    assert masks[:, [0, -1], :].mean() < 0.05


@pytest.mark.parametrize(
    ("training_set", "cohort"),
    [("phase1", "nih"), ("phase2_rsna", "rsna"), ("phase3", "covid")],
)
def test_linked_patients_are_in_one_part_and_every_image_is_accounted_for(
    read, training_set, cohort
):
    split = read(f"05_model_input/{training_set}_split")
    left_out = read(f"05_model_input/{training_set}_left_out")

    curated = read(f"03_primary/{cohort}_curated")
    assert sorted([*split["image_id"], *left_out["image_id"]]) == sorted(
        curated["image_id"]
    )
    part = split.drop_duplicates("patient_id").set_index("patient_id")["part"]
    pairs = read(f"03_primary/{cohort}_duplicates")
    for pair in pairs.itertuples():
        parts = part.reindex([pair.first_patient_id, pair.second_patient_id]).dropna()
        assert len(set(parts)) <= 1


def test_planted_copies_with_different_results_are_listed(read):
    curated = read("03_primary/covid_curated").set_index("image_id")["covid19"]
    pairs = read("03_primary/covid_duplicates")

    mixed = read("03_primary/covid_mixed_copies")

    first, second = (
        curated[pairs[f"{end}_image_id"]].to_numpy(bool) for end in ("first", "second")
    )
    differing = pairs[first != second]
    assert set(mixed["image_id"]) == {
        *differing["first_image_id"],
        *differing["second_image_id"],
    }
