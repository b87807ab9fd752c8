import io

import numpy as np
import pytest
from PIL import Image

from covid_cxr.radiographs.codestream import DeclaredSize, declared_size

GREY = Image.fromarray(np.zeros((40, 30), dtype=np.uint8))


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"comment": b"\xff\xc0" * 20}),  # looks like a frame header
        ("JPEG2000", {"no_jp2": True}),
        ("JPEG2000", {"no_jp2": False}),
    ],
)
@pytest.mark.parametrize(("mode", "components"), [("L", 1), ("RGB", 3)])
def test_the_size_is_read_without_decoding(kind, options, mode, components):
    codestream = encoded(GREY.convert(mode), kind, **options)

    assert declared_size(codestream) == DeclaredSize(
        height=40, width=30, components=components, precision=8
    )


def test_jpeg_ls_declares_its_size():
    jpeg_ls = pytest.importorskip("jpeg_ls")

    codestream = bytes(jpeg_ls.encode_array(np.full((40, 30), 3000, dtype=np.uint16)))

    assert declared_size(codestream) == DeclaredSize(
        height=40, width=30, components=1, precision=12
    )


def test_fill_bytes_before_a_marker_are_skipped():
    codestream = encoded(GREY, "JPEG")
    filled = codestream[:2] + b"\xff\xff\xff" + codestream[2:]

    assert declared_size(filled) == declared_size(codestream)


@pytest.mark.parametrize("marker", [0xC4, 0xCC, 0xDB, 0xE1])
def test_segments_before_the_frame_header_are_passed_over(marker):
    codestream = encoded(GREY, "JPEG")
    segment = bytes([0xFF, marker, 0, 12, *b"0123456789"])

    assert declared_size(codestream[:2] + segment + codestream[2:]) == declared_size(
        codestream
    )


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
@pytest.mark.parametrize("kept", [0, 1, 3, 10])
def test_what_breaks_off_before_its_size_has_none(kind, kept):
    assert declared_size(encoded(GREY, kind)[:kept]) is None


def test_what_is_no_codestream_has_no_size():
    assert declared_size(b"<html>404 Not Found</html>") is None
