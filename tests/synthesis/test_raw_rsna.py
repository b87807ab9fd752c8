import io
import json

import cv2
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEGBaseline8Bit

from covid_cxr.synthesis.defects import no_defects
from covid_cxr.synthesis.raw_nih import write_nih
from covid_cxr.synthesis.raw_rsna import write_rsna


@pytest.fixture(scope="module")
def written(radiographs, synthesis):
    return write_rsna(radiographs, synthesis, no_defects())


@pytest.fixture(scope="module")
def files(written):
    return {path: dcmread(io.BytesIO(content)) for path, content in written[0]}


def test_files_are_8_bit_jpeg_in_dicom_with_the_patient_described(files):
    for path, image in files.items():
        assert path == f"stage_2_train_images/{image.PatientID}.dcm"
        assert image.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
        assert image.PhotometricInterpretation == "MONOCHROME2"
        assert image.BitsStored == 8
        assert image.PatientSex in {"F", "M"}
        assert image.PatientAge[-1] == "Y"
        assert len(image.PatientAge) == 4
        assert image.ViewPosition in {"PA", "AP"}
        assert image.pixel_array.shape == (64, 64)


def test_a_file_shows_the_nih_image_that_the_mapping_names(
    written, files, radiographs, synthesis
):
    originals = write_nih(radiographs, synthesis, no_defects())[0]
    orders = {order.name: order for order in originals.orders}

    for entry in json.loads(written[3])[:10]:
        png = np.frombuffer(originals.encode(orders[entry["img_id"]]), np.uint8)
        nih = cv2.imdecode(png, cv2.IMREAD_GRAYSCALE).astype(float)
        image = files[f"stage_2_train_images/{entry['subset_img_id']}.dcm"]
        assert np.abs(image.pixel_array - nih).mean() < 4


def test_the_mapping_has_the_official_fields_and_agrees_with_the_files(written, files):
    mapping = json.loads(written[3])

    assert list(mapping[0]) == [
        "subset_img_id",
        "img_id",
        "orig_labels",
        "subset_group",
        "subset_init_label",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "studyId",
        "seriesId",
        "instanceId",
    ]
    assert len({entry["img_id"] for entry in mapping}) == len(mapping) == 60
    for entry in mapping:
        image = files[f"stage_2_train_images/{entry['subset_img_id']}.dcm"]
        assert entry["SOPInstanceUID"] == image.SOPInstanceUID
        assert isinstance(entry["orig_labels"], list)


def test_the_mapping_names_73_percent_train_val_images(written, radiographs, synthesis):
    train_val = write_nih(radiographs, synthesis, no_defects())[2].split("\n")
    named = [entry["img_id"] for entry in json.loads(written[3])]

    assert np.mean(np.isin(named, train_val)) == pytest.approx(0.73, abs=0.02)


def test_labels_have_a_row_per_box_and_boxes_lie_on_the_image(written):
    labels = written[1]
    boxes = labels[labels["Target"] == 1]

    assert labels.columns.tolist() == [
        "patientId",
        "x",
        "y",
        "width",
        "height",
        "Target",
    ]
    assert labels["patientId"].nunique() == 60
    assert boxes[["x", "y", "width", "height"]].notna().all(axis=None)
    assert (boxes[["width", "height"]] > 0).all(axis=None)
    assert (boxes["x"] + boxes["width"] <= 64).all()
    assert (boxes["y"] + boxes["height"] <= 64).all()
    assert labels.loc[labels["Target"] == 0, "x"].isna().all()


def test_some_patients_have_two_boxes(written):
    assert (written[1]["patientId"].value_counts() == 2).any()


def test_the_target_is_1_exactly_where_the_class_is_lung_opacity(written):
    labels, classes = written[1], written[2]

    assert len(labels) == len(classes)
    is_opaque = classes["class"] == "Lung Opacity"
    assert ((labels["Target"] == 1) == is_opaque).all()
    assert set(classes["class"]) == {
        "Lung Opacity",
        "Normal",
        "No Lung Opacity / Not Normal",
    }


def test_about_22_percent_of_the_images_are_positive(large_radiographs, make_synthesis):
    tables = write_rsna(
        large_radiographs, make_synthesis(nih_images=4000), no_defects()
    )
    per_image = tables[1].drop_duplicates("patientId")

    assert per_image["Target"].mean() == pytest.approx(0.2253, abs=0.015)
    n_boxes = tables[1]["Target"].sum() / per_image["Target"].sum()
    assert 1.2 < n_boxes < 2.0
