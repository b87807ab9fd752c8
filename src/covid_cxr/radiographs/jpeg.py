"""Decoding frames of the JPEG processes (ISO/IEC 10918-1): DCT and lossless.

OpenCV has the fastest decoder of 8 bits and none of more. Those of 2 to 16 bits, and
all lossless ones, go to libjpeg-turbo in imagecodecs, as no other permissive decoder
survives damaged files (docs/decisions/0025).
"""

import cv2
import numpy as np

from covid_cxr.radiographs.codestream import DeclaredSize
from covid_cxr.radiographs.rendering import UnreadableRadiograph
from covid_cxr.radiographs.short_jpeg import is_short
from covid_cxr.radiographs.stored_values import Words

# Baseline, extended, spectral selection, progressive, lossless, its first predictor.
JPEG_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 57, 70))
_END_OF_IMAGE = b"\xff\xd9"
_PADDING = b"\0\xff"


def decode_jpeg(frame: bytes, size: DeclaredSize) -> Words:
    """Return the values of a grey JPEG, shape (height, width).

    Args:
        frame: The codestream.
        size: What it declares.

    Raises:
        UnreadableRadiograph: If the frame breaks off, or decodes to another size.
        ImportError: If the decoder of such a frame is not installed.
        RuntimeError: Whatever the decoder raises on a damaged one.
    """
    is_for_opencv = size.precision == 8 and not size.is_lossless
    decoded = _by_opencv(frame) if is_for_opencv else _by_libjpeg_turbo(frame)
    if decoded.shape != (size.height, size.width):
        raise UnreadableRadiograph(
            f"not one grey image: decoded to shape {decoded.shape}"
        )
    return decoded


def _by_opencv(frame: bytes) -> Words:
    decoded = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise UnreadableRadiograph("pixels cannot be decoded: damaged JPEG")
    if decoded.ndim == 2 and is_short(frame, decoded):
        raise UnreadableRadiograph(
            "pixels cannot be decoded: the JPEG has fewer rows than it states"
        )
    return np.asarray(decoded, dtype=np.uint8)


def _by_libjpeg_turbo(frame: bytes) -> Words:
    # Of the extra `codecs`, and not needed for what most collections hold.
    import imagecodecs  # noqa: PLC0415

    # The library fills up what is missing and warns where nobody hears it.
    if not frame.rstrip(_PADDING).endswith(_END_OF_IMAGE):
        raise UnreadableRadiograph(
            "pixels cannot be decoded: the JPEG breaks off before its end"
        )
    decoded: Words = imagecodecs.jpeg8_decode(frame)
    return decoded
