"""Planted leaks: the audit names exactly those, and none else."""

import pandas as pd
import pytest


def found(study):
    """Return (stage, part, image, earlier stage, earlier part, earlier image, kind)."""
    leaks, _, _ = study.audit()
    columns = ["stage", "part", "image_id", "earlier_stage", "earlier_part"]
    columns = [*columns, "earlier_image_id", "kind"]
    return set(leaks[columns].itertuples(index=False, name=None))


def mapped(rsna, number, nih_image):
    """Return the RSNA table with one image found to be one of ChestX-ray14."""
    images = [nih_image if i == number else None for i in range(len(rsna))]
    return rsna.assign(nih_image=pd.Series(images, dtype="str"))


def with_true_patients(rsna):
    patient = "nih:" + rsna["nih_image"].str[:8].astype("Int64").astype("str")
    return rsna.assign(patient_id=patient.fillna(rsna["patient_id"]))


def test_a_study_without_leaks_is_clean(study):
    leaks, leakage, verdict = study.audit()

    assert leaks.empty
    assert set(leakage["verdict"]) == {"clean"}
    assert verdict["verdict"] == "clean"
    assert verdict["findings"] == []
    assert len(verdict["stages"]) == 11


def test_an_image_of_phase_1_under_its_rsna_name_leaks_into_path_a_only(study):
    study.curated["rsna"] = mapped(study.curated["rsna"], 2, "00000001_000.png")

    leak = ("path_a.phase2", "validation", "rsna2", "phase1", "train")
    assert found(study) == {
        (*leak, "00000001_000.png", "same_image"),
        (*leak, "00000001_000.png", "same_patient"),
    }


def test_an_image_that_chose_the_weights_of_phase_1_is_told_apart(study):
    study.curated["rsna"] = mapped(study.curated["rsna"], 2, "00000004_000.png")

    assert {row[3:5] for row in found(study)} == {("phase1", "validation")}


def test_an_image_of_the_test_part_of_phase_1_is_no_leak(study):
    study.curated["rsna"] = mapped(study.curated["rsna"], 2, "00000006_000.png")

    assert found(study) == set()


def test_training_on_an_image_again_is_no_leak(study):
    study.curated["rsna"] = mapped(study.curated["rsna"], 0, "00000001_000.png")

    assert found(study) == set()


def test_another_image_of_a_patient_leaks_as_the_same_patient(study):
    rsna = mapped(study.curated["rsna"], 3, "00000002_001.png")
    study.curated["rsna"] = with_true_patients(rsna)

    leak = ("path_a.phase2", "validation", "rsna3", "phase1", "train")
    assert found(study) == {(*leak, "00000002_000.png", "same_patient")}


@pytest.mark.parametrize(
    ("kind", "named"), [("exact", "same_image"), ("near", "duplicate")]
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_a_duplicate_leaks_into_every_descendant(study, kind, named, is_turned):
    pair = [("nih", "00000003_000.png"), ("covid", "covid6")]
    study.duplicates = [(*pair[is_turned], *pair[not is_turned], kind)]

    assert found(study) == {
        (
            f"path_{letter}.phase3",
            "test",
            "covid6",
            "phase1",
            "train",
            "00000003_000.png",
            named,
        )
        for letter in "abc"
    }


@pytest.mark.parametrize("first", ["covid9", "covid0"])
def test_copies_of_one_picture_leak_whichever_of_them_is_named_first(study, first):
    """Pairs name each copy beside the first only, which may be in no part."""
    study.duplicates = [
        ("covid", first, "covid", copy, "exact") for copy in ("covid1", "covid6")
    ]

    leaks = {row for row in found(study) if row[0] == "path_f.phase3"}
    named = "covid0" if first == "covid0" else "covid1"
    stage = "path_f.phase3"
    assert leaks == {(stage, "test", "covid6", stage, "train", named, "same_image")}


def test_what_is_near_to_a_copy_is_near_to_all_of_them(study):
    study.duplicates = [
        ("covid", "covid9", "covid", "covid1", "exact"),
        ("covid", "covid6", "covid", "covid9", "near"),
    ]

    leaks = {row for row in found(study) if row[0] == "path_f.phase3"}
    stage = "path_f.phase3"
    assert leaks == {(stage, "test", "covid6", stage, "train", "covid1", "duplicate")}


def test_a_duplicate_between_the_parts_of_one_training_set_leaks(study):
    study.duplicates = [("rsna", "rsna0", "rsna", "rsna3", "near")]

    leaks = {row[0]: row[2:] for row in found(study)}
    assert set(leaks) == {"path_a.phase2", "path_d.phase2"}
    assert leaks["path_d.phase2"] == (
        "rsna3",
        "path_d.phase2",
        "train",
        "rsna0",
        "duplicate",
    )


def test_a_duplicate_within_the_training_part_is_no_leak(study):
    study.duplicates = [("rsna", "rsna0", "rsna", "rsna1", "near")]

    assert found(study) == set()


def test_a_test_image_that_chose_the_weights_leaks(study):
    study.duplicates = [("covid", "covid3", "covid", "covid5", "exact")]

    leaks = {row for row in found(study) if row[0] == "path_f.phase3"}
    assert leaks == {
        (
            "path_f.phase3",
            "test",
            "covid5",
            "path_f.phase3",
            "validation",
            "covid3",
            "same_image",
        )
    }


def test_an_image_whose_cohorts_share_a_name_is_not_the_same(study):
    covid = study.curated["covid"]
    study.curated["covid"] = covid.replace({"image_id": {"covid6": "00000001_000.png"}})
    study.splits["phase3"] = study.splits["phase3"].replace(
        {"image_id": {"covid6": "00000001_000.png"}}
    )

    assert found(study) == set()


def test_counts_are_of_images_and_of_patients(study):
    covid = study.curated["covid"].replace({"patient_id": {"covid:6": "covid:5"}})
    study.curated["covid"] = covid
    study.duplicates = [
        ("covid", "covid0", "covid", "covid5", "near"),
        ("covid", "covid0", "covid", "covid6", "near"),
    ]
    _, leakage, _ = study.audit()

    row = leakage[(leakage["stage"] == "path_f.phase3") & (leakage["n_images"] > 0)]
    counts = row[["kind", "n_images", "n_patients", "of_images", "of_patients"]]
    assert counts.to_numpy().tolist() == [["duplicate", 2, 1, 2, 1]]


def test_images_without_their_own_row_are_refused(study):
    study.curated["covid"] = study.curated["covid"].iloc[1:]

    with pytest.raises(
        ValueError, match=r"1 images of phase3_split.*covid, such as covid0"
    ):
        study.audit()
