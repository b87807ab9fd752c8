"""MIMIC-CXR-JPG: raw tables as published, with their traps."""

import gzip
import logging

import pytest

from covid_cxr.cohorts.vocabulary import terms_of
from covid_cxr.sources.mimic_cxr_jpg import (
    MimicIngestion,
    list_mimic_cxr_jpg,
    list_unmatched_mimic_cxr_jpg,
)
from covid_cxr.user_csv import read_user_csv

COLUMNS = list(terms_of("mimic_cxr_jpg"))
A, B = "02aa804e-bde0afdd", "174413ec-4ec4c1f7"
METADATA = (
    "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,"
    "Columns,StudyDate,StudyTime,ProcedureCodeSequence_CodeMeaning,"
    "ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning\n"
)


def table(text, name="table.csv"):
    return read_user_csv(gzip.compress(text.encode()), name=name)


def image(name=A, subject="10000032", study="50414267", view="PA", coded=""):
    return f"{name},{subject},{study},CHEST,{view},9,9,21800506,2130.625,,{coded},\n"


def labelled(*rows):
    """Return a table of labels from `(subject, study, {column: cell})`."""
    lines = [
        ",".join([subject, study, *(cells.get(name, "") for name in COLUMNS)])
        for subject, study, cells in rows
    ]
    header = ",".join(["subject_id", "study_id", *COLUMNS])
    return table("\n".join([header, *lines, ""]))


def parts(**of_images):
    header = "dicom_id,study_id,subject_id,split\n"
    rows = [f"{k},50414267,10000032,{v}\n" for k, v in of_images.items()]
    return table(header + "".join(rows))


PNEUMONIA = labelled(("10000032", "50414267", {"Pneumonia": "1.0", "Edema": "-1.0"}))


def listed(*rows, folder, split=None, chexpert=PNEUMONIA, negbio=None, **ingestion):
    return list_mimic_cxr_jpg(
        metadata=table(METADATA + "".join(rows)),
        split=parts(**{A: "train", B: "test"}) if split is None else split,
        chexpert=chexpert,
        negbio=negbio,
        images=folder,
        findings=["pneumonia"],
        ingestion=MimicIngestion(**ingestion),
    )


def test_a_study_s_labels_are_those_of_its_images(folder_of):
    file = f"files/p10/p10000032/s50414267/{A}.jpg"

    radiographs, rejected = listed(
        image(A), image(B, view="AP"), folder=folder_of(file)
    )

    assert rejected.empty
    assert radiographs["pneumonia"].tolist() == [True, True]
    assert radiographs["view"].tolist() == ["PA", "AP"]
    assert radiographs["official_part"].tolist() == ["train_val", "test"]
    assert radiographs["patient_id"].unique().tolist() == ["mimic-cxr:10000032"]
    assert radiographs["file"].tolist()[0] == f"images/{file}"
    assert radiographs["file"].isna().tolist() == [False, True]


def test_each_part_of_the_publisher_is_of_the_official_list_or_not(folder_of):
    split = parts(a="train", b="validate", c="test", d="TEST")
    rows = [image(name) for name in "abcd"]

    radiographs, _ = listed(*rows, folder=folder_of(), split=split)

    assert radiographs["official_part"].tolist() == ["train_val"] * 2 + ["test"] * 2


@pytest.mark.parametrize(
    ("view", "coded", "reason"),
    [
        ("LATERAL", "", "lateral view"),
        ("LL", "", "lateral view"),
        ("PA LLD", "", "lateral view"),
        ("LAO", "", "lateral view"),
        ("XTABLE LATERAL", "", "lateral view"),
        ("", "left lateral", "lateral view"),
        ("", "", "view not stated"),
        ("SWIMMERS", "", "view not understood"),
    ],
)
def test_views_other_than_frontal_ones_are_rejected(view, coded, reason, folder_of):
    rows = [image(A), image(B, view=view, coded=coded)]

    _, rejected = listed(*rows, folder=folder_of())

    assert rejected.to_dict("records")[0] | {"file": None} == {
        "image_id": B,
        "file": None,
        "stage": "ingestion",
        "reason": reason,
    }


