"""CheXpert: raw tables as published, with their traps."""

import logging

import pandas as pd
import pytest

from covid_cxr.sources.chexpert import list_chexpert, list_unmatched_chexpert
from covid_cxr.sources.observations import ObservationIngestion
from covid_cxr.user_csv import read_user_csv

OBSERVATIONS = [  # in the published order of columns
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity"),
    *("Lung Lesion", "Edema", "Consolidation", "Pneumonia", "Atelectasis"),
    *("Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture"),
    "Support Devices",
]
RELEASE = "CheXpert-v1.0-small"
FIRST = "train/patient00001/study1/view1_frontal.jpg"
SECOND = "train/patient00002/study2/view1_frontal.jpg"
SIDE = "train/patient00002/study2/view2_lateral.jpg"
VALID = "valid/patient64541/study1/view1_frontal.jpg"


def row(path, **observations):
    cells = [
        observations.get(name.lower().replace(" ", "_"), "") for name in OBSERVATIONS
    ]
    side = "Lateral," if "lateral" in path else "Frontal,AP"
    return ",".join([f"{RELEASE}/{path},Female,68,{side}", *cells])


def table(*rows):
    header = ",".join(["Path,Sex,Age,Frontal/Lateral,AP/PA", *OBSERVATIONS])
    return read_user_csv("\n".join([header, *rows, ""]).encode(), name="train.csv")


def listed(*rows, folder, valid=None, findings=("edema",), **ingestion):
    return list_chexpert(
        table(*rows), valid, folder, list(findings), ObservationIngestion(**ingestion)
    )


def test_names_that_repeat_in_every_folder_are_told_apart(folder_of):
    files = [f"{RELEASE}/{path}" for path in (FIRST, SECOND)]
    rows = [row(path, edema="1.0") for path in (FIRST, SECOND)]

    radiographs, rejected = listed(*rows, folder=folder_of(*files))

    assert rejected.empty
    assert radiographs["image_id"].tolist() == [FIRST, SECOND]
    assert radiographs["file"].tolist() == [f"images/{name}" for name in files]
    assert radiographs["patient_id"].tolist() == [
        *("chexpert:patient00001", "chexpert:patient00002")
    ]


@pytest.mark.parametrize(
    "file",
    [
        FIRST,
        f"CheXpert-v1.0/{FIRST}",
        "CheXpert-v1.0 batch 2 (train 1)/patient00001/study1/view1_frontal.jpg",
        FIRST.replace(".jpg", ".png"),
    ],
)
def test_a_file_is_found_in_the_folders_of_any_release(file, folder_of):
    radiographs, _ = listed(row(FIRST, edema="0.0"), folder=folder_of(file))

    assert radiographs["file"].tolist() == [f"images/{file}"]


def test_of_two_releases_side_by_side_the_table_s_own_is_read(folder_of):
    small = folder_of(f"CheXpert-v1.0/{FIRST}", f"{RELEASE}/{FIRST}")
    at_root = type(small)(
        root=small.root,
        files=tuple(name.removeprefix("images/") for name in small.files),
        others=(),
        is_synthetic=False,
    )

    radiographs, _ = listed(row(FIRST, edema="0.0"), folder=at_root)

    assert radiographs["file"].tolist() == [f"{RELEASE}/{FIRST}"]


@pytest.mark.parametrize(
    ("ingestion", "expected"),
    [
        # of 1.0, 0.0, -1.0 and a blank cell
        ({"uncertain": "ones"}, [True, False, True, False]),
        ({"uncertain": "zeros"}, [True, False, False, False]),
        ({"uncertain": "ignore"}, [True, False, None, False]),
        ({"uncertain": "ignore", "blank": "ignore"}, [True, False, None, None]),
        (
            {"uncertain": "zeros", "uncertain_by_finding": {"edema": "ones"}},
            [True, False, True, False],
        ),
    ],
)
def test_uncertain_and_blank_become_what_is_stated(ingestion, expected, folder_of):
    paths = [FIRST.replace("00001", f"0000{n}") for n in range(4)]
    rows = [
        row(path, edema=cell, fracture="1.0")
        for path, cell in zip(paths, ["1.0", "0.0", "-1.0", ""], strict=True)
    ]

    radiographs, _ = listed(
        *rows, folder=folder_of(), findings=("edema", "fracture"), **ingestion
    )

    assert radiographs["edema"].dtype == "boolean"
    assert [None if x is pd.NA else x for x in radiographs["edema"]] == expected


