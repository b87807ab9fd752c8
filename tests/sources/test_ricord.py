import logging

import pandas as pd
import pytest

from covid_cxr.sources.covid import CovidIngestion, list_covid
from covid_cxr.sources.ricord import read_ricord

RICORD = CovidIngestion(layout="ricord", pseudonym_salt=None)
SPEAKING = (
    "MIDRC-RICORD-1C/MIDRC-RICORD-1C-419639-000082/"
    "08-02-2002-NA-XR CHEST 1 VIEW AP-68828/1.000000-NA-82832/1-1.dcm"
)
BARE = "midrc_ricord_1c/MIDRC-RICORD-1C-SITE2-000105/65881/17480/6217b20a.dcm"
SHEET = (
    "Anon MRN,Anon TCIA Study Date,Anon Exam Description,Anon Study UID\n"
    "419639-000082,8/2/2002,XR CHEST 1 VIEW AP,1.2.826.0.1.68828\n"
    "SITE2-000105,3/4/2003,CHEST 1V,1.2.826.0.1.65881\n"
)


def test_both_layouts_of_the_folders_are_read(unpacked):
    listing = read_ricord(unpacked({SPEAKING: "", BARE: ""}))

    assert listing["patient"].tolist() == ["419639-000082", "SITE2-000105"]
    assert listing["site"].tolist() == ["419639", "SITE2"]
    assert listing["study_date"].fillna("-").tolist() == ["08-02-2002", "-"]
    assert listing["view"].tolist() == ["AP", "unknown"]
    assert listing["covid19"].all()
    assert listing["image_id"].tolist() == [
        name.split("/", 1)[1] for name in (SPEAKING, BARE)
    ]


def test_files_of_the_same_name_are_told_apart_by_their_folder(unpacked):
    second = SPEAKING.replace("1.000000-NA-82832", "2.000000-NA-99999")

    radiographs, _ = list_covid(
        None, None, None, unpacked({SPEAKING: "", second: ""}), RICORD
    )

    assert radiographs["file"].tolist() == [SPEAKING, second]
    assert radiographs["patient_id"].unique().tolist() == ["ricord:419639-000082"]


def test_the_sheet_gives_dates_and_names_studies_without_files(unpacked):
    images = unpacked({BARE: "", "MIDRC-RICORD-1c Clinical Data.csv": SHEET})

    listing = read_ricord(images)

    assert listing["study_date"][0] == "3/4/2003"
    assert listing["image_id"][1] == "419639-000082/68828"
    assert "none of its files is in the folder" in listing["reason"][1]


def test_a_study_that_is_not_in_the_sheet_is_rejected(unpacked):
    other = BARE.replace("65881", "11111")
    images = unpacked({SPEAKING: "", BARE: "", other: "", "ricord.csv": SHEET})

    listing = read_ricord(images).set_index("name")

    assert listing.loc[[SPEAKING, BARE], "reason"].isna().all()
    assert "not in the sheet" in listing.loc[other, "reason"]


def test_a_file_outside_the_collection_is_rejected(unpacked):
    listing = read_ricord(unpacked({BARE: "", "elsewhere/1.dcm": ""}))

    rejected = listing.set_index("name")["reason"].dropna()
    assert rejected.to_dict() == {
        "elsewhere/1.dcm": "not in a folder of MIDRC-RICORD-1C"
    }


def test_a_sheet_without_its_columns_is_an_error(unpacked):
    images = unpacked({BARE: "", "ricord.csv": "Anon MRN\nx\n"})

    with pytest.raises(ValueError, match="lacks the columns Anon TCIA Study Date"):
        read_ricord(images)


def test_ricord_with_negatives_of_rsna_is_warned_of_loudly(unpacked, caplog):
    images = unpacked({SPEAKING: "", BARE: ""})
    additions = pd.DataFrame(
        {
            "image": ["aa.dcm", "bb.dcm"],
            "patient": ["aa", "bb"],
            "rt_pcr": "negative",
            "site": None,
            "view": "PA",
            "sex": None,
            "age": None,
            "source": ["RSNA", None],
        },
        dtype="str",
    )

    with caplog.at_level(logging.WARNING):
        radiographs, rejected = list_covid(None, additions, None, images, RICORD)

    assert radiographs["source"].tolist() == ["ricord", "ricord", "rsna"]
    assert rejected["reason"].tolist() == ["no source"]
    assert "THE SOURCE OF AN IMAGE DETERMINES ITS LABEL" in caplog.text
    assert "ricord (2 images, all positive), rsna (1 images, none positive)" in (
        caplog.text
    )
