"""The audit of the planted hospital, with leaks put into its splits."""

import json
import re
import shutil

import pandas as pd
import pytest
from kedro.validation.exceptions import DataValidationError

from covid_cxr.pipelines.audit.pipeline import create_pipeline
from covid_cxr.study.current import current

COPIES = {
    "copy": "same_image",
    "stored_anew": "duplicate",
    "inverted_copy": "duplicate",
}


def split_file(data_root, training_set):
    return data_root / f"05_model_input/{training_set}_split.parquet"


def put(split, patients, part):
    """Return the split with all images of these patients in one part."""
    return split.assign(
        part=split["part"].mask(split["patient_id"].isin(patients), part)
    )


def patients_of(curated, image_ids):
    return set(curated.loc[curated["image_id"].isin(image_ids), "patient_id"])


@pytest.fixture(scope="module")
def defects(planted):
    return pd.read_parquet(planted / "02_intermediate/synthetic_defects.parquet")


@pytest.fixture(scope="module")
def leaking(planted, defects, tmp_path_factory):
    """Return a data root where each copy of a COVID-19 image is held out from it.

    And where the COVID-19 image that shows an NIH radiograph is held out while phase 1
    trains on that radiograph.
    """
    data_root = tmp_path_factory.mktemp("leaking")
    for folder in ("03_primary", "05_model_input"):
        shutil.copytree(planted / folder, data_root / folder)
    of_covid = defects[defects["cohort"] == "covid"]
    copies = of_covid[of_covid["defect"].isin([*COPIES, "in_two_cohorts"])]
    for training_set, cohort in {"phase3": "covid", "phase1": "nih"}.items():
        curated = pd.read_parquet(planted / f"03_primary/{cohort}_curated.parquet")
        split = pd.read_parquet(split_file(planted, training_set))
        originals = copies.loc[copies["of_cohort"] == cohort, "of_image_id"]
        split = put(split, patients_of(curated, originals), "train")
        if cohort == "covid":
            split = put(split, patients_of(curated, copies["image_id"]), "test")
        split.to_parquet(split_file(data_root, training_set))
    return data_root


@pytest.fixture(scope="module")
def warned(leaking, run_kedro):
    """Return the log of the finished audit that warns of every leak."""
    run_kedro("audit", data_root=leaking)
    return (leaking / "run.log").read_text()


def leaks_of(data_root, stage):
    leaks = pd.read_parquet(data_root / "05_model_input/leaks.parquet")
    shown = leaks[leaks["stage"] == stage]
    columns = ["image_id", "part", "earlier_stage", "earlier_part", "earlier_image_id"]
    return set(shown[[*columns, "kind"]].itertuples(index=False, name=None))


def test_the_audit_needs_what_curation_writes_and_nothing_else():
    data = {n for n in create_pipeline().inputs() if not n.startswith("params:")}

    kinds = ("curated", "duplicates")
    assert data == {
        *(f"{name}_split" for name in current().training_sets),
        *(f"{cohort}_{kind}" for cohort in current().cohorts for kind in kinds),
        *("covid_store", "duplicates_across"),
    }


def test_an_audit_that_warns_ends_well_and_says_so(warned):
    assert re.search("WARNING .*leakage audit: path_f.phase3, test:", warned)


def test_every_planted_copy_is_named_with_its_original_and_no_other(
    leaking, warned, defects
):
    of_covid = defects[defects["cohort"] == "covid"]
    expected = {
        (
            row.image_id,
            "test",
            "path_f.phase3",
            "train",
            row.of_image_id,
            COPIES[row.defect],
        )
        for row in of_covid[of_covid["defect"].isin(COPIES)].itertuples()
    }

    assert len(expected) == len(COPIES)
    assert leaks_of(leaking, "path_f.phase3") == expected


def test_an_image_in_two_cohorts_is_named_where_its_other_cohort_was_learned(
    leaking, warned, defects
):
    (row,) = defects[defects["defect"] == "in_two_cohorts"].itertuples()

    inherited = {
        leak for leak in leaks_of(leaking, "path_c.phase3") if leak[2] == "phase1"
    }
    assert {leak[:5] for leak in inherited} == {
        (row.image_id, "test", "phase1", "train", row.of_image_id)
    }


def test_what_metadata_tell_is_written_for_every_training_set(leaking, warned):
    for name in ("associations", "metadata_auroc", "cross_tables"):
        table = pd.read_csv(leaking / f"08_reporting/{name}.csv")

        assert set(table["training_set"]) == set(current().training_sets), name


def test_an_audit_that_is_to_fail_fails_after_its_tables_are_written(
    leaking, warned, run_kedro
):
    verdict = leaking / "08_reporting/audit_verdict.json"
    verdict.unlink()

    with pytest.raises(ValueError, match=r"path_f\.phase3, test: 2 of"):
        run_kedro(
            "audit",
            data_root=leaking,
            params={"audit": {"on_leak": {"duplicate": "fail"}}},
        )

    assert json.loads(verdict.read_text())["stages"]["path_f.phase3"] == "fail"


def test_a_split_edited_by_hand_fails_and_names_its_patient(
    leaking, run_kedro, tmp_path
):
    shutil.copytree(leaking, tmp_path, dirs_exist_ok=True)
    split = pd.read_parquet(split_file(leaking, "phase3"))
    patient = split["patient_id"].value_counts().index[0]
    first = split.index[split["patient_id"] == patient][0]
    was_test = split.loc[first, "part"] == "test"
    part = split["part"].where(split.index != first, "train" if was_test else "test")
    split.assign(part=part).to_parquet(split_file(tmp_path, "phase3"))

    with pytest.raises(DataValidationError, match=re.escape(patient)):
        run_kedro("audit", data_root=tmp_path)
