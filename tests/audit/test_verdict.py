"""What is said and done about leaks."""

import dataclasses
import logging

import pytest

from covid_cxr.audit.on_leak import OnLeak
from covid_cxr.audit.verdict import judge


def in_two_parts(study):
    """Put a training image's patient into the test part of phase 3, too."""
    study.curated["covid"] = study.curated["covid"].replace(
        {"patient_id": {"covid:6": "covid:0"}}
    )
    return study


def test_a_leak_to_warn_of_is_logged_with_its_counts(study, caplog):
    study.duplicates = [("rsna", "rsna0", "rsna", "rsna3", "near")]
    _, _, verdict = study.audit()

    with caplog.at_level(logging.WARNING):
        judge(verdict)

    assert verdict["verdict"] == "warn"
    assert verdict["stages"]["path_d.phase2"] == "warn"
    assert verdict["stages"]["path_d.phase3"] == "clean"
    assert (
        "path_d.phase2, validation: 1 of 2 images, of 1 of 2 patients: a duplicate is "
        "in path_d.phase2, train"
    ) in caplog.text


def test_a_leak_to_fail_stops_the_run_and_says_what_to_do(study):
    study.on_leak = dataclasses.replace(study.on_leak, duplicate="fail")
    study.duplicates = [("nih", "00000001_000.png", "covid", "covid6", "near")]
    _, _, verdict = study.audit()

    with pytest.raises(ValueError, match="3 leaks that fail") as stopped:
        judge(verdict)

    assert "path_a.phase3, test: 1 of 2 images" in str(stopped.value)
    assert "audit.on_leak" in str(stopped.value)


def test_a_patient_in_two_parts_of_a_training_set_always_fails(study):
    study.duplicates = [("covid", "covid0", "covid", "covid6", "near")]
    _, leakage, verdict = in_two_parts(study).audit()

    failed = leakage[leakage["verdict"] == "fail"]
    assert set(failed["kind"]) == {"same_patient"}
    with pytest.raises(ValueError, match=r"path_f\.phase3, test: 1 of 2 .*\(covid:0\)"):
        judge(verdict)


def test_a_patient_of_whom_one_image_only_is_mapped_is_still_one(study):
    images = ["00000020_000.png", *[None] * 6]
    in_two_parts(study).curated["covid"]["nih_image"] = images

    assert study.audit()[2]["stages"]["path_f.phase3"] == "fail"


def test_patients_are_named_by_the_radiograph_table_not_by_an_edited_split(study):
    in_two_parts(study)
    assert study.splits["phase3"]["patient_id"].is_unique

    assert study.audit()[2]["stages"]["path_f.phase3"] == "fail"


def test_rsna_images_taken_for_patients_of_their_own_are_a_choice(study):
    """`patient_identity: kaggle_id`, the paper's: judged by on_leak.same_patient."""
    study.curated["rsna"] = study.curated["rsna"].assign(
        nih_image=["00000020_000.png", None, "00000020_001.png", None]
    )
    _, leakage, verdict = study.audit()

    leaking = leakage[leakage["n_images"] > 0]
    assert set(leaking["stage"]) == {"path_a.phase2", "path_d.phase2"}
    assert set(leaking["kind"]) == {"same_patient"}
    assert verdict["verdict"] == "warn"


@pytest.mark.parametrize(
    ("weights", "expected"),
    [("imagenet", "clean"), ("none", "clean"), ("weights/chest.safetensors", "warn")],
)
def test_weights_from_a_file_are_a_finding_of_their_own(study, weights, expected):
    study.weights = weights
    _, leakage, verdict = study.audit()

    assert verdict["verdict"] == expected
    if expected == "warn":
        assert set(verdict["stages"].values()) == {"warn"}
        assert "is not known" in verdict["findings"][0]["text"]
        unknown = leakage[leakage["kind"] == "unknown_ancestry"]
        assert (unknown["n_images"] == unknown["of_images"]).all()
        assert len(unknown) == 2 + 4 + 2 * 6


def test_unknown_ancestry_fails_where_it_is_to(study):
    study.weights = "weights/chest.safetensors"
    study.on_leak = dataclasses.replace(study.on_leak, unknown_ancestry="fail")

    with pytest.raises(ValueError, match="is not known"):
        judge(study.audit()[2])


def test_what_is_neither_fail_nor_warn_is_refused():
    with pytest.raises(ValueError, match=r"audit\.on_leak\.duplicate.*'ignore'"):
        OnLeak(
            same_image="fail",
            duplicate="ignore",
            same_patient="warn",
            unknown_ancestry="warn",
        )
