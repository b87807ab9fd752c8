import logging

import numpy as np
import pandas as pd
import pytest

from covid_cxr.cohorts.radiograph_table import FINDINGS
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.sources.nih import (
    list_nih,
    patient_of_image,
)

NAMES = ["00000001_000.png", "00000001_001.png", "00000002_000.png", "00000003_000.png"]


def entries(**columns):
    """Return a table with the eleven columns that the published header makes."""
    n_rows = len(next(iter(columns.values()))) if columns else len(NAMES)
    return pd.DataFrame(
        {
            "Image Index": NAMES[:n_rows],
            "Finding Labels": "No Finding",
            "Follow-up #": 0,
            "Patient ID": [int(name[:8]) for name in NAMES[:n_rows]],
            "Patient Age": 57,
            "Patient Gender": "M",
            "View Position": "PA",
            "OriginalImage[Width": 2682,
            "Height]": 2749,
            "OriginalImagePixelSpacing[x": 0.143,
            "y]": 0.143,
            **columns,
        }
    )


def list_all(table, folder, *, train_val=NAMES[:2], test=NAMES[2:]):
    return list_nih(table, "\n".join(train_val), "\n".join(test), None, folder)


def test_each_finding_is_a_boolean_column(folder_of):
    labels = ["Cardiomegaly|Pleural_Thickening", "No Finding", "Pneumonia", "Hernia"]

    radiographs, *_ = list_all(entries(**{"Finding Labels": labels}), folder_of())

    found = [
        [name for name in FINDINGS if row[name]]
        for row in radiographs.to_dict("records")
    ]
    assert found == [
        ["cardiomegaly", "pleural_thickening"],
        [],
        ["pneumonia"],
        ["hernia"],
    ]
    assert (radiographs[list(FINDINGS)].dtypes == "boolean").all()


def test_the_official_lists_say_the_part(folder_of):
    radiographs, *_ = list_all(entries(), folder_of())

    assert radiographs["official_part"].tolist() == ["train_val"] * 2 + ["test"] * 2


def test_patients_carry_the_cohort_in_their_name(folder_of):
    radiographs, *_ = list_all(entries(), folder_of())

    assert radiographs["patient_id"].tolist() == ["nih:1", "nih:1", "nih:2", "nih:3"]


def test_the_older_table_is_read_as_well(folder_of):
    table = entries(**{"Patient Age": ["058Y", "411Y", "013M", "060Y"]})
    with_trailing_comma = table.assign(**{"Unnamed: 11": np.nan})

    radiographs, *_ = list_all(with_trailing_comma, folder_of())

    ages = radiographs["age_years"]
    assert ages[[0, 2, 3]].tolist() == pytest.approx([58, 13 / 12, 60])
    assert np.isnan(ages[1])


def test_a_listed_image_without_row_is_rejected(folder_of):
    *_, rejected = list_all(entries().iloc[:3], folder_of(NAMES[3]))

    assert rejected["image_id"].tolist() == [NAMES[3]]
    assert "without a row" in rejected["reason"][0]
    assert rejected["file"][0] == f"images/{NAMES[3]}"


def test_a_row_in_neither_list_is_rejected(folder_of):
    radiographs, _, rejected = list_all(entries(), folder_of(), test=[NAMES[2]])

    assert len(radiographs) == 3
    assert rejected["image_id"].tolist() == [NAMES[3]]
    assert "neither" in rejected["reason"][0]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("Finding Labels", "Pneumonia|Infiltrate", "unknown finding 'Infiltrate'"),
        ("Finding Labels", None, "no findings stated"),
        ("Finding Labels", "No Finding|Mass", "No Finding together with a finding"),
        ("Patient ID", 4, "Patient ID contradicts the image's name"),
        ("Patient ID", np.nan, "no patient"),
        ("Image Index", None, "no image name"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_alone(folder_of, column, value, reason):
    table = entries()
    table[column] = [*table[column][:3], value]
    listed = [name for name in NAMES[2:] if name in set(table["Image Index"])]

    radiographs, _, rejected = list_all(table, folder_of(), test=listed)

    assert len(radiographs) == 3
    assert rejected["reason"].tolist() == [reason]


@pytest.mark.parametrize("n_folders", [1, 12])
def test_files_are_found_in_one_folder_or_in_twelve(tmp_path, n_folders):
    for n, name in enumerate(NAMES):
        file = tmp_path / f"images_{n % n_folders + 1:03d}/images/{name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    radiographs, *_ = list_all(entries(), list_folder(tmp_path))

    folders = [file.split("/", 1) for file in radiographs["file"]]
    assert [name for _, name in folders] == [f"images/{name}" for name in NAMES]
    assert len({folder for folder, _ in folders}) == min(n_folders, len(NAMES))


def test_the_source_is_nih(folder_of):
    radiographs, *_ = list_all(entries(), folder_of())

    assert radiographs["source"].unique().tolist() == ["nih"]


def test_an_image_in_both_lists_is_an_error(folder_of):
    with pytest.raises(ValueError, match=rf"1 images are in both .*{NAMES[1]}"):
        list_all(entries(), folder_of(), test=NAMES[1:])


def test_a_table_without_its_columns_is_an_error(folder_of):
    with pytest.raises(
        ValueError, match=r"nih_entries .* lacks the columns Patient ID"
    ):
        list_all(entries().drop(columns="Patient ID"), folder_of())


def test_windows_line_ends_and_blank_lines_are_no_names(folder_of):
    radiographs, _, rejected = list_nih(
        entries(),
        "\r\n".join(NAMES[:2]) + "\r\n\r\n",
        "\n".join(NAMES[2:]),
        None,
        folder_of(),
    )

    assert len(radiographs) == 4
    assert rejected.empty


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_only_real_tables_are_compared_with_the_published_counts(
    folder_of, caplog, is_synthetic
):
    with caplog.at_level(logging.INFO):
        list_all(entries(), folder_of(is_synthetic=is_synthetic))

    compared = [line for line in caplog.messages if "published" in line]
    assert len(compared) == (0 if is_synthetic else 1)
    assert is_synthetic or "4 images (published 112,120)" in compared[0]


def test_the_patient_is_read_from_the_name_of_an_nih_image():
    names = pd.Series(["00019124_092.png", "19124.png", None])

    patients = patient_of_image(names)

    assert patients[0] == "nih:19124"
    assert patients[1:].isna().all()


@pytest.mark.parametrize("number", ["1e0", "x1", "1.5", "-1", "nan"])
def test_a_patient_who_is_no_number_is_rejected_as_such(folder_of, number):
    table = entries(**{"Patient ID": ["1", "1.0", number, "3"]})

    radiographs, _, rejected = list_all(table, folder_of())

    assert radiographs["patient_id"].tolist() == ["nih:1", "nih:1", "nih:3"]
    assert rejected["reason"].tolist() == ["Patient ID is no whole number"]
