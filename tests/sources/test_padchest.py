"""PadChest: the raw table as published, with its traps."""

import csv
import io
import logging

import pandas as pd
import pytest

from covid_cxr.sources.padchest import (
    PadchestIngestion,
    list_padchest,
    list_unmatched_padchest,
)
from covid_cxr.user_csv import read_user_csv

HEADER = [  # of the published table, whose first column has no name
    *("", "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID"),
    *("PatientBirth", "PatientSex_DICOM", "ViewPosition_DICOM", "Projection"),
    *("MethodProjection", "Pediatric", "Report", "MethodLabel", "Labels"),
    *("Localizations", "LabelsLocalizationsBySentence"),
]
A, B = "20536686640136348236148679891455886468_k6ga29.png", "1_00-102-064.png"


def row(name=A, labels="['normal']", **cells):
    stated = {
        "ImageID": name,
        "ImageDir": "0",
        "StudyDate_DICOM": "20140915",
        "StudyID": f"study of {name}",
        "PatientID": "839860488694292331637988235681460987",
        "PatientBirth": "1930.0",
        "PatientSex_DICOM": "F",
        "Projection": "PA",
        "MethodLabel": "Physician",
        "Report": "sin hallazg , pleur .",
        "Labels": labels,
        "LabelsLocalizationsBySentence": "[['normal', 'loc cardiac']]",
        **cells,
    }
    return [stated.get(name, "") for name in HEADER]


def table(*rows):
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return read_user_csv(text.getvalue().encode(), name="PADCHEST.csv")


def listed(*rows, folder, findings=("pneumonia",), **ingestion):
    return list_padchest(
        table(*rows), folder, list(findings), PadchestIngestion(**ingestion)
    )


def labels_of(labels, folder, *, findings):
    """Return the findings of a row with these labels, in the order asked for."""
    rows = [row(A, labels), row(B, "['pneumothorax']")]
    radiographs, _ = listed(*rows, folder=folder, findings=findings)
    first = radiographs.set_index("image_id").loc[A]
    return [None if pd.isna(first[name]) else bool(first[name]) for name in findings]


def test_labels_with_leading_blanks_are_read(folder_of):
    labels = "['infiltrates', ' pneumonia', '  Pleural Effusion ']"

    found = labels_of(
        labels, folder_of(), findings=("pneumonia", "effusion", "infiltration", "mass")
    )

    assert found == [True, True, True, False]


@pytest.mark.parametrize(
    ("labels", "finding", "expected"),
    [
        ("['atypical pneumonia']", "pneumonia", True),
        ("['laminar atelectasis']", "atelectasis", True),
        ("['hydropneumothorax']", "pneumothorax", True),
        ("['hydropneumothorax']", "effusion", True),
        ("['neumonía', 'cardiomegalia']", "pneumonia", True),
        ("['NEUMONIA']", "pneumonia", True),
        ('["pneumonia"]', "pneumonia", True),
        ("['nsg tube']", "support_devices", True),
        ("['NSG tube' 'pneumonia']", "pneumonia", True),
        ("['subcutaneous emphysema']", "emphysema", False),
        ("['pseudonodule']", "nodule", False),
        ("['tuberculosis sequelae']", "tuberculosis", False),
        ("['normal']", "pneumonia", False),
        ("['normal']", "no_finding", True),
        ("['pneumonia']", "no_finding", False),
        ("['normal', 'unchanged']", "pneumonia", False),
        ("['unchanged', 'pneumonia']", "pneumonia", True),
        ("['unchanged', 'pneumonia']", "no_finding", False),
        ("['goiter', '']", "goiter", True),
    ],
)
def test_a_label_becomes_what_the_vocabulary_says(labels, finding, expected, folder_of):
    assert labels_of(labels, folder_of(), findings=(finding,)) == [expected]


def test_what_an_unchanged_report_does_not_name_is_not_known(folder_of):
    found = labels_of(
        "['unchanged', 'cardiomegaly']",
        folder_of(),
        findings=("cardiomegaly", "pneumonia"),
    )

    assert found == [True, None]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ("", "no label"),
        ("[]", "no label"),
        ("['']", "no label"),
        ("['exclude']", "labelled exclude"),
        ("['suboptimal study', ' pneumonia']", "labelled suboptimal study"),
        ("['unchanged']", "nothing known of pneumonia"),
        ("['normal', 'pneumonia']", "normal together with a finding"),
        ("['pneumonnia']", "unknown label 'pneumonnia'"),
        ("pneumonia", "Labels are no list of words"),
        ("['pneumonia'", "Labels are no list of words"),
        ("['pneumonia]", "Labels are no list of words"),
        ("[nan]", "Labels are no list of words"),
        ("[1, 2]", "Labels are no list of words"),
        ("__import__('os').abort()", "Labels are no list of words"),
        ("[" * 5000, "Labels are no list of words"),
        ("['a'" + ", 'a'" * 5000, "Labels are no list of words"),
    ],
)
def test_labels_that_cannot_be_used_reject_the_row(labels, reason, folder_of):
    radiographs, rejected = listed(row(A, labels), row(B), folder=folder_of())

    assert radiographs["image_id"].tolist() == [B]
    assert rejected["reason"].tolist() == [reason]


