"""Whether a JPEG has fewer rows than it states, which decoders fill up without a word.

They take blocks that are missing for zero: grey 128, the middle. Whether grey at the
end is such is told by further data before the end-of-image marker (ISO/IEC 10918-1
B.1.1.3): a decoder that has all rows skips them, one that lacks some draws them.
"""

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FILLED = 128
_START_OF_SCAN, _END = 0xDA, b"\xff\xd9"
_RUN = bytes(range(1, 128))
# One more run after each of the eight restart markers, whichever is expected.
_FURTHER = 4 * _RUN + b"".join(bytes((0xFF, 0xD0 + n)) + 2 * _RUN for n in range(8))


def is_short(content: bytes, grey: NDArray[Any]) -> bool:
    """Return whether rows at the end are not in the file.

    Not found: a first missing block, restart markers in progressive scans, CMYK.

    Args:
        content: A JPEG file that can be decoded.
        grey: Its luminance, shape (height, width).
    """
    if grey[-1, -1] != _FILLED:  # nearly all: decoded once
        return False
    end = content.index(_END, _scans_of(content))
    further = content[:end] + _FURTHER + content[end:]
    return not np.array_equal(_decoded(content), _decoded(further))


def _scans_of(content: bytes) -> int:
    """Return where the first scan begins; a thumbnail before it has an end, too."""
    at = 2
    while content[at + 1] != _START_OF_SCAN:
        is_fill = content[at + 1] == 0xFF
        at += 1 if is_fill else 2 + struct.unpack_from(">H", content, at + 2)[0]
    return at


def _decoded(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
        return np.asarray(picture)