def test_a_row_that_is_silent_on_all_that_is_asked_is_rejected(folder_of):
    rows = [row(FIRST, edema="-1.0"), row(SECOND, edema="1.0")]

    radiographs, rejected = listed(*rows, folder=folder_of())

    assert radiographs["image_id"].tolist() == [SECOND]
    assert rejected["reason"].tolist() == ["nothing known of edema"]


def test_laterals_unreadable_cells_and_paths_without_a_patient_are_rejected(folder_of):
    rows = [
        row(FIRST, edema="1.0"),
        row(SIDE, edema="1.0"),
        row(SECOND, edema="2.0"),
        row(SECOND.replace("view1", "view3"), edema="yes"),
        row("view1_frontal.jpg", edema="1.0"),
        row(FIRST, edema="1.0"),
    ]

    radiographs, rejected = listed(*rows, folder=folder_of())

    assert radiographs["image_id"].tolist() == [FIRST]
    assert sorted(rejected["reason"]) == [
        "Edema is not 1, 0 or -1",
        "Edema is not 1, 0 or -1",
        "Path names no patient",
        "lateral view",
        "listed more than once",
    ]


@pytest.mark.parametrize("view", ["LL", "RL", "upside down"])
def test_a_frontal_row_of_another_view_is_rejected(view, folder_of):
    first, second = row(FIRST, edema="1.0"), row(SECOND, edema="1.0")

    radiographs, _ = listed(
        first, second.replace(",AP,", f",{view},"), folder=folder_of()
    )

    assert radiographs["image_id"].tolist() == [FIRST]


def test_a_lateral_is_known_by_its_name_where_the_column_is_blank(folder_of):
    side = row(SIDE, edema="1.0").replace(",Lateral,", ",,")

    _, rejected = listed(row(FIRST, edema="1.0"), side, folder=folder_of())

    assert rejected["reason"].tolist() == ["lateral view"]


def test_valid_csv_is_the_official_test_list(folder_of):
    valid = table(row(VALID, edema="0.0"))

    radiographs, _ = listed(row(FIRST, edema="1.0"), folder=folder_of(), valid=valid)

    assert radiographs["official_part"].tolist() == ["train_val", "test"]


def test_files_that_are_not_there_are_listed(folder_of):
    rows = [row(path, edema="1.0") for path in (FIRST, SECOND)]

    radiographs, _ = listed(*rows, folder=folder_of(f"{RELEASE}/{FIRST}"))

    assert list_unmatched_chexpert(radiographs)["image"].tolist() == [SECOND]


def test_the_published_rows_are_counted_with_the_laterals(folder_of, caplog):
    caplog.set_level(logging.INFO)

    listed(row(FIRST, edema="1.0"), row(SIDE, edema="1.0"), folder=folder_of())

    said = next(text for text in caplog.messages if "published" in text)
    assert "2 rows of train.csv (published 223,414)" in said
    assert "2 patients of train.csv (published 64,540)" in said


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [("fractures", "fracture"), ("lung_opacities", "lung_opacity"), ("nodule", None)],
)
def test_a_finding_that_chexpert_does_not_have_stops_the_listing(
    asked, nearest, folder_of
):
    said = rf"'{asked}', which chexpert does not have" + (
        f"; nearest: {nearest}" if nearest else ""
    )

    with pytest.raises(ValueError, match=said):
        listed(row(FIRST, edema="1.0"), folder=folder_of(), findings=("edema", asked))


@pytest.mark.parametrize(
    "ingestion",
    [
        {"uncertain": "positive"},
        {"blank": "ones"},
        {"uncertain_by_finding": {"edema": "maybe"}},
        {"uncertain_by_finding": {"oedema": "ones"}},
        {"uncertain_by_finding": ["edema"]},
        {"uncertain_by_finding": None},
        {"max_unmatched_share": 2},
    ],
)
def test_choices_that_do_not_exist_are_refused(ingestion):
    with pytest.raises(ValueError, match="must be"):
        ObservationIngestion(**ingestion)
