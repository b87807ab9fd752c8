import logging

import cv2
import numpy as np
import pytest
from PIL import Image

from covid_cxr.radiographs.files import read
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.sources.nlm_tuberculosis import (
    list_nlm_tuberculosis,
    list_unmatched_nlm_tuberculosis,
)
from covid_cxr.sources.published_counts import NLM_TUBERCULOSIS

SHENZHEN = "ChinaSet_AllFiles"
MONTGOMERY = "NLM-MontgomeryCXRSet/MontgomerySet"
PUBLISHED = {
    f"{SHENZHEN}/CXR_png/CHNCXR_0001_0.png": "",
    f"{SHENZHEN}/CXR_png/CHNCXR_0327_1.png": "",
    f"{SHENZHEN}/ClinicalReadings/CHNCXR_0001_0.txt": "male 45yrs\nnormal",
    f"{SHENZHEN}/ClinicalReadings/CHNCXR_0327_1.txt": "Female, 8 months\r\nSTB",
    f"{MONTGOMERY}/CXR_png/MCUCXR_0001_0.png": "",
    f"{MONTGOMERY}/CXR_png/MCUCXR_0104_1.png": "",
    f"{MONTGOMERY}/ManualMask/leftMask/MCUCXR_0001_0.png": "",
    f"{MONTGOMERY}/ManualMask/rightMask/MCUCXR_0001_0.png": "",
    f"{MONTGOMERY}/ClinicalReadings/MCUCXR_0001_0.txt": (
        "Patient's Sex: F\nPatient's Age: 027Y\nnormal"
    ),
    f"{MONTGOMERY}/ClinicalReadings/MCUCXR_0104_1.txt": (
        "Patient's Sex: M  \nPatient's Age: 036Y  \nRight pleural effusion"
    ),
}


def listed(images):
    radiographs, rejected = list_nlm_tuberculosis(images)
    return radiographs.set_index("image_id"), rejected


def test_both_collections_are_read_as_they_unpack(unpacked):
    radiographs, rejected = listed(unpacked(PUBLISHED))

    assert rejected.empty
    assert radiographs["tuberculosis"].to_dict() == {
        "CHNCXR_0001_0": False,
        "CHNCXR_0327_1": True,
        "MCUCXR_0001_0": False,
        "MCUCXR_0104_1": True,
    }
    assert radiographs["tuberculosis"].dtype == "boolean"
    assert radiographs["sex"].tolist() == ["M", "F", "F", "M"]
    assert radiographs["age_years"].tolist() == pytest.approx([45, 8 / 12, 27, 36])
    assert radiographs["site"].tolist() == [*["Shenzhen"] * 2, *["Montgomery"] * 2]
    assert radiographs["patient_id"]["MCUCXR_0104_1"] == "nlm:MCUCXR_0104"


def test_a_radiograph_is_found_beside_masks_of_the_same_name(unpacked, caplog):
    caplog.set_level(logging.INFO)

    radiographs, _ = listed(unpacked(PUBLISHED))

    name = f"{MONTGOMERY}/CXR_png/MCUCXR_0001_0.png"
    assert radiographs["file"]["MCUCXR_0001_0"] == name
    assert "2 masks and outlined lesions are no radiographs" in caplog.text


@pytest.mark.parametrize(
    "outline",
    [
        "ManualMask/leftMask/MCUCXR_0001_0.png",
        "mask/mask/CHNCXR_0001_0_mask.png",
        "data/masks/CHNCXR_0001_0.png",
        "Annotations/masks/CHNCXR_0327_1_Calcified_Nodule_2.png",
        "Annotations-2/CHNCXR_0327_1_Clustered_Nodule_(2mm-5mm_apart)_1.png",
        "CXR_png/CHNCXR_0327_1_Pleural_Effusion_1.png",
        "Lung Masks/CHNCXR_0001_0.png",
    ],
)
def test_masks_and_outlined_lesions_are_not_listed(unpacked, outline):
    radiographs, rejected = listed(unpacked({**PUBLISHED, outline: ""}))

    assert len(radiographs) == 4
    assert rejected.empty


@pytest.mark.parametrize(
    ("kept", "absent"), [("CHN", "Montgomery"), ("MCU", "Shenzhen")]
)
def test_one_collection_is_enough_and_is_said(unpacked, caplog, kept, absent):
    caplog.set_level(logging.INFO)
    one = {name: text for name, text in PUBLISHED.items() if kept in name}

    radiographs, _ = listed(unpacked(one))

    assert len(radiographs) == 2
    assert f"nothing of {absent} is in the folder" in caplog.text


