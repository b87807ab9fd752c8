import logging

import pandas as pd
import pytest

from covid_cxr.cohorts.radiograph_table import FINDINGS
from covid_cxr.sources.nih_boxes import count_boxes, read_boxes
from covid_cxr.user_csv import read_user_csv

# As published: a heading with commas inside, and rows that end before the header does.
HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
INFILTRATE = "00000005_006.png,Infiltrate,224.995300292969,547.5,86,79.25\n"
MASS = "00000007_000.png,Mass,0,12.5,1024,900\n"


@pytest.fixture
def radiographs():
    table = pd.DataFrame({"image_id": ["00000005_006.png", "00000007_000.png"]})
    table[list(FINDINGS)] = False
    table.loc[0, "infiltration"] = table.loc[1, "mass"] = True
    return table.astype(dict.fromkeys(FINDINGS, "boolean"))


def table_of(*rows, header=HEADER):
    return read_user_csv((header + "".join(rows)).encode(), name="BBox_List_2017.csv")


def test_a_box_is_known_by_its_finding_and_the_size_of_the_published_image(radiographs):
    boxes = read_boxes(table_of(INFILTRATE, MASS), radiographs)

    assert boxes.to_dict("list") == {
        "image_id": ["00000005_006.png", "00000007_000.png"],
        "x": [224.995300292969, 0],
        "y": [547.5, 12.5],
        "width": [86, 1024],
        "height": [79.25, 900],
        "finding": ["infiltration", "mass"],
        "of_px": [1024, 1024],
    }


@pytest.mark.parametrize(
    ("header", "ending"),
    [
        ('Image Index,Finding Label,"Bbox [x,y,w,h]",,,\n', ""),
        (HEADER, ",,,"),
    ],
)
def test_copies_that_a_spreadsheet_has_saved_are_read_alike(
    radiographs, header, ending
):
    saved = [row.replace("\n", f"{ending}\n") for row in (INFILTRATE, MASS)]

    boxes = read_boxes(table_of(*saved, header=header), radiographs)

    as_published = read_boxes(table_of(INFILTRATE, MASS), radiographs)
    pd.testing.assert_frame_equal(boxes, as_published)


@pytest.mark.parametrize(
    "row",
    [
        "00000005_006.png,Mass,1,1,9,9\n",  # which the image is not labelled with
        "00000007_000.png,Mass,1000,1,25,9\n",  # beyond the right edge
        "00000007_000.png,Mass,1,1,0,9\n",
        "00000007_000.png,Mass,-1,1,9,9\n",
        "00000007_000.png,Mass,1,,9,9\n",
    ],
)
def test_a_box_that_marks_nothing_is_left_out_and_named(radiographs, caplog, row):
    with caplog.at_level(logging.WARNING):
        boxes = read_boxes(table_of(INFILTRATE, row), radiographs)

    assert boxes["finding"].tolist() == ["infiltration"]
    named = f"1 of 2 boxes are left out, as that of {row[:16]} (line 3 of BBox_List"
    assert named in caplog.text


def test_an_image_that_is_not_in_the_cohort_has_no_box(radiographs):
    boxes = read_boxes(table_of(INFILTRATE, MASS), radiographs.iloc[1:])

    assert boxes["finding"].tolist() == ["mass"]


def test_an_unknown_finding_is_refused_with_its_line(radiographs):
    with pytest.raises(ValueError, match=r"line 3 .*'Opacity', expected one of .*Mass"):
        read_boxes(table_of(MASS, MASS.replace("Mass", "Opacity")), radiographs)


def test_an_edge_that_is_no_number_is_refused_with_its_line(radiographs):
    with pytest.raises(ValueError, match=r"line 2 .*w is 'wide'"):
        read_boxes(table_of(MASS.replace("1024", "wide")), radiographs)


def test_without_the_list_there_are_no_boxes_and_it_is_said(radiographs, caplog):
    with caplog.at_level(logging.INFO):
        boxes = read_boxes(None, radiographs)

    assert boxes.empty
    assert {"image_id", "finding"} <= set(boxes)
    assert "BBox_List_2017.csv is absent" in caplog.text


def test_boxes_are_counted_by_the_publishers_words():
    counts = count_boxes(table_of(INFILTRATE, MASS, MASS))

    assert (counts["boxes"], counts["images"]) == (3, 2)
    assert {name: n for name, n in counts.items() if n and name.istitle()} == {
        "Infiltrate": 1,
        "Mass": 2,
    }
