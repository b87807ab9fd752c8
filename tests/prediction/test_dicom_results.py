"""Predictions as DICOM objects: conformant, of the same patient, the same each time."""

import subprocess
import sys
from pathlib import Path

import highdicom as hd
import pydicom
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from covid_cxr.prediction import results_of

DCIODVFY = Path(sys.executable).with_name("dciodvfy")


def errors_of(dataset, folder):
    """Return the lines of dciodvfy that tell an error."""
    place = folder / f"{dataset.SOPInstanceUID}.dcm"
    dataset.save_as(place, enforce_file_format=True)
    said = subprocess.run(
        [DCIODVFY, place], check=False, capture_output=True, text=True
    )
    return [line for line in said.stderr.splitlines() if line.startswith("Error")]


HEADER = {
    "SpecificCharacterSet": "ISO_IR 100",
    "SOPClassUID": DigitalXRayImageStorageForPresentation,
    "StudyInstanceUID": generate_uid(entropy_srcs=["study"]),
    "SeriesInstanceUID": generate_uid(entropy_srcs=["series"]),
    "Modality": "DX",
    "PatientName": "Müller^Jörg",
    "PatientID": "P-17",
    "PatientBirthDate": "19600102",
    "PatientSex": "M",
    "PatientAge": "061Y",
    "StudyDate": "20210304",
    "StudyTime": "101112",
    "StudyID": "S1",
    "AccessionNumber": "A1",
    "ReferringPhysicianName": "",
    "BodyPartExamined": "CHEST",
    "ViewPosition": "PA",
    "PatientOrientation": ["L", "F"],
    "PhotometricInterpretation": "MONOCHROME2",
    "SamplesPerPixel": 1,
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "PixelRepresentation": 0,
}


@pytest.fixture
def radiograph(drawn_chest, tmp_path):
    """Return a function that writes a DX image and returns its place."""

    def write(name="chest.dcm", *, pixels=None, **changes):
        pixels = drawn_chest(0, 64) if pixels is None else pixels
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPInstanceUID = generate_uid(entropy_srcs=["image", name])
        for keyword, value in (HEADER | changes).items():
            if value is not None:
                setattr(image, keyword, value)
        image.Rows, image.Columns = pixels.shape
        image.PixelData = pixels.tobytes()
        image["PixelData"].VR = "OW"
        image.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return write


@pytest.fixture
def predicted(bundle):
    """Return a function from a file to its prediction's row and DICOM results."""

    def predict(place, **options):
        (prediction,) = bundle.predictions([place], **options)
        source = pydicom.dcmread(place, stop_before_pixels=True)
        return prediction.row, results_of(source, prediction, bundle)

    return predict


def in_words(report):
    """Return name and value of each item that a report's measurement group holds."""
    read = hd.sr.ComprehensiveSR.from_dataset(report)
    (group,) = read.content.get_image_measurement_groups()
    numbers = {one.name.value: one.value for one in group.get_measurements()}
    codes = {
        one.name.value: one.value.meaning for one in group.get_qualitative_evaluations()
    }
    comments = [
        item.TextValue
        for item in group[0].ContentSequence
        if item.ConceptNameCodeSequence[0].CodeMeaning == "Comment"
    ]
    return numbers, codes, comments


def saved(dataset, folder):
    """Return a data set as it is read from a file."""
    place = folder / f"{dataset.SOPInstanceUID}.dcm"
    dataset.save_as(place, enforce_file_format=True)
    return pydicom.dcmread(place)


def test_a_report_says_what_the_table_says(predicted, radiograph, tmp_path):
    row, (report, *_) = predicted(radiograph(), prevalence=0.2)

    assert errors_of(report, tmp_path) == []
    numbers, codes, comments = in_words(saved(report, tmp_path))
    assert row["status"] == "predicted"
    assert numbers == {
        name: row[name]
        for name in ("score", "probability", "prevalence", "gate_distance")
    }
    assert codes == {
        "target": "COVID-19",
        "status": "Evaluated",
        "youden": row["youden"].capitalize(),
        "sensitivity": row["sensitivity"].capitalize(),
        "prediction_set": f"Cannot be ruled out: {row['prediction_set']}",
    }
    assert comments == ["Research only."]
    assert (report.VerificationFlag, report.PreliminaryFlag) == (
        "UNVERIFIED",
        "PRELIMINARY",
    )
    assert report.SeriesDescription.startswith("RESEARCH ONLY - not for diagnosis")


def test_a_refusal_is_a_report_without_a_number(predicted, radiograph, tmp_path):
    place = radiograph(ViewPosition="LL")
    row, results = predicted(place)

    assert row["status"] == "refused"
    (report,) = results
    assert errors_of(report, tmp_path) == []
    numbers, codes, comments = in_words(saved(report, tmp_path))
    assert numbers == {}
    assert codes == {"target": "COVID-19", "status": "Not evaluated"}
    assert comments == ["Research only.", f"not evaluated: {row['reason']}"]
    assert "lateral" in row["reason"]
