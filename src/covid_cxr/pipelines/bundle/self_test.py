"""Radiographs for the self-test of a bundle: drawn, of nobody."""

import io
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    PYDICOM_ROOT_UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from covid_cxr.synthesis.drawing import Exam, Look, draw_radiograph
from covid_cxr.synthesis.exposure import to_grey

LOSSLESS = (".png", ".dcm")
_LOOK = Look(sign_contrast=1.0, photons=20_000, magnification=1.0)
_WHITE = 4095  # of 12 bits
_SIDES_PX = (320, 288)  # neither square nor the network's size


def draw_self_test() -> Mapping[str, bytes]:
    """Return a radiograph of every kind of file by its name, the same in every call."""
    return {
        "chest_1.png": _picture(_draw(1, "F"), ".png"),
        "chest_2.jpg": _picture(_draw(2, "M"), ".jpg"),
        "chest_3.dcm": _dicom(_draw(3, "F"), "MONOCHROME2"),
        "chest_4.dcm": _dicom(_draw(4, "M"), "MONOCHROME1"),
    }


def _draw(seed: int, sex: str) -> NDArray[np.float32]:
    exam = Exam(
        anatomy_seed=seed,
        drawing_seed=seed,
        sex=sex,
        age_years=50,
        view="PA",
        severities={},
        has_devices=False,
    )
    return draw_radiograph(exam, shape=_SIDES_PX, look=_LOOK).density


def _picture(density: NDArray[np.float32], suffix: str) -> bytes:
    _, encoded = cv2.imencode(suffix, to_grey(density))
    return encoded.tobytes()


def _dicom(density: NDArray[np.float32], photometric: str) -> bytes:
    """Return a DICOM file of 12 bits that names nobody."""
    values = np.rint(_WHITE * density)
    shown = _WHITE - values if photometric == "MONOCHROME1" else values
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = DigitalXRayImageStorageForPresentation
    sources = ["covid_cxr self-test", photometric]
    image.SOPInstanceUID = generate_uid(PYDICOM_ROOT_UID, entropy_srcs=sources)
    image.Modality, image.PresentationIntentType = "DX", "FOR PRESENTATION"
    image.PatientAge, image.BodyPartExamined, image.ViewPosition = "050Y", "CHEST", "PA"
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, photometric
    image.Rows, image.Columns = shown.shape
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelRepresentation = 0
    image.WindowCenter, image.WindowWidth = (_WHITE + 1) / 2, _WHITE + 1
    image.PixelData = shown.astype("<u2").tobytes()
    buffer = io.BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()
