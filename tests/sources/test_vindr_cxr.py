"""VinDr-CXR: raw tables as published, with their traps."""

import logging

import pandas as pd
import pytest

from covid_cxr.sources.vindr_cxr import (
    VindrIngestion,
    list_unmatched_vindr_cxr,
    list_vindr_cxr,
)
from covid_cxr.user_csv import read_user_csv

FINDINGS = [  # in the published order of columns
    *("Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly"),
    *("Clavicle fracture", "Consolidation", "Edema", "Emphysema", "Enlarged PA", "ILD"),
    *("Infiltration", "Lung Opacity", "Lung cavity", "Lung cyst", "Mediastinal shift"),
    *("Nodule/Mass", "Pleural effusion", "Pleural thickening", "Pneumothorax"),
    *("Pulmonary fibrosis", "Rib fracture", "Other lesion", "COPD", "Lung tumor"),
    *("Pneumonia", "Tuberculosis", "Other diseases", "No finding"),
]
A, B, C = "000434271f63a053", "00053190460d56c5", "004f33259ee4aef6"
CORNERS = "x_min,y_min,x_max,y_max"


def table(header, *rows, name="table.csv"):
    return read_user_csv("\n".join([header, *rows, ""]).encode(), name=name)


def read_by(image, *votes, readers=("R8", "R9", "R10"), **others):
    """Return a row per reader, with its vote for pneumonia and what all see."""
    rows = []
    for reader, vote in zip(readers, votes, strict=False):
        seen = {"Pneumonia": vote, **others}
        cells = [seen.get(name, "0") for name in FINDINGS]
        rows.append(",".join([image, reader, *cells]))
    return rows


def train(*rows):
    return table(",".join(["image_id", "rad_id", *FINDINGS]), *rows)


def consensus(*images):
    names = [*FINDINGS[:-2], "Other disease", "No finding"]
    cells = ["1" if name == "Pneumonia" else "0" for name in names]
    rows = [",".join([image, *cells]) for image in images]
    return table(",".join(["image_id", *names]), *rows)


def listed(*rows, folder, findings=("pneumonia",), **options):
    tables = dict.fromkeys(("test_labels", "train_annotations", "test_annotations"))
    given = {name: options.pop(name) for name in list(options) if name in tables}
    return list_vindr_cxr(
        train_labels=train(*rows),
        **{**tables, **given},
        images=folder,
        findings=list(findings),
        ingestion=VindrIngestion(**options),
    )


@pytest.mark.parametrize(
    ("votes", "expected"),
    [  # with one, two and three readers needed
        (["0", "0", "0"], [False, False, False]),
        (["1", "0", "0"], [True, False, False]),
        (["1", "0.0", "1.0"], [True, True, False]),
        (["1", "1", "1"], [True, True, True]),
    ],
)
def test_as_many_readers_must_see_a_finding_as_are_needed(votes, expected, folder_of):
    found = [
        listed(*read_by(A, *votes), folder=folder_of(), readers_needed=needed)[0]
        for needed in (1, 2, 3)
    ]

    assert [bool(one["pneumonia"].iloc[0]) for one in found] == expected


@pytest.mark.parametrize(
    ("votes", "expected"),
    [  # the third reader's row, or vote, is missing; two are needed
        (["1", "1"], True),
        (["0", "0"], False),
        (["1", "0"], None),
        (["1", "0", ""], None),
        (["1", "1", ""], True),
    ],
)
def test_a_missing_reader_leaves_open_what_the_reader_could_change(
    votes, expected, folder_of
):
    rows = read_by(A, *votes, Edema="1")

    radiographs, _, _ = listed(
        *rows, folder=folder_of(), findings=("pneumonia", "edema")
    )

    found = radiographs["pneumonia"].iloc[0]
    assert (None if pd.isna(found) else bool(found)) is expected


def test_readers_who_name_different_bones_see_a_fracture(folder_of):
    rows = [
        *read_by(A, "0", readers=["R1"], **{"Rib fracture": "1"}),
        *read_by(A, "0", readers=["R2"], **{"Clavicle fracture": "1"}),
        *read_by(A, "0", readers=["R3"]),
    ]

    radiographs, _, _ = listed(*rows, folder=folder_of())

    assert radiographs["fracture"].tolist() == [True]
    assert radiographs["rib_fracture"].tolist() == [False]


def test_the_consensus_table_is_the_official_test_list(folder_of):
    radiographs, _, rejected = listed(
        *read_by(A, "0", "0", "1"), folder=folder_of(), test_labels=consensus(B)
    )

    assert rejected.empty
    assert radiographs["official_part"].tolist() == ["train_val", "test"]
    assert radiographs["pneumonia"].tolist() == [False, True]
    assert radiographs["other_disease"].tolist() == [False, False]


def test_each_image_is_a_patient_of_its_own_and_the_log_says_so(folder_of, caplog):
    caplog.set_level(logging.INFO)

    radiographs, _, _ = listed(
        *read_by(A, "0", "0", "1"), *read_by(B, "0", "0", "1"), folder=folder_of()
    )

    assert radiographs["patient_id"].tolist() == [f"vindr:{A}", f"vindr:{B}"]
    assert "each of the 2 images is taken for a patient of its own" in caplog.text


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (read_by(A, "1", "0", "2"), "a label is neither 0 nor 1"),
        (read_by(A, "1", "0", "yes"), "a label is neither 0 nor 1"),
        (
            read_by(A, "1", "0", "1", readers=["R1", "R1", "R2"]),
            "two rows of one reader",
        ),
        (
            read_by(A, "1", "0", "1", "1", readers=["R1", "R2", "R3", "R4"]),
            "more rows than readers (3)",
        ),
        (read_by("", "1", "0", "1"), "no image_id"),
        (read_by(A, "1"), "nothing known of pneumonia"),
    ],
)
def test_rows_that_cannot_be_used_reject_the_image(rows, reason, folder_of):
    radiographs, _, rejected = listed(
        *rows, *read_by(B, "1", "1", "0"), folder=folder_of()
    )

    assert radiographs["image_id"].tolist() == [B]
    assert rejected["reason"].tolist() == [reason]


