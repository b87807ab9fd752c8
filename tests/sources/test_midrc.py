import io
import logging

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from covid_cxr.radiographs.folder import list_folder
from covid_cxr.sources.midrc import MidrcIngestion, list_midrc, list_unmatched_midrc
from covid_cxr.user_csv import read_user_csv

UIDS = [f"2.16.840.1.114274.1818.{number}" for number in range(1, 8)]


def tsv(name, *rows):
    return read_user_csv("\n".join("\t".join(row) for row in rows).encode(), name=name)


STUDY_HEADER = (
    "type", "project_id", "submitter_id", "study_uid", "case_ids", "study_modality",
    "age_at_imaging", "age_at_imaging_gt89", "days_from_study_to_pos_covid_test",
    "days_from_study_to_neg_covid_test",
)  # fmt: skip
CASES = tsv(
    "case.tsv",
    ("type", "submitter_id", "project_id", "sex", "age_at_index", "site_id",
     "covid19_positive"),
    ("case", "10000364-1", "Open-A1", "Female", "60", "S1", "Yes"),
    ("case", "10000364-2", "Open-A1", "Male", "50", "S1", "No"),
    ("case", "10000364-3", "Open-R1", "Not Reported", "89", "", "Yes"),
)  # fmt: skip


def studies_of(*rows):
    """Return imaging_study.tsv: case, days to positive and negative tests of each."""
    return tsv(
        "imaging_study.tsv",
        STUDY_HEADER,
        *(
            ("imaging_study", "Open-A1", uid, uid, f"10000364-{case}", "CR", age, gt89,
             positive, negative)
            for uid, (case, age, gt89, positive, negative) in zip(
                UIDS, rows, strict=False
            )
        ),
    )  # fmt: skip


STUDIES = studies_of(
    ("1", "61", "No", "[-3, 40]", "[]"),
    ("2", "", "", "", "5"),
    ("3", "", "Yes", "14", "0,2"),
)


@pytest.fixture
def downloaded(tmp_path):
    def make(studies, *, folder="case/{uid}/series/1.dcm", modality="CR"):
        for uid in studies:
            dataset = Dataset()
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
            dataset.SOPInstanceUID = generate_uid()
            dataset.StudyInstanceUID = uid
            dataset.Modality = modality
            dataset.ViewPosition = "AP"
            file = io.BytesIO()
            dataset.save_as(file, enforce_file_format=True)
            path = tmp_path / folder.format(uid=uid)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.getvalue())
        return list_folder(tmp_path)

    return make


def read(images, studies=STUDIES, cases=CASES, measurements=None, **choices):
    return list_midrc(studies, cases, measurements, images, MidrcIngestion(**choices))


def test_both_classes_come_from_tests_near_the_study(downloaded, caplog):
    caplog.set_level(logging.INFO)

    radiographs, rejected = read(downloaded(UIDS[:3]))

    assert rejected.empty
    assert radiographs["covid19"].tolist() == [True, False, True]
    assert radiographs["patient_id"].tolist() == [
        f"midrc:10000364-{number}" for number in (1, 2, 3)
    ]
    assert radiographs["sex"].tolist() == ["F", "M", "unknown"]
    assert radiographs["age_years"].tolist() == [61, 50, 89]
    assert radiographs["site"].tolist() == ["S1", "S1", "Open-R1"]
    assert radiographs["source"].tolist() == ["midrc-open-a1"] * 2 + ["midrc-open-r1"]
    assert radiographs["view"].tolist() == ["AP"] * 3
    assert "1 of 3 studies have a positive and a negative test within 14" in caplog.text
    assert "midrc-open-r1 (1 images, all positive)" in caplog.text


@pytest.mark.parametrize(
    ("positive", "negative", "max_days", "label"),
    [
        ("14", "", 14, True),
        ("-14", "", 14, True),
        ("15", "", 14, None),
        ("15", "3", 14, False),
        ("-15", "", 15, True),
        ("", "0", 0, False),
        ("1", "0", 0, False),
        ("", "", 14, None),
        ("[400, 2]", "", 14, True),
        ("['2']", "", 14, True),
        ("2.0", "", 14, True),
        ("None", "1", 14, False),
    ],
)
def test_a_test_counts_up_to_the_days_that_are_asked_for(
    downloaded, positive, negative, max_days, label
):
    studies = studies_of(
        ("1", "", "", positive, negative),
        ("3", "", "", "0", ""),
        ("2", "", "", "", "0"),
    )

    radiographs, rejected = read(downloaded(UIDS[:3]), studies, max_days=max_days)

    found = radiographs.set_index("study_uid")["covid19"]
    if label is None:
        assert rejected["reason"].tolist() == [
            f"no COVID-19 test within {max_days} days of the study"
        ]
        return
    assert found[UIDS[0]] == label


def test_days_are_counted_from_the_tests_where_studies_do_not_say_them(downloaded):
    said = STUDIES.drop(columns=["days_from_study_to_pos_covid_test",
                                 "days_from_study_to_neg_covid_test"])  # fmt: skip
    studies = said.assign(days_to_study=["10", "-4", "0"])
    tests = tsv(
        "measurement.tsv",
        ("case_ids", "test_days_from_index", "test_name", "test_result_text"),
        ("10000364-1", "24", "COVID-19", "Positive"),
        ("10000364-1", "60", "COVID-19", "Negative"),
        ("10000364-2", "10", "COVID-19", "Negative"),
        ("10000364-2", "10", "Influenza", "Positive"),
        ("10000364-3", "3", "COVID-19", "Not Reported"),
    )

    radiographs, rejected = read(downloaded(UIDS[:3]), studies, measurements=tests)

    assert radiographs["covid19"].tolist() == [True, False]
    assert rejected["reason"].tolist() == [
        "no COVID-19 test within 14 days of the study"
    ]


