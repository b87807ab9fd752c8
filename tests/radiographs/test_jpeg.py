"""JPEG frames of every process and precision become the values that were encoded."""

import io
import struct
import subprocess
import sys
from shutil import which

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

from covid_cxr.radiographs.codestream import DeclaredSize, declared_size
from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.jpeg import JPEG_SYNTAXES, decode_jpeg
from covid_cxr.radiographs.rendering import UnreadableRadiograph

Y, X = np.mgrid[0:40, 0:52]
CHEST = np.clip(1.2 - ((X - 26) / 26) ** 2 - ((Y - 20) / 20) ** 2, 0, 1.2) / 1.2


def radiograph(bits, *, seed=0):
    noise = np.random.default_rng(seed).integers(-3, 4, CHEST.shape)
    values = np.clip(np.rint((2**bits - 1) * CHEST) + noise, 0, 2**bits - 1)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


def lossless(values, bits, *, predictor=1):
    """Encode as ISO/IEC 10918-1 Annex H says, with codes of 5 bits for all categories.

    Slow and plain, so that it shares nothing with a decoder but the standard.
    """
    values = values.astype(int)
    left, above = np.roll(values, 1, axis=1), np.roll(values, 1, axis=0)
    corner = np.roll(above, 1, axis=1)
    predicted = {
        1: left,
        2: above,
        3: corner,
        4: left + above - corner,
        5: left + ((above - corner) >> 1),
        6: above + ((left - corner) >> 1),
        7: (left + above) >> 1,
    }[predictor].copy()
    predicted[0], predicted[:, 0] = left[0], above[:, 0]
    predicted[0, 0] = 2 ** (bits - 1)
    coded = []
    for difference in (values - predicted).ravel().tolist():
        number = (difference + 2**15) % 2**16 - 2**15
        category = abs(number).bit_length()
        coded.append(f"{category:05b}")
        if category not in {0, 16}:
            rest = number if number > 0 else number + 2**category - 1
            coded.append(f"{rest:0{category}b}")
    digits = "".join(coded)
    digits += "1" * (-len(digits) % 8)
    scan = bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits), 8))
    height, width = values.shape
    huffman = bytes([0, *([0] * 4), 17, *([0] * 11), *range(17)])
    return b"".join(
        (
            b"\xff\xd8",
            b"\xff\xc4" + struct.pack(">H", 2 + len(huffman)) + huffman,
            b"\xff\xc3" + struct.pack(">HB2H4B", 11, bits, height, width, 1, 1, 17, 0),
            b"\xff\xda" + struct.pack(">H6B", 8, 1, 1, 0, predictor, 0, 0),
            scan.replace(b"\xff", b"\xff\x00"),
            b"\xff\xd9",
        )
    )


def decoded(frame):
    pytest.importorskip("imagecodecs", reason='needs "covid-cxr[codecs]"')
    return decode_jpeg(frame, declared_size(frame))


def in_dicom(dataset, frame, syntax, *, bits=None):
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    if bits:
        dataset.BitsStored, dataset.HighBit = bits, bits - 1
    return dataset


@pytest.mark.parametrize("bits", range(2, 17))
def test_lossless_values_of_every_precision_are_those_encoded(bits):
    values = radiograph(bits)

    np.testing.assert_array_equal(decoded(lossless(values, bits)), values)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("predictor", range(1, 8))
def test_lossless_values_by_every_predictor_are_those_encoded(bits, predictor):
    values = radiograph(bits, seed=predictor)
    frame = lossless(values, bits, predictor=predictor)

    np.testing.assert_array_equal(decoded(frame), values)


def test_noise_that_spans_all_differences_is_lossless():
    values = np.random.default_rng(1).integers(0, 2**16, (40, 52)).astype(np.uint16)
    values[:2, :4] = [[0, 65535, 0, 32768], [32768, 0, 32768, 65535]]

    np.testing.assert_array_equal(decoded(lossless(values, 16)), values)


@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1])
@pytest.mark.parametrize(
    ("stored", "bits", "signed"),
    [(8, 8, 0), (12, 12, 0), (12, 16, 0), (16, 16, 0), (12, 12, 1), (12, 16, 1)],
)
def test_a_lossless_file_shows_what_the_plain_file_shows(
    make_dicom, syntax, stored, bits, signed
):
    pytest.importorskip("imagecodecs", reason='needs "covid-cxr[codecs]"')
    values = radiograph(stored)
    if signed:
        values = values.astype(np.int16) - 2 ** (stored - 1)
    centre = 0 if signed else 2 ** (stored - 1)
    header = {"WindowCenter": centre, "WindowWidth": 2**stored}
    header |= {"BitsStored": stored, "PixelRepresentation": signed}
    plain = make_dicom(values, **header)
    words = values.astype(np.int64) % 2**bits
    dataset = in_dicom(make_dicom(values, **header), lossless(words, bits), syntax)

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels, render(plain).pixels)
    assert rendering.steps[0] == f"transfer syntax {syntax}"


def dcmtk(dataset, tmp_path, *options):
    """Return the dataset and its pixels after dcmtk has encoded and decoded it."""
    plain, coded, again = (tmp_path / name for name in ("a.dcm", "b.dcm", "c.dcm"))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = "1.2.3"
    dataset.save_as(plain, enforce_file_format=True)
    subprocess.run([which("dcmcjpeg"), *options, plain, coded], check=True)
    subprocess.run([which("dcmdjpeg"), coded, again], check=True)
    return dcmread(coded), dcmread(again).pixel_array