def test_an_image_of_both_tables_is_rejected(folder_of):
    rows = [*read_by(A, "1", "1", "0"), *read_by(B, "1", "1", "0")]

    radiographs, _, rejected = listed(
        *rows, folder=folder_of(), test_labels=consensus(A)
    )

    assert radiographs["image_id"].tolist() == [B]
    assert set(rejected["reason"]) == {"in both tables of labels"}


def annotations(*rows):
    return table(f"image_id,rad_id,class_name,{CORNERS}", *rows)


def test_boxes_of_what_is_asked_are_kept_on_positive_images(folder_of):
    drawn = annotations(
        f"{A},R8,Rib fracture,10.5,20,30.5,60",
        f"{A},R9,Rib fracture,11,21,31,61",
        f"{A},R9,Cardiomegaly,1,2,3,4",  # not asked
        f"{B},R8,Rib fracture,10,20,30,60",  # one reader of three
        f"{C},R8,No finding,,,,",
    )
    seen = {"Rib fracture": "1"}
    rows = [
        *read_by(A, "0", "0", "0", **seen),
        *read_by(B, "0", readers=["R8"], **seen),
        *read_by(B, "0", "0", readers=["R9", "R10"]),
        *read_by(C, "0", "0", "0"),
    ]

    _, boxes, _ = listed(
        *rows, folder=folder_of(), findings=["fracture"], train_annotations=drawn
    )

    assert boxes.to_dict("split")["data"] == [
        [A, 10.5, 20.0, 20.0, 40.0, "fracture"],
        [A, 11.0, 21.0, 20.0, 40.0, "fracture"],
    ]


def test_boxes_of_the_test_table_are_kept_too(folder_of):
    header = f"image_id,class_name,{CORNERS}"
    drawn = table(header, f"{B},Consolidation,1,2,3,5", f"{B},Pneumonia,1,2,3,4")

    _, boxes, _ = listed(
        *read_by(A, "1", "1", "0"),
        folder=folder_of(),
        test_labels=consensus(B),
        test_annotations=drawn,
    )

    assert boxes["image_id"].tolist() == [B]


def test_boxes_without_an_extent_are_left_out_with_their_line(folder_of, caplog):
    drawn = annotations(
        f"{A},R8,Pneumonia,1,2,3,4",
        f"{A},R8,Pneumonia,5,2,3,4",
        f"{A},R8,Pneumonia,-1,2,3,4",
        f"{A},R8,Pneumonia,,,,",
    )

    _, boxes, _ = listed(
        *read_by(A, "1", "1", "0"), folder=folder_of(), train_annotations=drawn
    )

    assert len(boxes) == 1
    assert f"3 of 4 boxes are left out, as that of {A} (line 3 of" in caplog.text


def test_without_tables_of_boxes_there_are_none(folder_of):
    _, boxes, _ = listed(*read_by(A, "1", "1", "0"), folder=folder_of())

    assert boxes.empty
    assert boxes["x"].dtype == "float64"


def test_missing_files_and_boxes_without_labels_are_listed(folder_of):
    drawn = annotations(f"{A},R8,Pneumonia,1,2,3,4", f"{C},R8,Pneumonia,1,2,3,4")
    rows = [*read_by(A, "1", "1", "0"), *read_by(B, "1", "1", "0")]

    radiographs, _, rejected = listed(*rows, folder=folder_of())
    unmatched = list_unmatched_vindr_cxr(
        radiographs, rejected, train_annotations=drawn, test_annotations=None
    )

    assert unmatched["image"].tolist() == [A, B, C]
    assert unmatched["list"].tolist()[-1] == "annotations_train.csv"


def test_files_are_found_by_their_ending(folder_of, unpacked):
    folder = unpacked({f"train/{A}.dicom": "no header"})

    radiographs, _, _ = listed(*read_by(A, "1", "1", "0"), folder=folder)

    assert radiographs["file"].tolist() == [f"train/{A}.dicom"]
    assert radiographs["view"].tolist() == ["unknown"]


def test_the_published_counts_are_compared(folder_of, caplog):
    caplog.set_level(logging.INFO)

    listed(*read_by(A, "1", "1", "0"), folder=folder_of(), test_labels=consensus(B))

    said = next(text for text in caplog.messages if "published" in text)
    assert "1 images of image_labels_train.csv (published 15,000)" in said
    assert "1 images of image_labels_test.csv (published 3,000)" in said


@pytest.mark.parametrize("needed", [0, 4, True, 1.5, "2"])
def test_a_number_of_readers_that_cannot_be_is_refused(needed):
    with pytest.raises(ValueError, match="must be a whole number from 1 to 3"):
        VindrIngestion(readers_needed=needed)


@pytest.mark.parametrize("asked", ["nodule", "mass", "support_devices"])
def test_a_finding_that_vindr_does_not_have_stops_the_listing(asked, folder_of):
    with pytest.raises(ValueError, match=f"'{asked}', which vindr_cxr does not have"):
        listed(*read_by(A, "1", "1", "0"), folder=folder_of(), findings=[asked])