def test_without_days_and_tests_it_says_what_to_export(downloaded):
    studies = STUDIES.drop(columns="days_from_study_to_neg_covid_test")

    with pytest.raises(ValueError, match=r"there is no measurement\.tsv .*Export them"):
        read(downloaded(UIDS[:3]), studies)


@pytest.mark.parametrize("column", ["cases.submitter_id", "case_ids_0", "case_ids"])
def test_cases_are_named_as_each_export_names_them(downloaded, column):
    studies = STUDIES.rename(columns={"case_ids": column})

    radiographs, _ = read(downloaded(UIDS[:3]), studies)

    assert radiographs["patient_id"][0] == "midrc:10000364-1"


def test_a_table_without_cases_names_what_came(downloaded):
    with pytest.raises(ValueError, match=r"lacks a column of cases, case_ids or cases"):
        read(downloaded(UIDS[:3]), STUDIES.drop(columns="case_ids"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("2", "", "", "0", ""), "has a positive test, but its case never was"),
        (("1", "", "", "1.5", "0"), "days to its tests are no whole numbers"),
        (("1", "", "", "0", "soon"), "days to its tests are no whole numbers"),
        (("1, 10000364-2", "", "", "0", ""), "its study has no case, or several"),
    ],
)
def test_a_study_that_contradicts_itself_is_rejected(downloaded, row, reason):
    studies = studies_of(row, ("3", "", "", "0", ""), ("2", "", "", "", "0"))

    radiographs, rejected = read(downloaded(UIDS[:3]), studies)

    assert len(radiographs) == 2
    assert [text.startswith(reason) for text in rejected["reason"]] == [True]


def test_a_study_listed_twice_differently_is_rejected(downloaded):
    studies = STUDIES.copy()
    studies.loc[1, "study_uid"] = UIDS[0]

    _, rejected = read(downloaded(UIDS[:1] + UIDS[2:3]), studies)

    assert rejected["reason"].tolist() == ["its study is listed twice, differently"]


def test_the_imaging_studies_of_the_explorer_are_enough(downloaded):
    studies = STUDIES.assign(sex=["Female", "Male", ""], site_id=["S1", "S2", "S3"])

    radiographs, _ = read(downloaded(UIDS[:3]), studies, None)

    assert radiographs["sex"].tolist() == ["F", "M", "unknown"]
    assert radiographs["site"].tolist() == ["S1", "S2", "S3"]


@pytest.mark.parametrize(
    "folder", ["{uid}.dcm", "Open-A1/{uid}/1.2.3/1.dcm", "a/b/c/d/{uid}/x.dcm"]
)
def test_files_are_found_at_any_depth(downloaded, folder):
    radiographs, rejected = read(downloaded(UIDS[:3], folder=folder))

    assert rejected.empty
    assert radiographs["study_uid"].tolist() == UIDS[:3]


def test_a_file_without_header_is_found_by_its_folder(downloaded, tmp_path):
    downloaded(UIDS[:2])
    damaged = tmp_path / UIDS[2] / "1.dcm"
    damaged.parent.mkdir()
    damaged.write_bytes(b"damaged")

    radiographs, _ = read(list_folder(tmp_path))

    assert radiographs["study_uid"].tolist() == [UIDS[2], *UIDS[:2]]


def test_ct_is_left_out_and_counted(downloaded, caplog):
    caplog.set_level(logging.INFO)
    downloaded(UIDS[:3])

    radiographs, rejected = read(
        downloaded(UIDS[:1], folder="ct/{uid}/2.dcm", modality="CT")
    )

    assert (len(radiographs), len(rejected)) == (3, 0)
    assert "1 files are no radiographs and are left out, 1 of them CT" in caplog.text


def test_studies_without_files_and_files_without_a_study_find_nothing(downloaded):
    studies = STUDIES.assign(study_modality=["CR", "['CT']", "DX,CT"])

    listed, rejected = read(downloaded([UIDS[0], UIDS[6]]), studies)
    unmatched = list_unmatched_midrc(listed, rejected)

    assert unmatched[["list", "n_names"]].to_numpy().tolist() == [
        ["imaging_study.tsv", 2],
        ["the folder of MIDRC", 2],
    ]
    assert unmatched["image"].tolist() == [
        UIDS[2],
        f"case/{UIDS[6]}/series/1.dcm",
    ]


def test_a_case_with_two_rows_stops(downloaded):
    with pytest.raises(ValueError, match=r"case\.tsv has 3 rows of a case that it has"):
        read(downloaded(UIDS[:3]), cases=CASES.loc[[0, 0, 1, 1, 2, 2]])


@pytest.mark.parametrize("days", [-1, 1.5, "14", True, None])
def test_days_that_are_no_count_are_refused(days):
    with pytest.raises(ValueError, match="max_days must be a whole number of at"):
        MidrcIngestion(max_days=days)
