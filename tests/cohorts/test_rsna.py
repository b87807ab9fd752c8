import json
import logging

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from covid_cxr.cohorts.rsna import RsnaIngestion, list_rsna

TRUE_PATIENTS = RsnaIngestion(patient_identity="nih_patient")
KAGGLE_IDS = RsnaIngestion(patient_identity="kaggle_id")
IDS = ["aa", "bb", "cc"]

LABELS = pd.DataFrame(
    {
        "patientId": ["aa", "bb", "bb", "cc"],
        "x": [np.nan, 10, 500, np.nan],
        "y": [np.nan, 10, 10, np.nan],
        "width": [np.nan, 200, 200, np.nan],
        "height": [np.nan, 300, 300, np.nan],
        "Target": [0, 1, 1, 0],
    }
)
CLASS_INFO = pd.DataFrame(
    {
        "patientId": ["aa", "bb", "bb", "cc"],
        "class": [
            "Normal",
            "Lung Opacity",
            "Lung Opacity",
            "No Lung Opacity / Not Normal",
        ],
    }
)
CSV = "patientId,nih_image,mse\naa,00000007_000.png,1.5\nbb,00000007_001.png,55.0\n"


def official(pairs):
    return json.dumps(
        [
            {"subset_img_id": own, "img_id": nih, "orig_labels": ["No Finding"]}
            for own, nih in pairs.items()
        ]
    )


def list_all(folder, *, labels=LABELS, classes=CLASS_INFO, mapping=CSV, identity=None):
    return list_rsna(labels, classes, mapping, folder, identity or TRUE_PATIENTS)


def write_header(path, **tags):
    dataset = Dataset()
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["x"])
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def test_the_boxes_of_an_image_are_one_row(folder_of):
    radiographs, rejected = list_all(folder_of("bb.dcm"))

    assert radiographs["image_id"].tolist() == IDS
    assert radiographs["pneumonia"].tolist() == [False, True, False]
    assert radiographs["file"].dropna().tolist() == ["images/bb.dcm"]
    assert rejected.empty


def test_patients_are_those_of_the_nih_image(folder_of):
    radiographs, _ = list_all(folder_of())

    assert radiographs["patient_id"].tolist() == ["nih:7", "nih:7", "rsna:cc"]
    assert radiographs["nih_image"].tolist()[:2] == [
        "00000007_000.png",
        "00000007_001.png",
    ]
    assert pd.isna(radiographs["nih_image"][2])


def test_the_official_mapping_gives_the_same_patients(folder_of):
    mapping = official({"aa": "00000007_000.png", "bb": "00000007_001.png"})

    radiographs, _ = list_all(folder_of(), mapping=mapping)

    assert radiographs["patient_id"].tolist() == ["nih:7", "nih:7", "rsna:cc"]
    assert not radiographs["is_doubtful_match"].any()


def test_a_distant_match_is_marked_and_counted(folder_of, caplog):
    with caplog.at_level(logging.INFO):
        radiographs, _ = list_all(folder_of())

    assert radiographs["is_doubtful_match"].tolist() == [False, True, False]
    assert "2 of 3 images mapped to an NIH image, 1 of them doubtful" in caplog.text


def test_a_mapping_by_hand_needs_no_distance(folder_of):
    radiographs, _ = list_all(
        folder_of(), mapping="patientId,nih_image\naa,00000007_000.png\n"
    )

    assert radiographs["patient_id"].tolist() == ["nih:7", "rsna:bb", "rsna:cc"]


@pytest.mark.parametrize("mapping", [CSV, None])
def test_the_paper_took_each_image_for_a_patient(folder_of, mapping):
    radiographs, _ = list_all(folder_of(), mapping=mapping, identity=KAGGLE_IDS)

    assert radiographs["patient_id"].tolist() == ["rsna:aa", "rsna:bb", "rsna:cc"]
    assert radiographs["nih_image"].notna().sum() == (0 if mapping is None else 2)


def test_true_patients_without_a_mapping_are_an_error_that_says_what_to_do(folder_of):
    with pytest.raises(
        ValueError, match=r"mappings_2018\.json .*patient_identity to kaggle_id"
    ):
        list_all(folder_of(), mapping=None)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ('[{"subset_img_id": "aa", "img', "cannot be read"),
        ('[{"subset_img_id": "aa"}]', r"\(JSON\) lacks the columns img_id"),
        ("a,b\n1,2\n", r"\(CSV\) lacks the columns patientId, nih_image; it has a, b"),
    ],
)
def test_a_damaged_mapping_is_an_error(folder_of, mapping, message):
    with pytest.raises(ValueError, match=message):
        list_all(folder_of(), mapping=mapping)


def test_an_identity_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="nih_patient, kaggle_id, got 'name'"):
        RsnaIngestion(patient_identity="name")


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        ([0, 1, 0, 0], "different Targets"),
        ([0, 1, 2, 0], "neither 0 nor 1"),
        ([0, 1, None, 0], "neither 0 nor 1"),
        ([0, 0, 0, 0], "contradict"),
    ],
)
def test_an_image_with_contradictory_labels_is_rejected_alone(
    folder_of, targets, reason
):
    radiographs, rejected = list_all(folder_of(), labels=LABELS.assign(Target=targets))

    assert radiographs["image_id"].tolist() == ["aa", "cc"]
    assert rejected["image_id"].tolist() == ["bb"]
    assert reason in rejected["reason"][0]


def test_an_image_without_class_keeps_its_target(folder_of):
    radiographs, rejected = list_all(folder_of(), classes=CLASS_INFO.iloc[:1])

    assert radiographs["pneumonia"].tolist() == [False, True, False]
    assert rejected.empty


@pytest.mark.parametrize("table", ["labels", "classes"])
def test_a_table_without_its_columns_is_an_error(folder_of, table):
    with pytest.raises(ValueError, match="lacks the columns patientId"):
        list_all(folder_of(), **{table: pd.DataFrame({"id": [], "Target": []})})


def test_view_sex_and_age_come_from_the_header(folder_of, tmp_path):
    (tmp_path / "images").mkdir()
    write_header(
        tmp_path / "images/aa.dcm",
        ViewPosition="AP",
        PatientSex="F",
        PatientAge="061Y",
        PatientName="Never^Read",
    )
    (tmp_path / "images/bb.dcm").write_bytes(b"not a DICOM file")

    radiographs, rejected = list_all(folder_of("aa.dcm", "bb.dcm", root=tmp_path))

    rows = radiographs.set_index("image_id")
    assert rows.loc["aa", ["view", "sex", "age_years"]].tolist() == ["AP", "F", 61.0]
    for image_id in ("bb", "cc"):
        assert rows.loc[image_id, ["view", "sex"]].tolist() == ["unknown", "unknown"]
    assert rows["age_years"].isna().tolist() == [False, True, True]
    assert "Never" not in radiographs.to_csv()
    assert rejected.empty