@pytest.mark.skipif(not which("dcmcjpeg"), reason="dcmtk is not installed")
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(
    "options", [["+e1"], ["+el", "+sv", "6"], ["+el", "+pl", "+sv", "7", "+pt", "2"]]
)
def test_dcmtk_decodes_lossless_files_to_the_same_values(
    make_dicom, tmp_path, bits, options
):
    dataset = make_dicom(radiograph(bits), BitsStored=bits)

    coded, theirs = dcmtk(dataset, tmp_path, *options)

    frame = coded.PixelData[coded.PixelData.index(b"\xff\xd8") :]
    np.testing.assert_array_equal(decoded(frame), theirs)


@pytest.mark.skipif(not which("dcmcjpeg"), reason="dcmtk is not installed")
@pytest.mark.parametrize("process", ["+ee", "+es", "+ep"])
def test_dcmtk_decodes_12_bits_of_every_lossy_process_to_the_same_values(
    make_dicom, tmp_path, process
):
    pytest.importorskip("imagecodecs", reason='needs "covid-cxr[codecs]"')
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    dataset = make_dicom(radiograph(12), BitsStored=12)

    coded, theirs = dcmtk(dataset, tmp_path, process)

    for keyword, value in window.items():
        setattr(coded, keyword, value)
    expected = render(make_dicom(theirs, BitsStored=12, **window))
    np.testing.assert_array_equal(render(coded).pixels, expected.pixels)


def eight_bit_jpeg():
    buffer = io.BytesIO()
    Image.fromarray(radiograph(8)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.mark.parametrize("syntax", sorted(JPEG_SYNTAXES))
def test_the_codestream_decides_how_it_is_decoded_not_the_transfer_syntax(
    make_dicom, syntax
):
    dataset = in_dicom(make_dicom(radiograph(8)), eight_bit_jpeg(), UID(syntax))

    rendering = render(dataset)

    assert np.abs(rendering.pixels.astype(int) - radiograph(8)).max() <= 12


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99])
def test_a_lossless_jpeg_that_breaks_off_is_refused(make_dicom, kept):
    pytest.importorskip("imagecodecs", reason='needs "covid-cxr[codecs]"')
    frame = lossless(radiograph(12), 12)
    frame = frame[: int(kept * len(frame))]
    dataset = make_dicom(radiograph(12), BitsStored=12)

    with pytest.raises(UnreadableRadiograph, match="breaks off"):
        render(in_dicom(dataset, frame, JPEGLosslessSV1))


@pytest.mark.parametrize("padding", [b"\0", b"\0\0\0", b"\xff"])
def test_padding_behind_the_end_is_no_damage(padding):
    frame = lossless(radiograph(12), 12)

    np.testing.assert_array_equal(decoded(frame + padding), radiograph(12))


@pytest.mark.parametrize(
    ("syntax", "frame"),
    [
        (JPEGLossless, lossless(radiograph(8), 8)),
        (JPEGLosslessSV1, lossless(radiograph(12), 12)),
        (
            JPEGExtended12Bit,
            eight_bit_jpeg().replace(b"\xff\xc0\0\x0b\x08", b"\xff\xc1\0\x0b\x0c"),
        ),
    ],
    ids=["57", "70", "51"],
)
def test_where_the_decoder_is_not_installed_its_extra_is_named(
    make_dicom, monkeypatch, syntax, frame
):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    dataset = in_dicom(make_dicom(radiograph(12)), frame, syntax, bits=12)

    with pytest.raises(UnreadableRadiograph) as refusal:
        render(dataset)

    assert refusal.value.reason == (
        f"no decoder installed: transfer syntax {syntax}; "
        f'pip install "covid-cxr[codecs]"'
    )


def inverted(frame):
    return frame[:200] + bytes(255 - octet for octet in frame[200:-2]) + frame[-2:]


def with_bogus_table(frame):
    return frame[:11] + b"\xff" + frame[12:]


def with_a_second_header(frame):
    """The size that is looked at is not the one that would be decoded."""
    at = frame.index(b"\xff\xc3")
    large = frame[at : at + 5] + struct.pack(">2H", 6000, 6000) + frame[at + 9 :]
    return frame[: at + 13] + large


@pytest.mark.parametrize("damage", [inverted, with_bogus_table, with_a_second_header])
def test_a_damaged_frame_is_refused_and_leaves_the_process_alive(make_dicom, damage):
    pytest.importorskip("imagecodecs", reason='needs "covid-cxr[codecs]"')
    frame = damage(lossless(radiograph(12), 12))
    dataset = in_dicom(make_dicom(radiograph(12)), frame, JPEGLosslessSV1, bits=12)

    with pytest.raises(UnreadableRadiograph, match="damaged"):
        render(dataset)


def test_the_lossless_process_is_told_from_those_with_a_transform():
    assert declared_size(lossless(radiograph(12), 12)) == DeclaredSize(
        height=40, width=52, components=1, precision=12, is_lossless=True
    )
    assert not declared_size(eight_bit_jpeg()).is_lossless


def test_a_frame_that_states_more_rows_than_it_has_is_refused():
    buffer = io.BytesIO()
    Image.fromarray(radiograph(8)).save(buffer, "JPEG")
    frame = bytearray(buffer.getvalue())
    place = frame.index(b"\xff\xc0") + 5
    frame[place : place + 2] = struct.pack(">H", 80)
    size = declared_size(bytes(frame))
    assert size is not None
    assert size.height == 80

    with pytest.raises(UnreadableRadiograph, match="fewer rows than it states"):
        decode_jpeg(bytes(frame), size)
