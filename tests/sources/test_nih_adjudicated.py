import logging

import pandas as pd
import pytest

from covid_cxr.sources.nih_adjudicated import (
    adjudicated_without_row,
    read_adjudicated,
)
from covid_cxr.user_csv import read_user_csv

# As published: the columns of Data_Entry_2017.csv, the labels, and lines that end CRLF.
HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
    "View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
    "Fracture,Pneumothorax,Airspace opacity,Nodule or mass,Set Id\r\n"
)
FIRST = (
    "00000001_008.png,No Finding,8,1,60,M,AP,3056,2544,0.139,0.139,NO,NO,YES,NO,test"
)
SECOND = "00000002_000.png,Mass,0,2,57,F,PA,2500,2048,0.168,0.168,YES,,NO,YES,test"


@pytest.fixture
def listed():
    names = ["00000001_008.png", "00000002_000.png", "00000003_000.png"]
    return pd.DataFrame(
        {
            "image_id": names,
            "patient_id": ["nih:1", "nih:2", "nih:3"],
            "is_synthetic": False,
        }
    )


def table_of(*rows):
    return read_user_csv((HEADER + "\r\n".join(rows) + "\r\n").encode(), name="a.csv")


def test_labels_are_read_and_a_blank_one_is_unknown(listed):
    table = read_adjudicated(table_of(FIRST, SECOND), listed)

    assert table["image_id"].tolist() == listed["image_id"].tolist()[:2]
    assert table["airspace_opacity"].tolist() == [True, False]
    assert table["nodule_or_mass"].tolist() == [False, True]
    assert table["fracture"].tolist() == [False, True]
    assert table["pneumothorax"].tolist() == [False, pd.NA]


def test_an_image_that_the_cohort_lacks_is_left_to_the_unmatched(listed):
    assert len(read_adjudicated(table_of(FIRST, SECOND), listed.iloc[1:])) == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (SECOND.replace("YES,test", "HEDGE,test"), "neither YES nor NO"),
        (SECOND.replace("0,2,57", "0,3,57"), "another Patient ID than nih_entries"),
        (FIRST, "names an image again"),
    ],
)
def test_a_line_that_cannot_be_is_refused_by_its_number(listed, row, said):
    with pytest.raises(ValueError, match=f"line 3 of a.csv, image 0000000.*{said}"):
        read_adjudicated(table_of(FIRST, row), listed)


@pytest.mark.parametrize(
    "read", [read_adjudicated, lambda table, _: adjudicated_without_row(table, set())]
)
def test_another_table_is_refused_whoever_reads_it_first(listed, read):
    other = read_user_csv(b"image,label\na,YES\n", name="a.csv")

    with pytest.raises(ValueError, match=r"lacks the columns Image Index.* image, lab"):
        read(other, listed)


def test_without_the_table_no_image_has_a_second_truth(listed):
    table = read_adjudicated(None, listed)

    assert table.empty
    assert "nodule_or_mass" in table


def test_another_number_of_images_than_was_published_is_said(listed, caplog):
    with caplog.at_level(logging.INFO):
        read_adjudicated(table_of(FIRST), listed)

    assert "1 images (published 1,962)" in caplog.text
