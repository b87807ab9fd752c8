import warnings

import numpy as np
import pytest
from pydicom import Dataset

from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.header_privacy import (
    PRIVATE_TAGS,
    burned_in_annotation,
    identifying_attributes,
)

PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)


def test_identifying_attributes_are_named_and_others_are_not(make_dicom):
    dataset = make_dicom(
        PIXELS,
        PatientName="Doe^Jane",
        PatientID="4711",
        PatientBirthDate="19500101",
        InstitutionName="St. Elsewhere",
        PatientSex="F",
        PatientAge="070Y",
    )

    assert identifying_attributes(dataset) == (
        "InstitutionName",
        "PatientBirthDate",
        "PatientID",
        "PatientName",
    )


@pytest.mark.parametrize("empty", ["", " ", None])
def test_an_attribute_without_a_value_identifies_nobody(make_dicom, empty):
    assert not identifying_attributes(make_dicom(PIXELS, PatientID=empty))


def test_padding_of_an_empty_value_in_a_file_identifies_nobody(make_dicom, write_dicom):
    path = write_dicom(make_dicom(PIXELS, PatientID="  ", StudyDate=""))

    assert read(path).identifying == ()


def test_private_attributes_count_as_one(make_dicom):
    dataset = make_dicom(PIXELS, PatientID="1")
    block = dataset.private_block(0x0011, "SOME MAKER", create=True)
    block.add_new(1, "LO", "Jane")
    block.add_new(2, "LO", "Doe")

    assert identifying_attributes(dataset) == ("PatientID", PRIVATE_TAGS)


def test_a_sequence_of_other_identities_is_named(make_dicom):
    other = Dataset()
    other.PatientID = "4711"
    dataset = make_dicom(PIXELS, OtherPatientIDsSequence=[other])

    assert identifying_attributes(dataset) == ("OtherPatientIDsSequence",)


def test_a_value_against_the_rules_is_named_without_being_interpreted(
    make_dicom, write_dicom
):
    dataset = make_dicom(PIXELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.add_new("PatientBirthDate", "DA", "born in 1950")
        path = write_dicom(dataset)

    assert read(path).identifying == ("PatientBirthDate",)


@pytest.mark.parametrize(
    ("stated", "answer"),
    [
        ("YES", "YES"),
        ("no ", "NO"),
        ("", "not stated"),
        (None, "not stated"),
        ("JANE DOE", "not stated"),
    ],
)
def test_burned_in_text_is_yes_no_or_not_stated(stated, answer):
    dataset = Dataset()
    if stated is not None:
        dataset.add_new("BurnedInAnnotation", "LO", stated)

    assert burned_in_annotation(dataset) == answer
