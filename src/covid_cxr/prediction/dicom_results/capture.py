"""Radiograph and map as a picture that any viewer shows: Secondary Capture, in colour.

A Parametric Map would hold the numbers of the map, but asks for a frame of reference,
which radiographs do not have.
"""

from contextlib import suppress
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes

from covid_cxr.prediction.dicom_results.subject import DISCLAIMER, Subject
from covid_cxr.prediction.page import overlay
from covid_cxr.radiographs.dicom_file import code_of, value_of
from covid_cxr.radiographs.record import original_size

KIND = "map"
_LEAST_PX = 512  # of the longer side of a panel
_STRIP_PX, _MARGIN_PX = 32, 6  # a line of text, and around it
_FONT, _INK = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
_LOSSY = (
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
Picture = NDArray[np.uint8]


def capture(subject: Subject) -> Dataset | None:
    """Return the radiograph and its map side by side; None where there is no map."""
    pixels, heat_map = subject.prediction.pixels, subject.prediction.heat_map
    if pixels is None or heat_map is None:
        return None
    from highdicom.sc import SCImage

    result = SCImage.from_ref_dataset(
        ref_dataset=subject.evidence(),
        pixel_array=picture_of(subject, pixels, heat_map),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),  # replaced by what the source says
        **subject.new_series(2, KIND),
    )
    return _described(subject.adopt(result), subject)


def picture_of(
    subject: Subject, pixels: NDArray[np.uint8], heat_map: NDArray[np.float64]
) -> Picture:
    """Return the picture in RGB, shape (height, width, 3).

    Args:
        subject: Whose score and bundle it names; nothing of the patient.
        pixels: As the network took them, shape (size, size).
        heat_map: On [0, 1], of any shape.
    """
    width, height = _shown_size(subject, len(pixels))
    grey = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
    plain = np.repeat(np.asarray(grey, np.uint8)[..., np.newaxis], 3, axis=2)
    panels = np.hstack([plain, overlay(plain, heat_map)])[..., ::-1]  # OpenCV's is BGR
    row, record = subject.row, subject.bundle.record
    score = f"{record['label']['name']}: score {row['score']:.3f} (0 to 1)"
    lines = [
        _line(DISCLAIMER.upper(), 2 * width),
        panels,
        _line(f"{score}, {row['status']}", 2 * width),
        _line(f"by {record['name']}", 2 * width),
        _legend(2 * width),
    ]
    return np.ascontiguousarray(np.vstack(lines))


def _shown_size(subject: Subject, size_px: int) -> tuple[int, int]:
    """Return width and height in the proportions that the radiograph was taken in."""
    size = original_size(str(subject.row["steps"]))
    factor = max(_LEAST_PX, size_px) / max(size)
    width, height = (max(1, round(factor * side)) for side in size)
    return width, height


def _line(text: str, width: int, *, left: int = _MARGIN_PX) -> Picture:
    """Return a black strip with a line of text that fits into it."""
    strip = np.zeros((_STRIP_PX, width, 3), np.uint8)
    scale = cv2.getFontScaleFromHeight(_FONT, _STRIP_PX - 3 * _MARGIN_PX)
    (text_width, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
    scale *= min(1, (width - left - _MARGIN_PX) / text_width)
    place = (left, _STRIP_PX - 2 * _MARGIN_PX)
    cv2.putText(strip, text, place, _FONT, scale, _INK, 1, cv2.LINE_AA)
    return strip


def _legend(width: int) -> Picture:
    """Return a strip that says what the colours mean."""
    bar_height, bar_width = _STRIP_PX - 2 * _MARGIN_PX, width // 4
    grey = np.full((bar_height, bar_width, 3), 128, np.uint8)
    bar = overlay(grey, np.linspace(0, 1, bar_width)[np.newaxis])[..., ::-1]
    words = "map: from nothing to what spoke most for a case"
    strip = _line(words, width, left=bar_width + 2 * _MARGIN_PX)
    strip[_MARGIN_PX : _MARGIN_PX + bar_height, _MARGIN_PX : _MARGIN_PX + bar_width] = (
        bar
    )
    return strip


def _described(result: Dataset, subject: Subject) -> Dataset:
    """Return `result`, which is being built, with what it is and comes from."""
    source = subject.source
    result.BurnedInAnnotation = "YES"
    result.BodyPartExamined = "CHEST"  # which has no laterality
    result.PatientOrientation = _orientation(source)
    result.DerivationDescription = (
        "Radiograph as the classifier took it, and over it what spoke for a case"
    )
    for keyword in _LOSSY:  # once lossy, always (PS3.3 C.7.6.1.1.5)
        if code_of(source, _LOSSY[0]) == "01" and value_of(source, keyword):
            with suppress(ValueError):  # a ratio that is no number
                setattr(result, keyword, value_of(source, keyword))
    result.SourceImageSequence = [_reference(source)]
    return result


def _orientation(source: Dataset) -> Any:
    """Return where the source's rows and columns point; empty where it is unknown."""
    said = value_of(source, "PatientOrientation")
    is_told = said is not None and not isinstance(said, str) and len(said) == 2
    return said if is_told else None


def _reference(source: Dataset) -> Dataset:
    from highdicom.sr import CodedConcept

    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    purpose = codes.DCM.SourceImageForImageProcessingOperation
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(purpose)]
    return item
