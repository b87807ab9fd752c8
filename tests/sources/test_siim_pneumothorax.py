import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covid_cxr.sources.siim_pneumothorax import (
    box_of_mask,
    list_siim_pneumothorax,
    list_unmatched_siim_pneumothorax,
)
from covid_cxr.user_csv import read_user_csv

PREFIX = "1.2.276.0.7230010.3.1.4.8323329"
FIRST, SECOND, THIRD = (
    f"{PREFIX}.{end}"
    for end in ("14508.1517875252.443873", "1034.1517875166.8504", "32.1517.9")
)
STAGE_2 = (
    "ImageId,EncodedPixels\n"
    f"{FIRST},387620 23 996 33 986 43\n"
    f"{FIRST},1024 2\n"
    f"{SECOND},-1\n"
    f"{THIRD},0 1\n"
)
STAGE_1 = STAGE_2.replace("ImageId,", "ImageId, ").replace(",-1", ", -1")


def table_of(text, name="stage_2_train.csv"):
    return read_user_csv(text.encode(), name=name)


def encode(mask):
    """Return a mask as the challenge writes it, pixel by pixel."""
    size = mask.shape[0]
    numbers, gap, run = [], 0, 0
    for x in range(size):
        for y in range(size):
            if mask[y, x]:
                run += 1
                continue
            if run:
                numbers += [gap, run]
                gap, run = 0, 0
            gap += 1
    if run:
        numbers += [gap, run]
    return " ".join(map(str, numbers))


@pytest.fixture
def images(unpacked):
    return unpacked(
        {f"dicom-images-train/{n}/s/{n}.dcm": "" for n in (FIRST, SECOND, THIRD)}
    )


@given(
    st.integers(2, 9).flatmap(
        lambda n: st.lists(
            st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n
        )
    )
)
@settings(max_examples=200, deadline=None)
def test_the_box_of_a_mask_is_the_extent_of_its_pixels(pixels):
    mask = np.array(pixels)
    box = box_of_mask(encode(mask), size_px=len(mask))

    if not mask.any():
        assert box is None
        return
    rows, columns = np.nonzero(mask)
    assert box == (
        columns.min(),
        rows.min(),
        np.ptp(columns) + 1,
        np.ptp(rows) + 1,
    )


def test_runs_count_from_the_end_of_the_last_down_the_columns():
    # 387620 = column 378, row 548; the next run begins 23 + 996 pixels further on.
    assert box_of_mask("387620 23 996 33 986 43") == (378, 538, 3, 43)


@pytest.mark.parametrize(
    "encoded",
    ["5", "5 0", "5 3 2", "-1 4", "a b", "1.5 3", "1048575 2", "0 1048577", "5 3 0 0",
     "9" * 40 + " 1"],
)  # fmt: skip
def test_what_does_not_fit_the_image_is_no_mask(encoded):
    assert box_of_mask(encoded) is None


@pytest.mark.parametrize("stage", [1, 2])
def test_the_tables_of_both_stages_are_read(images, stage):
    tables = {
        1: (None, table_of(STAGE_1, "train-rle.csv")),
        2: (table_of(STAGE_2), None),
    }

    radiographs, boxes, rejected = list_siim_pneumothorax(*tables[stage], None, images)

    assert rejected.empty
    assert radiographs.set_index("image_id")["pneumothorax"].to_dict() == {
        FIRST: True,
        SECOND: False,
        THIRD: True,
    }
    assert boxes.to_dict("list") == {
        "image_id": [FIRST, FIRST, THIRD],
        "x": [378, 1, 0],
        "y": [538, 0, 0],
        "width": [3, 1, 1],
        "height": [43, 2, 1],
    }
    assert radiographs["file"].notna().all()


def test_each_image_is_a_patient_of_its_own_and_that_is_said(images, caplog):
    radiographs, _, _ = list_siim_pneumothorax(table_of(STAGE_2), None, None, images)

    assert radiographs["patient_id"].tolist()[0] == f"siim:{FIRST}"
    assert radiographs["patient_id"].nunique() == 3
    assert "images of NIH ChestX-ray14, but without siim_nih_mapping.csv" in caplog.text


def test_a_mapping_gives_the_patients_of_nih(images, caplog):
    mapping = pd.DataFrame(
        {
            "ImageId": [FIRST, SECOND, THIRD, THIRD],
            "nih_image": [
                "00000013_001.png",
                "no name of NIH",
                "00000013_002.png",
                "00000014_000.png",
            ],
        },
        dtype="str",
    )
    caplog.set_level(logging.INFO)

    listed, _, _ = list_siim_pneumothorax(table_of(STAGE_2), None, mapping, images)
    unmatched = list_unmatched_siim_pneumothorax(listed, mapping)

    assert listed["patient_id"].tolist() == [
        "nih:13",
        f"siim:{SECOND}",
        f"siim:{THIRD}",
    ]
    assert "gives 1 images more than one NIH image" in caplog.text
    assert unmatched["image"].tolist() == [SECOND, THIRD]
    assert unmatched["n_names"].tolist() == [3, 3]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (f"{PREFIX}.7,-1\n{PREFIX}.7,5 3\n", "its rows state a mask and none (-1)"),
        (f"{PREFIX}.7,\n", "EncodedPixels is blank"),
        (f"{PREFIX}.7,5\n", "EncodedPixels is no mask of 1024 x 1024 pixels"),
        (f"{PREFIX}.7,5 3\n{PREFIX}.7,1048576 1\n", "EncodedPixels is no mask of"),
        (",5 3\n", "no ImageId"),
    ],
)
def test_what_states_no_label_is_rejected_without_its_boxes(images, rows, reason):
    radiographs, boxes, rejected = list_siim_pneumothorax(
        table_of(STAGE_2 + rows), None, None, images
    )

    assert len(radiographs) == 3
    assert set(boxes["image_id"]) == {FIRST, THIRD}
    assert [text.startswith(reason) for text in rejected["reason"]] == [True]


def test_images_of_the_test_set_are_not_listed(unpacked):
    images = unpacked(
        {f"{FIRST}.dcm": "", "dicom-images-test/a/b/ID_0a0adf93f.dcm": ""}
    )

    listed, _, rejected = list_siim_pneumothorax(table_of(STAGE_2), None, None, images)

    assert "ID_0a0adf93f" not in [*listed["image_id"], *rejected["image_id"]]
    assert list_unmatched_siim_pneumothorax(listed, None)["image"].tolist() == [
        SECOND,
        THIRD,
    ]


def test_without_a_table_of_masks_it_says_which_are_expected(images):
    with pytest.raises(ValueError, match=r"neither stage_2_train\.csv nor train-rle"):
        list_siim_pneumothorax(None, None, None, images)
