import logging

import pandas as pd
import pytest

from covid_cxr.radiographs.folder import list_folder
from covid_cxr.sources.covid import CovidIngestion, list_covid
from covid_cxr.sources.covidx import (
    compare_covidx,
    list_covidx,
    list_unmatched_covidx,
    read_covidx,
)
from covid_cxr.sources.listed import SaltedIngestion

COVIDX = CovidIngestion(layout="covidx", pseudonym_salt=None)


def listing_of(unpacked, *lines, name="train_COVIDx9B.txt"):
    return read_covidx(unpacked({name: "\n".join(lines)}))


def test_lines_of_three_four_and_five_words_are_read(unpacked):
    listing = listing_of(
        unpacked,
        "ANON24 1.CXRCTThoraximagesofCOVID-19.jpg COVID-19",
        "379 1-s2.0-S1684118220300608-main.pdf-002.jpg positive cohen",
        "COVID 1 COVID(1).png positive sirm",
    )

    assert listing["patient"].tolist() == ["ANON24", "379", "COVID 1"]
    assert listing["name"].tolist() == [
        "1.CXRCTThoraximagesofCOVID-19.jpg",
        "1-s2.0-S1684118220300608-main.pdf-002.jpg",
        "COVID(1).png",
    ]
    assert listing["source"].tolist() == ["covidx", "cohen", "sirm"]
    assert listing["covid19"].all()
    assert listing["reason"].isna().all()


@pytest.mark.parametrize(
    ("word", "is_case"),
    [
        ("COVID-19", True),
        ("positive", True),
        ("normal", False),
        ("pneumonia", False),
        ("negative", False),
    ],
)
def test_both_sets_of_classes_are_read(unpacked, word, is_case):
    listing = listing_of(unpacked, f"7 7.png {word} rsna")

    assert listing["covid19"].tolist() == [is_case]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7 7.png level1 cohen", "class level1 does not say whether it is COVID-19"),
        ("patient and class", "a line without the name of an image"),
        ("7.png positive cohen", "no patient"),
        ("7 7.png", "0 words after the image, not a class and a source"),
        ("7 7.png positive cohen x", "3 words after the image"),
    ],
)
def test_a_line_that_cannot_be_used_has_a_reason(unpacked, line, reason):
    listing = listing_of(unpacked, line, "", "8 8.png negative rsna")

    assert listing["reason"].isna().tolist() == [False, True]
    assert reason in listing["reason"][0]


def test_a_source_left_out_is_that_of_the_same_patient(unpacked, caplog):
    with caplog.at_level(logging.INFO):
        listing = listing_of(
            unpacked,
            "1 a.png positive cohen",
            "1 b.png positive",
            "2 c.png positive cohen",
            "2 d.png positive sirm",
            "2 e.png positive",
        )

    assert listing["source"].tolist()[:2] == ["cohen", "cohen"]
    assert listing["source"][4] == "covidx"
    assert "2 of 5 lines name no source; 1 of them have that of" in caplog.text


def test_the_lists_of_all_parts_are_one_listing(unpacked):
    files = {
        "train_COVIDx9B.txt": "1 a.png positive ricord",
        "labels/test_COVIDx9B.txt": "2 b.png negative rsna",
        "train/a.png": "",
        "test/b.png": "",
        "notes.txt": "no label file",
    }

    radiographs, rejected = list_covid(None, None, None, unpacked(files), COVIDX)

    rows = radiographs.set_index("image_id")
    assert rows.loc["a.png", ["file", "covid19"]].tolist() == ["train/a.png", True]
    assert rows.loc["b.png", ["file", "covid19"]].tolist() == ["test/b.png", False]
    assert rejected.empty


