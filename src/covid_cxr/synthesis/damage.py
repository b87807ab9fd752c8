"""What goes wrong with image files, done to the bytes of one: PNG, JPEG or DICOM."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset

from covid_cxr.synthesis.dicom_files import as_bytes

ENLARGED = 2  # a whole factor, so that crop boxes stay whole pixels
_JPEG_QUALITY = 75
_OTHER_POLARITY = {
    "MONOCHROME1": ("MONOCHROME2", "IDENTITY"),
    "MONOCHROME2": ("MONOCHROME1", "INVERSE"),
}
_JPEG_FRAME = b"\xff\xc0"  # the marker of a baseline frame, SOF0
_IHDR = slice(12, 29)  # type, width, height and five more bytes of a PNG's first chunk


def store_anew(content: bytes) -> bytes:
    """Return the same picture enlarged; a PNG went through JPEG, too."""
    if not _is_dicom(content):
        pixels = _enlarge(_decode(content))
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        stored = cv2.imencode(".jpg", pixels, quality)[1].tobytes()
        return stored if _is_jpeg(content) else _encode(_decode(stored), ".png")
    image = _read_dicom(content)
    # Decoded and stored without compression; its grey scale is as it was.
    image.set_pixel_data(
        _enlarge(image.pixel_array),
        image.PhotometricInterpretation,
        image.BitsStored,
        generate_instance_uid=False,
    )
    return as_bytes(image)


def invert(content: bytes) -> bytes:
    """Return the negative: other pixels in a PNG, another header in a DICOM file."""
    if not _is_dicom(content):
        kind = ".jpg" if _is_jpeg(content) else ".png"
        return _encode(255 - _decode(content), kind)
    image = _read_dicom(content)
    polarity, shape = _OTHER_POLARITY[image.PhotometricInterpretation]
    image.PhotometricInterpretation = polarity
    if "PresentationLUTShape" in image:
        image.PresentationLUTShape = shape
    return as_bytes(image)


def corrupt(content: bytes) -> bytes:
    """Return as many bytes without any meaning, the same for the same file."""
    rng = np.random.default_rng(zlib.crc32(content))
    return rng.bytes(len(content))


def truncate(content: bytes) -> bytes:
    """Return the first half of the file."""
    return content[: len(content) // 2]


def misstate_size(content: bytes) -> bytes:
    """Return a file whose header names twice as many rows as there are; a JPEG none."""
    if _is_dicom(content):
        image = _read_dicom(content)
        image.Rows *= 2
        return as_bytes(image)
    if _is_jpeg(content):
        place = content.index(_JPEG_FRAME) + 5  # after marker, length and precision
        # What a JPEG lacks, decoders fill up with grey: it names no row at all.
        return content[:place] + bytes(2) + content[place + 2 :]
    kind, width, height, *others = struct.unpack(">4sII5B", content[_IHDR])
    header = struct.pack(">4sII5B", kind, width, 2 * height, *others)
    checked = header + struct.pack(">I", zlib.crc32(header))
    return content[: _IHDR.start] + checked + content[_IHDR.stop + 4 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "stored_anew": store_anew,
    "inverted_copy": invert,
    "inverted": invert,
    "corrupt": corrupt,
    "truncated": truncate,
    "wrong_size": misstate_size,
}


def _is_dicom(content: bytes) -> bool:
    return content[128:132] == b"DICM"


def _is_jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8")


def _read_dicom(content: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(content))


def _decode(content: bytes) -> NDArray[np.uint8]:
    encoded = np.frombuffer(content, np.uint8)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _encode(pixels: NDArray[np.uint8], kind: str) -> bytes:
    return cv2.imencode(kind, pixels)[1].tobytes()


def _enlarge(pixels: NDArray[Any]) -> NDArray[Any]:
    height, width = pixels.shape
    return cv2.resize(pixels, (ENLARGED * width, ENLARGED * height))
