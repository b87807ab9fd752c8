"""Crop tables as people write them."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from covid_cxr.radiographs.crops import (
    EDGES,
    CropMatching,
    list_unmatched_crops,
    match_crops,
    refuse_unmatched_crops,
)
from covid_cxr.radiographs.curation import Curation, plan_matched_store
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.user_csv import read_user_csv

FILES = ("a/0001.png", "a/Köln 2.PNG", "b/0003.dcm", "b/twice.png")
IMAGES = RadiographFolder(root=Path("raw"), files=FILES, others=(), is_synthetic=False)
RADIOGRAPHS = pd.DataFrame(
    {
        "image_id": ["0001", "004", "Köln 2", "three", "x", "y"],
        "file": ["0001.png", None, FILES[1], "0003", "twice.png", "b/twice.png"],
    },
    dtype="str",
)


def crops_of(*rows, header="image,x0,y0,x1,y1"):
    return read_user_csv("\n".join([header, *rows, ""]).encode(), name="crops.csv")


@pytest.mark.parametrize(
    ("name", "image_id"),
    [
        ("0001", "0001"),
        ("0001.png", "0001"),
        ("a/0001.png", "0001"),
        ("./a/0001.PNG", "0001"),
        ("a\\0001.png", "0001"),
        ("ko\u0308ln 2.png".replace("k", "K"), "Köln 2"),
        ("0003.dcm", "three"),
        ("004", "004"),
        ("  0001.png ", "0001"),
    ],
)
def test_a_crop_finds_its_image_as_a_file_is_found(name, image_id):
    boxes, unmatched = match_crops(crops_of(f"{name},0,1,90,91"), RADIOGRAPHS, IMAGES)

    assert boxes.loc[image_id, EDGES].tolist() == [0.0, 1.0, 90.0, 91.0]
    assert unmatched.empty


@pytest.mark.parametrize("name", ["4", "4.0", "", "../0001.png", "nan", "None"])
def test_a_crop_of_no_image_is_named_with_its_line(name):
    crops = crops_of("0001,0,0,9,9", f"{name},0,0,9,9")

    boxes, unmatched = match_crops(crops, RADIOGRAPHS, IMAGES)

    assert boxes.index.tolist() == ["0001"]
    assert unmatched.to_dict("list") == {
        "place": ["line 3 of crops.csv"],
        "image": [name or "(none)"],
    }


@pytest.mark.parametrize("cell", ["0px", "1e3", "0x0", "ten", "1,234", "1 2", "nan"])
@pytest.mark.parametrize("column", EDGES)
def test_an_edge_that_is_no_number_names_line_and_column(cell, column):
    edges = ["0", "0", "9", "9"]
    edges[EDGES.index(column)] = cell
    crops = crops_of(
        "0001;0;0;9;9", ";".join(["004", *edges]), header="image;x0;y0;x1;y1"
    )

    with pytest.raises(
        ValueError, match=rf"line 3 of crops\.csv: {column} is '{cell}'"
    ):
        match_crops(crops, RADIOGRAPHS, IMAGES)


def test_a_blank_edge_names_line_and_column():
    with pytest.raises(ValueError, match=r"line 2 of crops\.csv.*'004' \(y0 is blank"):
        match_crops(crops_of("004,0,,9,9"), RADIOGRAPHS, IMAGES)


def test_a_row_with_a_comma_too_much_stops_with_its_line():
    with pytest.raises(ValueError, match=r"crops\.csv, line 2: 6 cells"):
        crops_of("0001.png,0,0,90,90,")


def test_a_shifted_table_of_another_reader_stops_with_its_row():
    shifted = pd.DataFrame(
        [[0, 0, 90, 90, float("nan")]], columns=["image", *EDGES], index=["0001.png"]
    )

    with pytest.raises(ValueError, match="row 1 of the table"):
        match_crops(shifted, RADIOGRAPHS, IMAGES)


def judge(crops, share):
    unmatched = list_unmatched_crops(crops, RADIOGRAPHS, IMAGES)
    bound = CropMatching(max_unmatched_share=share)
    refuse_unmatched_crops(unmatched, len(crops), bound, kept_in="there")
    return unmatched


def test_the_first_ten_are_named_and_all_are_listed(caplog):
    crops = crops_of(*(f"z{k:02d},0,0,9,9" for k in range(12)))

    with caplog.at_level(logging.WARNING):
        unmatched = judge(crops, 1.0)

    assert unmatched["image"].tolist() == [f"z{k:02d}" for k in range(12)]
    assert "12 of 12 names in crops.csv" in caplog.text
    assert "z09, …" in caplog.text
    assert "z10" not in caplog.text


@pytest.mark.parametrize(
    ("n_unmatched", "share", "stops"),
    [(1, 0.5, False), (2, 0.5, True), (1, 0.0, True), (0, 0.0, False)],
)
def test_the_run_stops_above_the_share_of_crops_without_image(
    n_unmatched, share, stops
):
    crops = crops_of("0001,0,0,9,9", *(f"z{k},0,0,9,9" for k in range(n_unmatched)))

    if stops:
        with pytest.raises(ValueError, match=r"crop_matching\.max_unmatched_share"):
            judge(crops, share)
    else:
        assert len(judge(crops, share)) == n_unmatched


def test_too_many_crops_without_image_stop_the_plan_of_the_store():
    crops = crops_of("0001,0,0,9,9", "z0,0,0,9,9", "z1,0,0,9,9")
    curation = Curation(
        size_px=16, shard_images=8, compression="none", workers=1, cluster=None
    )
    unmatched = list_unmatched_crops(crops, RADIOGRAPHS, IMAGES)

    def plan(share):
        bound = CropMatching(max_unmatched_share=share)
        return plan_matched_store(
            RADIOGRAPHS, IMAGES, crops, curation, unmatched, bound
        )

    assert plan(0.7).images["x1"].notna().sum() == 1
    with pytest.raises(ValueError, match=r"2 of 3 .*z0, z1.*covid_crops_unmatched"):
        plan(0.6)


def test_without_a_table_nothing_is_unmatched():
    assert list_unmatched_crops(None, RADIOGRAPHS, IMAGES).empty


@pytest.mark.parametrize("share", [-0.1, 1.1, "half", None, True])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match="max_unmatched_share must be a share"):
        CropMatching(max_unmatched_share=share)