@pytest.mark.parametrize(
    ("reading", "sex", "age"),
    [
        ("male 45yrs\nnormal", "M", 45),
        ("female , 32 yrs\nnormal", "F", 32),
        ("Male,16yr\nbilateral PTB", "M", 16),
        ("female 5 months\n", "F", 5 / 12),
        ("\n male  60yrs", "M", 60),
        ("45 yrs, female\nnormal", "F", 45),
        ("1. PTB of the right upper lobe", "unknown", None),
        ("Patient's Sex: M\nPatient's Age: 8 M\nnormal", "M", 8 / 12),
        ("Patient's Sex: F\r\nPatient's Age: 045Y\r\nnormal", "F", 45),
        ("Patient's Age: 045Y\nnormal", "unknown", 45),
        ("normal", "unknown", None),
        ("", "unknown", None),
        ("\x89PNG\r\n", "unknown", None),
    ],
)
def test_sex_and_age_are_those_of_the_reading(unpacked, reading, sex, age):
    name = "CXR_png/CHNCXR_0001_0"
    images = unpacked({f"{name}.png": "", "x/CHNCXR_0001_0.txt": reading})

    radiographs, _ = listed(images)

    assert radiographs["sex"].tolist() == [sex]
    assert radiographs["age_years"].tolist() == pytest.approx(
        [float("nan") if age is None else age], nan_ok=True
    )


def test_no_word_of_a_reading_stands_in_the_log(unpacked, caplog):
    caplog.set_level(logging.INFO)
    secret = {"r/CHNCXR_0001_0.txt": "zebra 45okapis\nquagga"}

    listed(unpacked({"CXR_png/CHNCXR_0001_0.png": "", **secret}))

    told = caplog.text.lower()
    assert "not understood" in told
    assert not any(word in told for word in ("zebra", "okapi", "quagga"))


def test_a_reading_without_a_radiograph_is_a_name_that_finds_nothing(unpacked):
    lost = f"{SHENZHEN}/CXR_png/CHNCXR_0327_1.png"
    files = {name: text for name, text in PUBLISHED.items() if name != lost}

    radiographs, rejected = list_nlm_tuberculosis(unpacked(files))
    unmatched = list_unmatched_nlm_tuberculosis(radiographs, rejected)

    assert rejected["image_id"].tolist() == ["CHNCXR_0327_1"]
    assert unmatched.to_dict("records") == [
        {
            "list": "ClinicalReadings",
            "image": "CHNCXR_0327_1",
            "reason": "have no radiograph in the folder",
            "n_names": 4,
        }
    ]


def test_a_number_with_both_labels_is_rejected_with_both(unpacked):
    other = f"{SHENZHEN}/CXR_png/CHNCXR_0001_1.png"

    radiographs, rejected = listed(unpacked({**PUBLISHED, other: ""}))

    assert "CHNCXR_0001_0" not in radiographs.index
    assert rejected["reason"].tolist() == ["listed with different labels"] * 2


def test_an_image_of_another_name_is_rejected_with_its_name(unpacked):
    files = {**PUBLISHED, "CXR_png/chest.png": "", "CXR_png/CHNCXR_0001_2.png": ""}

    radiographs, rejected = listed(unpacked(files))

    assert len(radiographs) == 4
    assert rejected["image_id"].tolist() == [
        "CXR_png/CHNCXR_0001_2.png",
        "CXR_png/chest.png",
    ]
    assert rejected["reason"].str.startswith("its name is none of").all()


def test_a_folder_of_something_else_stops_with_what_is_expected(unpacked):
    with pytest.raises(ValueError, match=r"CHNCXR_0001_0.*Is it the right table"):
        list_nlm_tuberculosis(unpacked({"00000001_000.png": ""}))


def test_a_palette_as_shenzhen_has_it_is_read_as_grey(tmp_path):
    grey = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8)
    picture = Image.fromarray(grey).convert("P")
    picture.putpalette([level for level in range(256) for _ in range(3)])
    picture.save(tmp_path / "CHNCXR_0001_0.png")
    cv2.imwrite(str(tmp_path / "MCUCXR_0001_0.png"), grey)

    assert (read(tmp_path / "CHNCXR_0001_0.png").pixels == grey).all()
    assert (read(tmp_path / "MCUCXR_0001_0.png").pixels == grey).all()


def test_the_published_counts_are_those_of_the_paper():
    of_shenzhen, of_montgomery = NLM_TUBERCULOSIS.values()

    assert of_shenzhen["images"] - of_shenzhen["with tuberculosis"] == 326
    assert of_montgomery["images"] - of_montgomery["with tuberculosis"] == 80
    assert SOURCES["nlm_tuberculosis"].list_radiographs is list_nlm_tuberculosis
