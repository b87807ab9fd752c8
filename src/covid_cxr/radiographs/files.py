"""Reading one raw image file: DICOM, PNG or JPEG."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray

from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.rendering import (
    UNREADABLE_FILE,
    Rendering,
    UnreadableRadiograph,
)

DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})


def read(path: Path) -> Rendering:
    """Return the radiograph in a file as a viewer shows it.

    PNG and JPEG are taken as they are drawn: colour becomes luminance, transparency
    and the orientation tag of cameras are ignored.

    Args:
        path: A DICOM file (known by its magic number or its suffix), PNG or JPEG.

    Raises:
        UnreadableRadiograph: For anything that cannot be used; the reason quotes
            nothing of a header but codes of format, view and body part.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableRadiograph(f"{UNREADABLE_FILE}: {error.strerror}") from error
    if not data:
        raise UnreadableRadiograph("empty file")
    is_dicom = data[128:132] == b"DICM" or path.suffix.lower() in DICOM_SUFFIXES
    with _quiet():
        return _read_dicom(data) if is_dicom else _read_picture(data)


def _read_dicom(data: bytes) -> Rendering:
    try:
        return render(pydicom.dcmread(io.BytesIO(data), force=True))
    except UnreadableRadiograph:
        raise
    except Exception as error:
        # What pydicom raises on damaged files, at any access to the header, is not
        # bounded, and its message may quote the header.
        raise UnreadableRadiograph(
            f"damaged DICOM file: {type(error).__name__}"
        ) from error


def _read_picture(data: bytes) -> Rendering:
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise UnreadableRadiograph("damaged picture file: too large") from error
    if picture is None:
        raise UnreadableRadiograph("damaged picture file: truncated, or no PNG or JPEG")
    grey, colour_steps = _as_grey(picture)
    if grey.dtype == np.uint8:
        return Rendering(grey, ("as stored", *colour_steps))
    if grey.dtype == np.uint16:
        pixels, step = _as_8_bit(grey)
        return Rendering(pixels, (*colour_steps, step))
    raise UnreadableRadiograph(f"unexpected pixels: {grey.dtype}")


def _as_grey(picture: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Return shape (height, width) from that or from (height, width, 3 or 4)."""
    if picture.ndim == 2:
        return picture, []
    steps = ["transparency ignored"] if picture.shape[2] == 4 else []
    blue, green, red = (picture[..., channel] for channel in range(3))
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return green, [*steps, "grey in colour channels"]
    luminance = cv2.cvtColor(picture[..., :3], cv2.COLOR_BGR2GRAY)
    return luminance, [*steps, "colour to luminance"]


def _as_8_bit(grey: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], str]:
    """Return 16 bits as 8: by the full range where it is used, else by percentiles."""
    if grey.max() >= 2**15:
        return np.rint(grey / 257).astype(np.uint8), "16 bits divided by 257"
    low, high = np.percentile(grey, [1, 99], method="inverted_cdf").astype(float)
    if low == high:
        low, high = float(grey.min()), float(max(grey.max(), grey.min() + 1))
    brightness = np.clip((grey - low) / (high - low), 0.0, 1.0)
    step = f"percentiles 1 to 99: {low:g} to {high:g}"
    return np.rint(255 * brightness).astype(np.uint8), step


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence pydicom and OpenCV: what they say of a file may quote its header."""
    pydicom_logger = logging.getLogger("pydicom")
    was_disabled = pydicom_logger.disabled
    opencv_level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    pydicom_logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        pydicom_logger.disabled = was_disabled
        cv2.utils.logging.setLogLevel(opencv_level)
