import json
import logging

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from covid_cxr.sources.rsna import RsnaIngestion, list_rsna
from covid_cxr.user_csv import read_user_csv

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


def list_with_boxes(folder, *, labels=LABELS, classes=CLASS_INFO, mapping=CSV):
    return list_rsna(labels, classes, mapping, folder, TRUE_PATIENTS)


def list_all(folder, *, labels=LABELS, classes=CLASS_INFO, mapping=CSV, identity=None):
    radiographs, _, rejected = list_rsna(
        labels, classes, mapping, folder, identity or TRUE_PATIENTS
    )
    return radiographs, rejected


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


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        (["Normal", "Lung Opacity", "Normal", "Normal"], "have different classes"),
        (["Normal", "Nodule", "Nodule", "Normal"], "not one of the challenge's three"),
    ],
)
def test_an_image_with_contradictory_classes_is_rejected_alone(
    folder_of, classes, reason
):
    radiographs, rejected = list_all(
        folder_of(), classes=CLASS_INFO.assign(**{"class": classes})
    )

    assert radiographs["image_id"].tolist() == ["aa", "cc"]
    assert rejected["image_id"].tolist() == ["bb"]
    assert reason in rejected["reason"][0]


def test_an_image_that_only_the_classes_name_is_rejected(folder_of):
    radiographs, rejected = list_all(folder_of(), labels=LABELS.iloc[:3])

    assert radiographs["image_id"].tolist() == ["aa", "bb"]
    assert rejected["image_id"].tolist() == ["cc"]
    assert "without a row in rsna_labels" in rejected["reason"][0]


def test_rows_without_an_id_are_rejected(folder_of):
    labels = LABELS.assign(patientId=["aa", None, None, "cc"])

    radiographs, rejected = list_all(
        folder_of(), labels=labels, classes=CLASS_INFO.iloc[[0, 3]]
    )

    assert radiographs["image_id"].tolist() == ["aa", "cc"]
    assert rejected["reason"].tolist() == ["no patientId"]


def test_the_class_and_the_source_are_kept(folder_of):
    radiographs, _ = list_all(folder_of())

    assert radiographs["rsna_class"].tolist() == [
        "Normal",
        "Lung Opacity",
        "No Lung Opacity / Not Normal",
    ]
    assert radiographs["source"].unique().tolist() == ["rsna"]


def test_the_boxes_of_positive_images_are_kept_in_raw_pixels(folder_of):
    _, boxes, _ = list_with_boxes(folder_of())

    assert boxes.to_dict("list") == {
        "image_id": ["bb", "bb"],
        "x": [10.0, 500.0],
        "y": [10.0, 10.0],
        "width": [200.0, 200.0],
        "height": [300.0, 300.0],
    }


def test_boxes_of_rejected_images_are_not_kept(folder_of):
    _, boxes, _ = list_with_boxes(
        folder_of(), labels=LABELS.assign(Target=[0, 1, 0, 0])
    )

    assert boxes.empty


def test_a_box_without_extent_is_left_out_and_named(folder_of, caplog):
    labels = LABELS.assign(width=[np.nan, 200, 0, np.nan])

    _, boxes, _ = list_with_boxes(folder_of(), labels=labels)

    assert boxes["x"].tolist() == [10.0]
    assert "1 of 2 boxes are left out, as that of bb" in caplog.text


def test_an_id_with_two_nih_images_is_named_in_the_log(folder_of, caplog):
    list_all(folder_of(), mapping=CSV + "aa,00000008_000.png,1.0\n")

    assert "1 RSNA images more than one NIH image, as for aa" in caplog.text


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


@pytest.mark.parametrize(
    "text",
    [
        CSV.replace(",", ";").replace("1.5", "1,5").replace("55.0", "55,0"),
        "sep=;\r\n" + CSV.replace(",", ";"),
        CSV.replace(",", "\t"),
    ],
)
def test_a_mapping_from_a_spreadsheet_is_read(folder_of, text):
    radiographs, _ = list_all(folder_of(), mapping=text)

    assert radiographs["patient_id"].tolist()[:2] == ["nih:7", "nih:7"]
    assert radiographs["is_doubtful_match"].tolist()[:2] == [False, True]


def test_a_distance_that_is_no_number_is_refused_with_its_line(folder_of):
    with pytest.raises(ValueError, match=r"line 3 of rsna_mapping .*mse is 'far'"):
        list_all(folder_of(), mapping=CSV.replace("55.0", "far"))


@pytest.mark.parametrize("cell", ["0px", "1e3", "1,234", "wide"])
def test_a_box_that_is_no_number_is_refused_with_line_and_column(folder_of, cell):
    labels = read_user_csv(
        f"patientId;x;y;width;height;Target\naa;;;;;0\nbb;10;10;{cell};3;1\n".encode(),
        name="labels.csv",
    )

    with pytest.raises(ValueError, match=r"line 3 of labels\.csv: width is "):
        list_with_boxes(folder_of(), labels=labels)


@pytest.mark.parametrize("cell", ["-4", "", "0"])
def test_a_box_that_is_none_is_left_out_with_its_line(folder_of, caplog, cell):
    labels = read_user_csv(
        "patientId,x,y,width,height,Target\naa,,,,,0\n"
        f"bb,1,1,5,5,1\nbb,10,10,{cell},3,1\n".encode(),
        name="labels.csv",
    )

    _, boxes, _ = list_with_boxes(folder_of(), labels=labels)

    assert boxes["x"].tolist() == [1.0]
    assert "as that of bb (line 4 of labels.csv)" in caplog.text
