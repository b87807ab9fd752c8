import io
import re

import numpy as np
import pytest
from PIL import Image

from covid_cxr.synthesis.defects import no_defects
from covid_cxr.synthesis.raw_nih import write_nih

COLUMNS = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
    "View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)


@pytest.fixture(scope="module")
def written(radiographs, synthesis):
    return write_nih(radiographs, synthesis, no_defects())


@pytest.fixture(scope="module")
def files(written):
    return dict(written[0])


def test_the_table_has_the_published_columns(written):
    assert written[1].to_csv(index=False).split("\n")[0] == COLUMNS


def test_the_table_names_every_file_once(written, files):
    names = sorted(path.rsplit("/", 1)[1] for path in files)

    assert sorted(written[1]["Image Index"]) == names
    assert len(set(names)) == 120


def test_file_names_are_patient_and_follow_up(written):
    for row in written[1].itertuples(index=False):
        assert row[0] == f"{row[3]:08d}_{row[2]:03d}.png"


def test_files_are_spread_over_the_published_folders(files):
    folders = {path.rsplit("/", 1)[0] for path in files}

    assert len(folders) == 12
    assert all(
        re.fullmatch(r"images_0(0[1-9]|1[0-2])/images", name) for name in folders
    )


def test_the_list_of_boxes_has_the_published_columns(written):
    header = written[4].to_csv(index=False).split("\n")[0]

    assert header == "Image Index,Finding Label,Bbox [x,y,w,h],,,"


def test_boxes_mark_findings_that_images_of_the_test_list_are_labelled_with(written):
    _, entries, _, test, boxes = written
    labels = entries.set_index("Image Index")["Finding Labels"].str.split("|")

    assert len(boxes) > 20
    assert set(boxes["Image Index"]) <= set(test.split("\n"))
    for image, finding in zip(
        boxes["Image Index"], boxes["Finding Label"], strict=True
    ):
        assert finding.replace("Infiltrate", "Infiltration") in labels[image]
    assert not boxes.duplicated(["Image Index", "Finding Label"]).any()


def test_boxes_lie_inside_the_published_image(written):
    edges = written[4][["Bbox [x", "y", "w", "h]"]].set_axis(list("xywh"), axis=1)

    assert (edges[["x", "y"]] >= 0).all(axis=None)
    assert (edges[["w", "h"]] > 0).all(axis=None)
    assert (edges["x"] + edges["w"]).max() <= 1024
    assert (edges["y"] + edges["h"]).max() <= 1024


def test_the_lists_are_disjoint_complete_and_end_without_a_newline(written):
    _, entries, train_val, test, _ = written

    assert not train_val.endswith("\n")
    assert not test.endswith("\n")
    listed = train_val.split("\n") + test.split("\n")
    assert sorted(listed) == sorted(entries["Image Index"])
    assert len(test.split("\n")) == round(120 * 25_596 / 112_120)


def test_no_patient_is_in_both_lists(written):
    train_val, test = (
        {name.split("_")[0] for name in text.split("\n")} for text in written[2:4]
    )

    assert train_val.isdisjoint(test)


def test_files_are_png_of_the_size_asked_for_and_mostly_grey(files):
    images = [Image.open(io.BytesIO(content)) for content in files.values()]

    assert {image.format for image in images} == {"PNG"}
    assert {image.size for image in images} == {(64, 64)}
    modes = [image.mode for image in images]
    assert modes.count("L") > 0.9 * len(modes)
    assert set(modes) <= {"L", "RGBA"}


def test_a_few_files_of_a_larger_cohort_are_rgba_and_opaque(
    large_radiographs, make_synthesis
):
    tiny = make_synthesis(nih_images=4000, raw_size_px=32)
    images = write_nih(large_radiographs, tiny, no_defects())[0]
    chosen = [order for order in images.orders if order.exam.drawing_seed % 50 == 0]

    assert 0.005 < len(chosen) / 4000 < 0.04
    image = Image.open(io.BytesIO(images.encode(chosen[0])))
    red, green, blue, alpha = np.moveaxis(np.asarray(image), 2, 0)
    assert image.mode == "RGBA"
    assert (red == green).all()
    assert (green == blue).all()
    assert (alpha == 255).all()


def test_air_is_black(files):
    corners = [
        np.asarray(Image.open(io.BytesIO(content)).convert("L"))[:3, :3].mean()
        for content in files.values()
    ]

    assert np.mean(corners) < 40