@pytest.mark.parametrize(
    ("projection", "reason"),
    [
        ("L", "lateral view"),
        ("COSTAL", "view of the ribs"),
        ("EXCLUDE", "projection excluded by the publisher"),
        ("", "view not stated"),
        ("oben", "view not understood"),
    ],
)
def test_projections_other_than_frontal_ones_are_rejected(
    projection, reason, folder_of, caplog
):
    rows = [row(A, Projection=projection), row(B)]

    _, rejected = listed(*rows, folder=folder_of())

    assert rejected["reason"].tolist() == [reason]
    assert "EXCLUDE" not in caplog.text  # a word of the publisher's is no mistake


@pytest.mark.parametrize(
    ("projection", "view"), [("PA", "PA"), ("AP", "AP"), ("AP_horizontal", "AP")]
)
def test_frontal_projections_are_views(projection, view, folder_of):
    radiographs, _ = listed(row(Projection=projection), folder=folder_of())

    assert radiographs["view"].tolist() == [view]


@pytest.mark.parametrize(
    ("birth", "date", "age"),
    [
        ("1930.0", "20140915", 84.0),
        ("1930", "20140915.0", 84.0),
        ("", "20140915", None),
        ("1930", "", None),
        ("2016", "20140915", None),  # born after the study
        ("1880", "20140915", None),
    ],
)
def test_age_is_counted_in_years_of_the_calendar(birth, date, age, folder_of):
    radiographs, _ = listed(
        row(PatientBirth=birth, StudyDate_DICOM=date), folder=folder_of()
    )

    expected = pd.Series([age], dtype="float64", name="age_years")
    pd.testing.assert_series_equal(radiographs["age_years"], expected)


def test_files_are_found_in_any_folder_and_missing_ones_listed(folder_of):
    radiographs, _ = listed(row(A), row(B), folder=folder_of(f"0/{A}"))

    assert radiographs["file"].tolist()[0] == f"images/0/{A}"
    assert list_unmatched_padchest(radiographs)["image"].tolist() == [B]


def test_patients_keep_all_digits_of_their_number(folder_of):
    radiographs, _ = listed(row(), folder=folder_of())

    assert radiographs["patient_id"].tolist() == [
        "padchest:839860488694292331637988235681460987"
    ]


@pytest.mark.parametrize("number", ["8.39860488694292E+35", "8,4e+35", "8E35"])
def test_a_patient_s_number_that_a_spreadsheet_rounded_is_rejected(number, folder_of):
    _, rejected = listed(row(A, PatientID=number), row(B), folder=folder_of())

    assert rejected["reason"].tolist() == ["PatientID was rounded, as by a spreadsheet"]


def test_labels_of_the_network_can_be_left_out(folder_of):
    rows = [row(A, MethodLabel="RNN_model"), row(B)]

    everyone, _ = listed(*rows, folder=folder_of())
    radiographs, rejected = listed(*rows, folder=folder_of(), labelled_by="physician")

    assert everyone["labelled_by"].tolist() == ["RNN_model", "Physician"]
    assert radiographs["image_id"].tolist() == [B]
    assert rejected["reason"].tolist() == ["not labelled by a physician"]


def test_the_published_counts_are_compared(folder_of, caplog):
    caplog.set_level(logging.INFO)

    listed(row(A), row(B, Projection="L"), folder=folder_of())

    said = next(text for text in caplog.messages if "published" in text)
    assert "2 images (published 160,868)" in said
    assert "2 studies (published 109,931)" in said
    assert "1 patients (published 67,625)" in said


@pytest.mark.parametrize("asked", ["covid19", "infiltrates", "pneumonia "])
def test_a_finding_that_padchest_does_not_have_stops_the_listing(asked, folder_of):
    with pytest.raises(ValueError, match="which padchest does not have"):
        listed(row(), folder=folder_of(), findings=(asked,))