@pytest.mark.parametrize(
    ("coded", "view"), [("antero-posterior", "AP"), ("postero-anterior", "PA")]
)
def test_a_blank_view_is_taken_from_its_code(coded, view, folder_of):
    radiographs, _ = listed(image(A, view="", coded=coded), folder=folder_of())

    assert radiographs["view"].tolist() == [view]


def test_either_labeler_is_read_where_it_is_asked_for(folder_of):
    other = labelled(("10000032", "50414267", {"Pneumonia": "0.0"}))

    found = {
        name: listed(image(A), folder=folder_of(), negbio=other, labels=name)[0]
        for name in ("chexpert", "negbio")
    }

    assert found["chexpert"]["pneumonia"].tolist() == [True]
    assert found["negbio"]["pneumonia"].tolist() == [False]


def test_an_absent_table_of_labels_is_named(folder_of):
    with pytest.raises(ValueError, match=r"mimic-cxr-2\.0\.0-negbio\.csv\.gz is abs"):
        listed(image(A), folder=folder_of(), labels="negbio")


def test_uncertain_labels_become_what_is_stated(folder_of):
    radiographs, _ = listed(
        image(A), folder=folder_of(), uncertain_by_finding={"edema": "ones"}
    )

    assert radiographs["edema"].tolist() == [True]


def test_images_without_labels_or_a_part_are_rejected_and_listed(folder_of):
    rows = [image(A), image(B, study="59999999"), image("c")]

    radiographs, rejected = listed(*rows, folder=folder_of())
    unmatched = list_unmatched_mimic_cxr_jpg(radiographs, rejected)

    assert radiographs["image_id"].tolist() == [A]
    assert unmatched[["image", "reason"]].to_numpy().tolist() == [
        [A, "have no file in the folder"],
        [B, "have no row in the table of labels"],
        ["c", "have no row in the table of splits"],
    ]


@pytest.mark.parametrize(
    ("split", "chexpert", "reason"),
    [
        (parts(**{A: "train", B: "tests"}), PNEUMONIA, "its part is not train"),
        (
            table(
                "dicom_id,study_id,subject_id,split\n"
                f"{A},1,10000032,train\n{B},1,10000033,test\n"
            ),
            PNEUMONIA,
            "its patient differs between the tables",
        ),
        (
            table(
                f"dicom_id,study_id,subject_id,split\n{A},1,10000032,train\n"
                f"{B},1,10000032,train\n{B},1,10000032,test\n"
            ),
            PNEUMONIA,
            "its part is not train",
        ),
    ],
)
def test_tables_that_contradict_each_other_reject_the_image(
    split, chexpert, reason, folder_of
):
    radiographs, rejected = listed(
        image(A), image(B), folder=folder_of(), split=split, chexpert=chexpert
    )

    assert radiographs["image_id"].tolist() == [A]
    assert rejected["reason"].str.startswith(reason).all()


def test_a_study_with_two_rows_of_labels_is_rejected(folder_of):
    twice = labelled(
        ("10000032", "50414267", {"Pneumonia": "1.0"}),
        ("10000032", "50414267", {"Pneumonia": "0.0"}),
        ("10000032", "50000000", {"Pneumonia": "0.0"}),
    )

    _, rejected = listed(
        image(A), image(B, study="50000000"), folder=folder_of(), chexpert=twice
    )

    assert rejected["reason"].tolist() == ["its study has several rows of labels"]


def test_the_published_counts_are_compared(folder_of, caplog):
    caplog.set_level(logging.INFO)

    listed(image(A), image(B, view="LL"), folder=folder_of())

    said = next(text for text in caplog.messages if "published" in text)
    assert "2 images (published 377,110)" in said
    assert "1 studies (published 227,827)" in said
    assert "1 patients (published 65,379)" in said
