import faulthandler
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from covid_cxr.radiographs import dicom_file
from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.rendering import (
    MAX_PIXELS,
    Rendering,
    UnreadableRadiograph,
)

NAME, IDENTITY = "NOBODY^JANE", "ID-4711"
N_PER_KIND = 40


def pixels(dtype=np.uint8):
    across = np.linspace(0, np.pi, 64)
    smooth = np.outer(np.sin(across), np.sin(across[:48]))
    return (np.iinfo(dtype).max // 16 * (1 + 14 * smooth)).astype(dtype)


def picture(mode, kind):
    buffer = io.BytesIO()
    Image.fromarray(pixels()).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def dicom(dataset):
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def sources(make_dicom, make_jpeg_dicom):
    """Return whole files of every kind by name, the DICOM ones with a patient."""
    patient = {"PatientName": NAME, "PatientID": IDENTITY, "WindowCenter": 30000}
    header = {**patient, "WindowWidth": 60000, "BodyPartExamined": "CHEST"}
    deep = pixels(np.uint16)

    def compressed(syntax):
        dataset = make_dicom(deep, **header)
        dataset.compress(syntax, generate_instance_uid=False)
        return dicom(dataset)

    lossless = make_dicom(deep, **header)
    lossless.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    coder = pytest.importorskip("imagecodecs")
    frame = coder.jpeg8_encode(deep, lossless=True, bitspersample=16)
    lossless.PixelData = encapsulate([frame])
    lossless["PixelData"].VR = "OB"
    deflated = make_dicom(deep, **header)
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return {
        "grey.png": picture("L", "PNG"),
        "colour.png": picture("RGBA", "PNG"),
        "grey.jpg": picture("L", "JPEG"),
        "colour.jpg": picture("RGB", "JPEG"),
        "native.dcm": dicom(make_dicom(deep, **header)),
        "deflated.dcm": dicom(deflated),
        "jpeg.dcm": dicom(make_jpeg_dicom(pixels(), **patient)),
        "jpeg-lossless.dcm": dicom(lossless),
        "rle.dcm": compressed(RLELossless),
        "jpeg-ls.dcm": compressed(JPEGLSLossless),
        "jpeg-2000.dcm": compressed(JPEG2000Lossless),
    }


@pytest.fixture(autouse=True)
def no_hang():
    """End the process, with a traceback, if a file keeps the reader busy."""
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def flip_bits(content, rng):
    damaged = bytearray(content)
    for at in rng.integers(0, len(content), rng.integers(1, 20)):
        damaged[at] ^= 1 << int(rng.integers(0, 8))
    return bytes(damaged)


def cut_off(content, rng):
    return content[: int(rng.integers(0, len(content)))]


def cut_out(content, rng):
    start, stop = np.sort(rng.integers(0, len(content), 2))
    return content[:start] + content[stop:]


def repeat(content, rng):
    start, stop = np.sort(rng.integers(0, len(content), 2))
    return content[:stop] + content[start:]


def move(content, rng):
    start, stop, at = np.sort(rng.integers(0, len(content), 3))
    return content[:start] + content[stop:at] + content[start:stop] + content[at:]


def overwrite(content, rng):
    start = int(rng.integers(0, len(content)))
    length = int(rng.integers(1, 200))
    noise = rng.bytes(length) if rng.random() < 0.5 else bytes(length)
    return content[:start] + noise + content[start + length :]


def overwrite_header(content, rng):
    """Change a few bytes near the start, where sizes and tags are."""
    damaged = bytearray(content)
    for at in rng.integers(0, min(len(content), 1200), rng.integers(1, 6)):
        damaged[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))
    return bytes(damaged)


DAMAGES = (flip_bits, cut_off, cut_out, repeat, move, overwrite, overwrite_header)


