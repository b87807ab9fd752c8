"""What a JPEG, JPEG-LS or JPEG 2000 codestream declares, before it is decoded.

A decoder takes memory for what the codestream declares, whatever the DICOM header
around it says. The size stands in a segment near the start of every such stream: SOFn
(ISO/IEC 10918-1 B.2.2, and 14495-1 C.2.2) or the first of JPEG 2000 (15444-1 A.5.1).
"""

import struct
from dataclasses import dataclass

_START_OF_JPEG = b"\xff\xd8"
_JPEG_2000 = b"\xff\x4f\xff\x51"  # start, and the size, which must follow
_JP2 = b"\0\0\0\x0cjP  "
STARTS = (_START_OF_JPEG, _JPEG_2000, _JP2)  # of JPEG-LS as well
# SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC), and SOF55 of JPEG-LS.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})  # processes without a DCT
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RSTn, SOI


@dataclass(frozen=True, kw_only=True)
class DeclaredSize:
    """What a decoder will take memory for.

    Attributes:
        height: Rows.
        width: Columns.
        components: Colours; 1 for grey.
        precision: Bits of a value.
        is_signed: Whether values may be negative, as JPEG 2000 alone can say.
        is_lossless: Whether the process is one of the lossless ones of 10918-1.
    """

    height: int
    width: int
    components: int
    precision: int
    is_signed: bool = False
    is_lossless: bool = False


def declared_size(codestream: bytes) -> DeclaredSize | None:
    """Return the size in the header of a codestream, or None where it has none."""
    try:
        if codestream.startswith(_START_OF_JPEG):
            return _size_of_jpeg(codestream)
        # Some wrap it in the boxes of JP2.
        start = codestream.find(_JPEG_2000, 0, 1024)
        return _size_of_jpeg_2000(codestream, start) if start >= 0 else None
    except struct.error:  # it breaks off
        return None


def _size_of_jpeg_2000(codestream: bytes, start: int) -> DeclaredSize:
    width, height, left, top = struct.unpack_from(">4I", codestream, start + 8)
    components, depth = struct.unpack_from(">HB", codestream, start + 40)
    return DeclaredSize(
        height=height - top,
        width=width - left,
        components=components,
        precision=(depth & 0x7F) + 1,
        is_signed=depth >= 0x80,
    )


def _size_of_jpeg(codestream: bytes) -> DeclaredSize | None:
    at = 0
    while True:
        fill, marker = struct.unpack_from(">2B", codestream, at)
        if fill != 0xFF:
            return None
        if marker in _FRAME_HEADERS:
            precision, height, width, components = struct.unpack_from(
                ">B2HB", codestream, at + 4
            )
            return DeclaredSize(
                height=height,
                width=width,
                components=components,
                precision=precision,
                is_lossless=marker in _LOSSLESS,
            )
        if marker == 0xFF:  # a fill byte before the marker
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", codestream, at + 2)[0]