def test_rsna_images_carry_the_nih_patient_also_under_the_misspelt_source(unpacked):
    images = unpacked(
        {
            "train.txt": (
                "aa aa.png normal rsna\nbb bb.png normal rnsa\n"
                "cc cc.png normal rsna\naa x.png positive cohen\n"
            )
        }
    )
    mapping = "patientId,nih_image,mse\naa,00000007_000.png,1\nbb,00000007_001.png,50\n"

    radiographs, _ = list_covid(None, None, mapping, images, COVIDX)

    assert radiographs["patient_id"].tolist() == [
        "nih:7",
        "nih:7",
        "rsna:cc",
        "cohen:aa",
    ]
    assert radiographs["source"].tolist() == ["rsna", "rsna", "rsna", "cohen"]
    assert radiographs["nih_image"].notna().tolist() == [True, True, False, False]
    assert radiographs["is_doubtful_match"].tolist() == [False, True, False, False]


def test_a_folder_without_label_files_is_refused(unpacked):
    with pytest.raises(ValueError, match=r"no file train\*\.txt or test\*\.txt or val"):
        read_covidx(unpacked({"a.png": ""}))


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp1252"])
def test_lines_are_read_in_the_code_that_they_are_written_in(tmp_path, codec):
    line = "Müller 1.png positive sirm\n"
    (tmp_path / "train.txt").write_bytes(line.encode(codec))

    listing = read_covidx(list_folder(tmp_path))

    assert listing["patient"].tolist() == ["Müller"]


CXR_4 = {
    "train.txt": (
        "419639-003251 MIDRC-RICORD-1C-419639-003251-46647-0.png positive ricord\n"
        "aa aa.png negative rsna\n"
        "7 same.png negative cohen\n"
    ),
    "val.txt": "8 lost.png positive cohen\n",
    "test.txt": "bb bb.png negative rsna\n",
    "train/MIDRC-RICORD-1C-419639-003251-46647-0.png": "",
    "train/aa.png": "",
    "train/same.png": "",
    "test/bb.png": "",
    "test/same.png": "",
}


def test_cxr_4_is_a_source_of_its_own_with_the_patients_of_its_collections(unpacked):
    mapping = "patientId,nih_image,mse\naa,00000007_000.png,1\n"

    listed, rejected = list_covidx(mapping, unpacked(CXR_4), SaltedIngestion())
    unmatched = list_unmatched_covidx(listed, mapping)

    assert rejected.empty
    assert sorted(listed["patient_id"]) == [
        "cohen:7",
        "cohen:8",
        "nih:7",
        "ricord:419639-003251",
        "rsna:bb",
    ]
    assert unmatched[["list", "image", "n_names"]].to_numpy().tolist() == [
        ["val.txt", "lost.png", 1],
        ["images of the source rsna", "bb.png", 2],
    ]


def test_an_image_is_looked_for_in_the_folder_of_its_part_first(unpacked):
    listed, _ = list_covidx(None, unpacked(CXR_4), SaltedIngestion())

    files = listed.set_index("image_id")["file"]
    assert files["same.png"] == "train/same.png"


def test_the_source_says_as_the_layout_does(unpacked):
    images = unpacked(CXR_4)

    as_source, _ = list_covidx(None, images, SaltedIngestion())
    as_layout, _ = list_covid(None, None, None, images, COVIDX)

    assert as_source.equals(as_layout)


def test_a_source_of_one_class_is_warned_of(unpacked, caplog):
    list_covidx(None, unpacked(CXR_4), SaltedIngestion())

    assert "rsna (2 images, none positive)" in caplog.text


@pytest.mark.parametrize(
    ("lines", "version"), [(30_000, "COVIDx 9B"), (60_000, "COVIDx CXR-4")]
)
def test_lines_are_compared_with_the_version_of_the_nearest_number(
    caplog, lines, version
):
    caplog.set_level(logging.INFO)
    patients = pd.Series(range(lines)).astype("str")

    compare_covidx(
        pd.DataFrame({"patient": patients, "source": "rsna", "reason": None})
    )

    assert f"{version} differs from what was published: {lines:,} rows" in caplog.text


@pytest.mark.parametrize(
    "choice", [{"pseudonym_salt": "short"}, {"max_unmatched_share": 2}]
)
def test_choices_that_do_not_exist_are_refused(choice):
    with pytest.raises(ValueError, match="_ingestion"):
        SaltedIngestion(**choice)