def outcome(path):
    """Return "accepted" or the reason, after checking that it is one or the other."""
    try:
        rendering = read(path)
    except UnreadableRadiograph as refusal:
        reason = refusal.reason
    else:
        assert isinstance(rendering, Rendering)
        assert rendering.pixels.size <= MAX_PIXELS
        return "accepted"
    assert reason.strip()
    assert len(reason.splitlines()) == 1
    assert len(reason) < 250
    assert not any(word in reason.upper() for word in ("NOBODY", "JANE", IDENTITY))
    return reason


def test_every_kind_is_read_while_it_is_whole(sources, tmp_path):
    for name, content in sources.items():
        (tmp_path / name).write_bytes(content)

    outcomes = {name: outcome(tmp_path / name) for name in sources}

    assert set(outcomes.values()) == {"accepted"}


def test_every_damaged_file_is_read_or_refused_with_a_reason(sources, tmp_path, capfd):
    outcomes = []
    for name, content in sources.items():
        for seed in range(N_PER_KIND):
            rng = np.random.default_rng(seed)
            damage = DAMAGES[seed % len(DAMAGES)]
            path = tmp_path / f"{seed}-{name}"
            path.write_bytes(damage(content, rng))
            outcomes.append(outcome(path))

    assert len(outcomes) == 440
    assert 50 < outcomes.count("accepted") < 390
    printed = "".join(capfd.readouterr())
    assert "NOBODY" not in printed


@pytest.mark.slow
def test_every_damaged_real_file_is_read_or_refused_with_a_reason(real_data, tmp_path):
    whole = [*real_data.glob("dicom/*.dcm"), *real_data.glob("nih/images/*.png")]
    whole.sort()
    for seed in range(70):
        rng = np.random.default_rng(seed)
        source = whole[seed % len(whole)]
        path = tmp_path / f"damaged{source.suffix}"
        path.write_bytes(DAMAGES[seed % len(DAMAGES)](source.read_bytes(), rng))
        outcome(path)


HEADERS = [
    ("Rows", "US", 0),
    ("Rows", "US", 65535),
    ("Rows", "LO", "many"),
    ("Columns", "US", 1),
    ("BitsAllocated", "US", 0),
    ("BitsAllocated", "US", 12),
    ("BitsAllocated", "US", 64),
    ("BitsStored", "US", 0),
    ("BitsStored", "US", 40),
    ("BitsStored", "US", None),
    ("PixelRepresentation", "US", 7),
    ("SamplesPerPixel", "US", 3),
    ("NumberOfFrames", "LO", "-1"),
    ("NumberOfFrames", "LO", "1000000000"),
    ("NumberOfFrames", "LO", NAME),
    ("PhotometricInterpretation", "CS", None),
    ("PhotometricInterpretation", "LO", f"{NAME}\nGREY"),
    ("BodyPartExamined", "LO", NAME),
    ("ViewPosition", "LO", NAME),
    ("Modality", "LO", IDENTITY),
    ("WindowWidth", "LO", "nan"),
    ("WindowWidth", "LO", "inf"),
    ("WindowWidth", "LO", "1e308"),
    ("WindowWidth", "LO", "-5"),
    ("WindowWidth", "LO", NAME),
    ("WindowCenter", "LO", "-inf"),
    ("WindowCenter", "LO", "1e308"),
    ("RescaleSlope", "LO", "nan"),
    ("RescaleSlope", "LO", "1e308"),
    ("RescaleSlope", "LO", "1e-320"),
    ("RescaleIntercept", "LO", "inf"),
    ("PixelPaddingValue", "LO", "nan"),
    ("PixelPaddingRangeLimit", "US", 65535),
    ("VOILUTSequence", "LO", NAME),
    ("ViewCodeSequence", "LO", NAME),
    ("PatientName", "SQ", []),
    ("PixelData", "OW", b""),
    ("PixelData", "OW", None),
    ("PixelData", "LO", NAME),
]


