"""Reading one raw image file: DICOM, PNG or JPEG."""

import io
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import IFD, Base
from pydicom import Dataset

from covid_cxr.radiographs.admission import USUAL, Admission
from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.dicom_file import quiet, read_dataset
from covid_cxr.radiographs.grey_scale import (
    count_levels,
    is_more_than_extremes,
    percentiles,
    replace_levels,
)
from covid_cxr.radiographs.rendering import (
    UNREADABLE_FILE,
    Rendering,
    UnreadableRadiograph,
    refuse_too_large,
)
from covid_cxr.radiographs.short_jpeg import is_short

DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})
MAX_FILE_BYTES = 2**30  # four times what the largest radiograph takes as stored
_DAMAGED = "damaged picture file: truncated, or no PNG or JPEG"
_AS_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_EXPOSURE = {Base.ExposureTime, Base.FNumber, Base.ISOSpeedRatings, Base.FocalLength}
_START_OF_JPEG = b"\xff\xd8"
_GREY_MODES = frozenset({"1", "L", "I;16"})


def read(path: Path, admission: Admission = USUAL) -> Rendering:
    """Return the radiograph in a file as a viewer shows it.

    PNG and JPEG are taken as they are drawn: colour becomes luminance, transparency
    and the orientation tag of cameras are ignored.

    Args:
        path: A DICOM file (known by its magic number or its suffix), PNG or JPEG.
        admission: As for `dicom.render`.

    Raises:
        UnreadableRadiograph: For anything that cannot be used; the reason quotes
            nothing of a header but terms that the standard lists.
    """
    refuse_irregular(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableRadiograph(f"{UNREADABLE_FILE}: {error.strerror}") from error
    if not data:
        raise UnreadableRadiograph("empty file")
    is_dicom = data[128:132] == b"DICM" or path.suffix.lower() in DICOM_SUFFIXES
    with quiet():
        return _read_dicom(data, admission) if is_dicom else _read_picture(data)


def read_shape(path: Path) -> tuple[int, int]:
    """Return height and width of the radiograph in a file, by its header alone.

    Args:
        path: As for `read`.

    Raises:
        UnreadableRadiograph: If the header cannot be read.
    """
    header = read_header(path)
    try:
        if header is not None:
            with quiet():
                return int(header.Rows), int(header.Columns)
        with quiet(), Image.open(path, formats=("PNG", "JPEG")) as picture:
            return picture.height, picture.width
    except Exception as error:
        # Not bounded, as in `_read_dicom` and `_check_picture`.
        raise UnreadableRadiograph(f"{UNREADABLE_FILE}: no size in it") from error


def read_header(path: Path) -> Dataset | None:
    """Return the header of a DICOM file, without its pixels; None of another file.

    Args:
        path: As for `read`.

    Raises:
        UnreadableRadiograph: If the header cannot be read.
    """
    refuse_irregular(path)
    try:
        with quiet(), path.open("rb") as file:
            start = file.read(132)
            if start[128:] != b"DICM" and path.suffix.lower() not in DICOM_SUFFIXES:
                return None
            return read_dataset(file, stop_before_pixels=True)
    except Exception as error:
        # Not bounded, as in `_read_dicom`.
        raise UnreadableRadiograph(f"{UNREADABLE_FILE}: no header in it") from error


def refuse_irregular(path: Path) -> None:
    """Refuse what is no file of some size, before it is opened: a pipe never ends.

    Raises:
        UnreadableRadiograph: If it is none, or cannot be looked at.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableRadiograph(f"{UNREADABLE_FILE}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableRadiograph("not a regular file: a folder, pipe or device")
    if status.st_size > MAX_FILE_BYTES:
        raise UnreadableRadiograph(
            f"too large: a file of {status.st_size} bytes, at most {MAX_FILE_BYTES} "
            f"are read"
        )


def _read_dicom(data: bytes, admission: Admission) -> Rendering:
    try:
        return render(read_dataset(io.BytesIO(data)), admission)
    except UnreadableRadiograph:
        raise
    except Exception as error:
        # What pydicom raises on damaged files, at any access to the header, is not
        # bounded, and its message may quote the header.
        raise UnreadableRadiograph(
            "damaged DICOM file: it cannot be read to its end"
        ) from error


def _read_picture(data: bytes) -> Rendering:
    mode, is_photograph = _check_picture(data)
    # Straight to luminance, which is what a JPEG holds: colours would take longer.
    try:
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_GREY)
        lacks_rows = grey is not None and _is_short_jpeg(data, grey)
    except Exception as error:  # OpenCV refuses by None or by its own; Pillow by any
        raise UnreadableRadiograph(_DAMAGED) from error
    if grey is None or lacks_rows:
        raise UnreadableRadiograph(_DAMAGED)
    rendering = _as_rendering(grey, is_grey=mode in _GREY_MODES)
    return replace(rendering, is_photograph=is_photograph)


def _is_short_jpeg(data: bytes, grey: NDArray[Any]) -> bool:
    return data.startswith(_START_OF_JPEG) and is_short(data, grey)


def _as_rendering(grey: NDArray[Any], *, is_grey: bool) -> Rendering:
    steps = () if is_grey else ("colour to luminance",)
    if grey.dtype == np.uint8:
        return Rendering(grey, ("as stored", *steps))
    pixels, step = _as_8_bit(grey)
    return Rendering(pixels, (*steps, step))


def _check_picture(data: bytes) -> tuple[str, bool]:
    """Return the colour mode, and whether a camera took the picture, by the header.

    What would not be decoded is refused.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            refuse_too_large(picture.height, picture.width)
            mode: str = picture.mode
            is_photograph = _is_photograph(picture)
            picture.verify()  # checksums of a PNG: libpng would print of broken ones
    except UnreadableRadiograph:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableRadiograph("too large: no radiograph has that size") from error
    except Exception as error:
        # What Pillow raises on damaged files is not bounded, as with pydicom.
        raise UnreadableRadiograph(_DAMAGED) from error
    return mode, is_photograph


def _is_photograph(picture: Image.Image) -> bool:
    """Return whether Exif tells an exposure, which only a camera has.

    Of JPEG only: a PNG would be decoded for it, and is no camera's format.
    """
    if picture.format != "JPEG":
        return False
    try:
        return not _EXPOSURE.isdisjoint(picture.getexif().get_ifd(IFD.Exif))
    except Exception:  # whatever Pillow raises on a damaged one: nothing is told
        return False


def _as_8_bit(grey: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], str]:
    """Return 16 bits as 8: by the full range where it is used, else by percentiles.

    It is used if more than a hundredth of the pixels lie in its upper half: a marker
    or a few burnt-out pixels do not tell how many bits the others have.
    """
    levels, counts = count_levels(grey)
    values = levels.astype(np.float64)
    if is_more_than_extremes(counts[levels >= 2**15].sum(), counts.sum()):
        brightness = values / (2**16 - 1)
        step = "16 bits divided by 257"
    else:
        low, high = percentiles(values, counts)
        brightness = np.clip((values - low) / (high - low), 0.0, 1.0)
        step = f"percentiles 1 to 99: {low:g} to {high:g}"
    greys = np.rint(255 * brightness).astype(np.uint8)
    return replace_levels(grey, levels, greys), step
