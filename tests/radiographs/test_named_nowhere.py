"""A patient's name in any element of a header is in no reason, step or log record."""

import io
import logging
import warnings

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, config
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.uid import DigitalXRayImageStorageForProcessing

from covid_cxr.radiographs.admission import Admission
from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.files import read, read_shape
from covid_cxr.radiographs.rendering import UnreadableRadiograph

NAME = "MUELLER QUIRIN"  # a code string could be written so (PS3.5 6.2)
PARTS = ("MUELLER", "QUIRIN")
PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
TEXTS = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM"}
TEXTS |= {"UC", "UI", "UR", "UT"}
ADMISSIONS = [
    Admission(body_part=part, view_not_understood=view)
    for part, view in (("fields", "reject"), ("tag", "admit"), ("admit", "admit"))
]


def plant(dataset, *, kept=()):
    """Put the name into every element of text that there is, but for those kept."""
    kept = {
        *kept,
        "SpecificCharacterSet",
    }  # pydicom would say so of each when it writes
    for tag, (kind, _, _, _, keyword) in DicomDictionary.items():
        if kind in TEXTS and keyword and keyword not in kept and tag >> 16 > 2:
            dataset[tag] = DataElement(tag, "LO", NAME, validation_mode=config.IGNORE)
    item = Dataset()
    for keyword in ("CodeValue", "CodeMeaning", "CodingSchemeDesignator"):
        item.add_new(keyword, "LO", NAME)
    for keyword in ("ViewCodeSequence", "AnatomicRegionSequence"):
        setattr(dataset, keyword, [item])
    return dataset


# What the header is right about, so that the name is met one step later each time.
KEPT = {
    "nothing": (),
    "modality": ("Modality", "SOPClassUID", "PresentationIntentType"),
    "grey": ("PhotometricInterpretation",),
    "one frame": ("PhotometricInterpretation", "NumberOfFrames"),
    "chest": ("PhotometricInterpretation", "NumberOfFrames", "BodyPartExamined"),
    "frontal": (
        "PhotometricInterpretation",
        "NumberOfFrames",
        "BodyPartExamined",
        "ViewPosition",
        "ViewCodeSequence",
    ),
}


def said(call):
    """Return what a call said, in the reason, the steps or the names of elements."""
    try:
        rendering = call()
    except UnreadableRadiograph as error:
        return error.reason
    assert rendering.pixels.shape == PIXELS.shape
    return " ".join(
        [*rendering.steps, *rendering.identifying, rendering.burned_in or ""]
    )


def assert_unnamed(*texts):
    for text in texts:
        assert not [part for part in PARTS if part in text.upper()], text


def written(dataset, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("admission", ADMISSIONS)
@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_a_name_in_every_element_of_text_is_said_nowhere(
    make_dicom, tmp_path, caplog, kept, admission
):
    dataset = plant(
        make_dicom(PIXELS, BodyPartExamined="CHEST", ViewPosition="PA"), kept=kept
    )

    path = written(dataset, tmp_path / "a.dcm")
    caplog.clear()

    with caplog.at_level(logging.DEBUG):
        outcomes = [
            said(lambda: render(dataset, admission)),
            said(lambda: read(path, admission)),
        ]

    assert_unnamed(*outcomes, caplog.text)


FAULTS = {
    "photometric interpretation": {"PhotometricInterpretation": NAME},
    "modality": {"Modality": NAME},
    "function of the window": {
        "VOILUTFunction": NAME,
        "WindowCenter": "9",
        "WindowWidth": "5",
    },
    "window": {"WindowCenter": NAME, "WindowWidth": [NAME, NAME]},
    "body part": {"BodyPartExamined": NAME},
    "two body parts": {"BodyPartExamined": ["ABDOMEN", NAME]},
    "view": {"ViewPosition": NAME},
    "orientation": {"PatientOrientation": [NAME, NAME]},
    "intent": {"PresentationIntentType": NAME},
    "shape of the presentation LUT": {"PresentationLUTShape": NAME},
    "frames": {"NumberOfFrames": NAME},
    "rows": {"Rows": ["17", NAME]},
    "columns": {"Columns": NAME},
    "bits": {"BitsStored": NAME, "HighBit": NAME, "PixelRepresentation": NAME},
    "conversion": {"ConversionType": NAME},
    "annotation": {"BurnedInAnnotation": NAME},
    "character set": {"SpecificCharacterSet": NAME},
    "slope": {"RescaleSlope": NAME},
    "padding": {"PixelPaddingValue": NAME},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_name_in_place_of_a_code_is_not_quoted(
    make_dicom, make_jpeg_dicom, tmp_path, caplog, fault, is_compressed
):
    make = make_jpeg_dicom if is_compressed else make_dicom
    dataset = make(PIXELS, PatientName=NAME)
    for keyword, value in fault.items():
        dataset.add_new(keyword, "LO", value)

    path = written(dataset, tmp_path / "a.dcm")
    caplog.clear()

    with caplog.at_level(logging.DEBUG):
        outcomes = [
            said(lambda choice=choice: render(dataset, choice)) for choice in ADMISSIONS
        ]
        outcomes += [said(lambda: read(path)), shape_of(path)]

    assert_unnamed(*outcomes, caplog.text)


def shape_of(path):
    try:
        return str(read_shape(path))
    except UnreadableRadiograph as error:
        return error.reason


@pytest.mark.parametrize("syntax", [NAME, f"1.2.840.{NAME}", "", "19540312", "1.2"])
def test_a_transfer_syntax_that_is_no_uid_is_not_quoted(make_dicom, syntax):
    dataset = make_dicom(PIXELS)
    dataset.file_meta.add_new("TransferSyntaxUID", "LO", syntax)

    reason = said(lambda: render(dataset))

    assert_unnamed(reason)
    assert not syntax or syntax not in reason


@pytest.mark.parametrize("end", [1, 9, 30, 100, -40, -3])
@pytest.mark.parametrize("is_compressed", [False, True])
def test_pixels_that_break_off_or_hold_a_name_are_not_quoted(
    make_dicom, make_jpeg_dicom, tmp_path, caplog, end, is_compressed
):
    make = make_jpeg_dicom if is_compressed else make_dicom
    dataset = make(PIXELS, PatientName=NAME)
    path = written(dataset, tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:-end])
    dataset.PixelData = dataset.PixelData[:end] + NAME.encode()

    with caplog.at_level(logging.DEBUG):
        outcomes = [said(lambda: render(dataset)), said(lambda: read(path))]

    assert_unnamed(*outcomes, caplog.text)


def test_a_dataset_without_pixels_is_not_quoted(make_dicom):
    dataset = plant(make_dicom(PIXELS))
    del dataset.PixelData
    dataset.SOPClassUID = DigitalXRayImageStorageForProcessing

    assert_unnamed(said(lambda: render(dataset)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_name_in_a_pictures_metadata_is_said_nowhere(
    tmp_path, caplog, kind, is_damaged
):
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = NAME  # ImageDescription, Artist
    exif[0x011A], exif[0x0128] = 72.0, 2  # a resolution, for which Pillow reads them
    buffer = io.BytesIO()
    options = {"exif": exif, "comment": NAME} if kind == "JPEG" else {"exif": exif}
    Image.fromarray(PIXELS).save(buffer, kind, **options)
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(buffer.getvalue()[: -40 if is_damaged else None])

    with caplog.at_level(logging.DEBUG):
        outcomes = [said(lambda: read(path)), shape_of(path)]

    assert_unnamed(*outcomes, caplog.text)