@pytest.mark.parametrize(("keyword", "kind", "value"), HEADERS)
def test_a_header_out_of_range_is_survived(make_dicom, tmp_path, keyword, kind, value):
    dataset = make_dicom(pixels(np.uint16), PatientName=NAME, PatientID=IDENTITY)
    dataset.add_new("RescaleIntercept", "LO", "0")
    dataset.add_new("RescaleSlope", "LO", "1")
    dataset.add_new("PixelPaddingValue", "US", 0)
    dataset.add_new("WindowCenter", "LO", "30000")
    dataset.add_new("WindowWidth", "LO", "60000")
    dataset.add_new(keyword, kind, value)
    path = tmp_path / "radiograph.dcm"
    path.write_bytes(dicom(dataset))

    outcome(path)


@pytest.mark.parametrize("descriptor", [[], [0, 0, 0], [65535, 65535, 99], [3]])
@pytest.mark.parametrize("entries", [b"", b"\1", bytes(range(200))])
@pytest.mark.parametrize("table", ["VOILUTSequence", "ModalityLUTSequence"])
def test_a_malformed_lookup_table_is_survived(
    make_dicom, tmp_path, descriptor, entries, table
):
    dataset = make_dicom(pixels(np.uint16), PatientName=NAME)
    item = type(dataset)()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", "OW", entries)
    setattr(dataset, table, [item])
    path = tmp_path / "radiograph.dcm"
    path.write_bytes(dicom(dataset))

    outcome(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", bytes(5000), b"NOBODY^JANE\n" * 99, b"<html>404</html>" * 99, b"DICM"],
)
@pytest.mark.parametrize("name", ["a.png", "a.jpeg", "a.dcm", "a"])
def test_what_is_no_image_is_refused(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)

    assert outcome(path) != "accepted"


def test_a_file_under_the_suffix_of_another_format_is_survived(sources, tmp_path):
    for i, content in enumerate(sources.values()):
        for suffix in ("png", "jpg", "dcm", "txt"):
            path = tmp_path / f"{i}.{suffix}"
            path.write_bytes(content)
            outcome(path)


def with_png_size(content, side):
    head = b"IHDR" + struct.pack(">2I", side, side) + content[24:29]
    return content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:]


def with_jpeg_size(content, side):
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">2H", side, side) + content[at + 4 :]


def with_jpeg_2000_size(content, side):
    at = content.index(b"\xff\x4f\xff\x51") + 8
    return content[:at] + struct.pack(">2I", side, side) + content[at + 8 :]


def with_header_size(content, side):
    rows = b"\x28\0\x10\0US\2\0"
    columns = b"\x28\0\x11\0US\2\0"
    for element in (rows, columns):
        at = content.index(element) + len(element)
        content = content[:at] + struct.pack("<H", side) + content[at + 2 :]
    return content


@pytest.mark.parametrize(
    ("name", "enlarge", "reason"),
    [
        ("grey.png", with_png_size, "too large"),
        ("colour.jpg", with_jpeg_size, "too large"),
        ("native.dcm", with_header_size, "too large"),
        ("rle.dcm", with_header_size, "too large"),
        ("jpeg.dcm", with_header_size, "too large"),
        ("jpeg.dcm", with_jpeg_size, "compressed pixels, 48 x 64 in the header"),
        ("jpeg-2000.dcm", with_jpeg_2000_size, "compressed pixels, 48 x 64 in"),
    ],
)
@pytest.mark.parametrize("side", [9000, 60000])
def test_a_size_that_would_fill_the_memory_is_refused_as_declared(
    sources, tmp_path, name, enlarge, reason, side
):
    path = tmp_path / name
    path.write_bytes(enlarge(sources[name], side))

    assert reason in outcome(path)


def test_a_header_that_inflates_without_end_is_refused(
    make_dicom, tmp_path, monkeypatch
):
    dataset = make_dicom(pixels(), PatientComments="a" * 10_000)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = tmp_path / "bomb.dcm"
    path.write_bytes(dicom(dataset))

    assert outcome(path) == "accepted"
    monkeypatch.setattr(dicom_file, "MAX_INFLATED", 9_000)
    assert outcome(path).startswith("too large: inflates to over")
