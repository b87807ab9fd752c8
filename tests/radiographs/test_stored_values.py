"""Values are taken from the frame by what header, codestream and data say together."""

import subprocess
from shutil import which

import cv2
import numpy as np
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.rendering import UnreadableRadiograph
from covid_cxr.radiographs.stored_values import StoredBits, take_stored_values

Y, X = np.mgrid[0:96, 0:128]
CHEST = np.clip(1.2 - ((X - 64) / 64) ** 2 - ((Y - 48) / 48) ** 2, 0, 1.2) / 1.2
TWELVE = np.rint(4095 * CHEST).astype(np.uint16)
WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}
OVERLAY = np.where((X // 5 + Y // 7) % 3 == 0, 1, 0).astype(np.uint16)


def stated(dataset, *, stored, high=None, signed=0):
    dataset.BitsStored, dataset.HighBit = stored, stored - 1 if high is None else high
    dataset.PixelRepresentation = signed
    return dataset


def in_syntax(dataset, words, syntax):
    """Put all bits of the words into a frame, whatever the header says of them."""
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = words.astype(">u2").tobytes()
    elif syntax == RLELossless:
        dataset.PixelData = encapsulate([packed(words)])
    elif syntax == JPEGLSLossless:
        jpeg_ls = pytest.importorskip("jpeg_ls")
        dataset.PixelData = encapsulate([bytes(jpeg_ls.encode(words).tobytes())])
    elif syntax == JPEGLosslessSV1:
        libjpeg_turbo = pytest.importorskip("imagecodecs")
        bits = int(words.max()).bit_length()
        coded = libjpeg_turbo.jpeg8_encode(words, lossless=True, bitspersample=bits)
        dataset.PixelData = encapsulate([coded])
    elif syntax == JPEG2000Lossless:
        openjpeg = pytest.importorskip("openjpeg.utils")
        bits = int(words.max()).bit_length()
        coded = openjpeg.encode_array(words, bits_stored=bits, use_mct=False)
        dataset.PixelData = encapsulate([bytes(coded)])
    dataset["PixelData"].VR = "OW" if not syntax.is_encapsulated else "OB"
    return dataset


def packed(words):
    """Return words as RLE segments (PS3.5 Annex G) of literal runs only."""
    segments = []
    for octets in (words >> 8, words & 0xFF):
        flat = octets.astype(np.uint8).tobytes()
        runs = [flat[i : i + 128] for i in range(0, len(flat), 128)]
        segments.append(b"".join(bytes([len(run) - 1]) + run for run in runs))
    offsets = [2, 64, 64 + len(segments[0])] + [0] * 13
    return np.array(offsets, "<u4").tobytes() + b"".join(segments)


SYNTAXES = pytest.mark.parametrize(
    "syntax",
    [
        None,
        ExplicitVRBigEndian,
        RLELossless,
        JPEGLosslessSV1,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda syntax: getattr(syntax, "name", "native"),
)


@SYNTAXES
def test_left_aligned_values_are_shifted_down(make_dicom, syntax):
    expected = render(stated(make_dicom(TWELVE, **WINDOW), stored=12)).pixels
    dataset = stated(make_dicom(TWELVE << 4, **WINDOW), stored=12, high=15)
    if syntax:
        in_syntax(dataset, TWELVE << 4, syntax)

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels, expected)
    assert "shifted by 4 bits: HighBit 15 of 12 stored" in rendering.steps


@SYNTAXES
@pytest.mark.parametrize("bit", [12, 15])
def test_an_overlay_in_unused_bits_is_masked(make_dicom, syntax, bit):
    expected = render(stated(make_dicom(TWELVE, **WINDOW), stored=12)).pixels
    words = TWELVE | OVERLAY << bit
    dataset = stated(make_dicom(words, **WINDOW), stored=12)
    if syntax:
        in_syntax(dataset, words, syntax)

    np.testing.assert_array_equal(render(dataset).pixels, expected)


@SYNTAXES
@pytest.mark.parametrize("stored", [8, 10])
def test_values_of_more_bits_than_the_header_says_do_not_wrap(
    make_dicom, syntax, stored
):
    dataset = stated(make_dicom(TWELVE), stored=stored)
    if syntax:
        in_syntax(dataset, TWELVE, syntax)

    rendering = render(dataset)

    # Brightness rises with the value: nothing is cut down modulo 2^n.
    order = np.argsort(TWELVE, axis=None)
    assert (np.diff(rendering.pixels.ravel()[order].astype(int)) >= 0).all()
    assert any("in the header" in step for step in rendering.steps)
    assert rendering.pixels.max() == 255


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless])
def test_fewer_bits_in_the_codestream_are_not_near_black(make_dicom, syntax):
    eight = (TWELVE >> 4).astype(np.uint8)
    dataset = stated(make_dicom(TWELVE, **WINDOW), stored=12)

    rendering = render(in_syntax(dataset, eight, syntax))

    np.testing.assert_array_equal(rendering.pixels, eight)
    assert "8 bits by the codestream, 12 in the header" in rendering.steps


def test_a_window_of_the_values_counts_though_the_header_states_more_bits(make_dicom):
    expected = render(stated(make_dicom(TWELVE, **WINDOW), stored=12)).pixels
    dataset = stated(make_dicom(TWELVE, **WINDOW), stored=16)

    rendering = render(in_syntax(dataset, TWELVE, JPEGLSLossless))

    np.testing.assert_array_equal(rendering.pixels, expected)


@SYNTAXES
@pytest.mark.parametrize("high", [11, 15])
def test_a_sign_within_the_stored_bits_is_extended(make_dicom, syntax, high):
    signed = TWELVE.astype(np.int16) - 2048
    window = {"WindowCenter": 0, "WindowWidth": 4096}
    words = (signed.view(np.uint16) & 0xFFF) << (high - 11)
    dataset = stated(make_dicom(words, **window), stored=12, high=high, signed=1)
    if syntax:
        in_syntax(dataset, words, syntax)
    plain = stated(make_dicom(signed, **window), stored=16, signed=1)

    np.testing.assert_array_equal(render(dataset).pixels, render(plain).pixels)


@pytest.mark.parametrize("seed", range(40))
def test_values_follow_the_definition_bit_by_bit(seed):
    rng = np.random.default_rng(seed)
    allocated = int(rng.choice([8, 16]))
    stored = int(rng.integers(2, allocated + 1))
    high = int(rng.integers(stored - 1, allocated))
    is_signed = bool(rng.integers(0, 2))
    lowest = -(2 ** (stored - 1)) if is_signed else 0
    ramp = np.linspace(lowest, lowest + 2**stored - 1, 128) * np.ones((6, 1))
    values = np.rint(ramp).astype(np.int64) % 2**stored
    # Bits that change at random above the values, or below those at the top, are no
    # part of them.
    above = rng.integers(0, 2 ** (allocated - high - 1), values.shape) << (high + 1)
    shift = high + 1 - stored
    below = rng.integers(0, 2**shift if high == allocated - 1 else 1, values.shape)
    frame = (above | values << shift | below).astype(f"u{allocated // 8}")
    header = StoredBits(
        allocated=allocated, stored=stored, high=high, is_signed=is_signed, steps=()
    )

    taken = take_stored_values(frame, header, precision=None)

    assert taken.values.tolist() == [
        [slow_value(int(word), stored, high, is_signed) for word in row]
        for row in frame
    ]


def slow_value(word, stored, high, is_signed):
    digits = f"{word:032b}"[::-1][high + 1 - stored : high + 1][::-1]
    value = int(digits, 2)
    return value - 2**stored if is_signed and digits[0] == "1" else value


@pytest.mark.parametrize(
    ("absent", "step"),
    [
        ("PixelRepresentation", "PixelRepresentation absent, taken for unsigned"),
        ("BitsStored", "BitsStored unusable, all bits taken"),
        ("HighBit", "HighBit unusable, lowest bits taken"),
        ("SamplesPerPixel", None),
    ],
)
def test_an_absent_description_of_the_bits_is_said(make_dicom, absent, step):
    eight = (TWELVE >> 4).astype(np.uint8)
    dataset = make_dicom(eight)
    del dataset[absent]

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels, eight)
    assert step is None or step in rendering.steps


@pytest.mark.parametrize("table", [b"", b"\x05\0\0\0", b"\0\0\0\0\x08\0\0\0"])
def test_wherever_offsets_point_the_only_frame_is_read(make_jpeg_dicom, table):
    eight = (TWELVE >> 4).astype(np.uint8)
    dataset = make_jpeg_dicom(eight)
    whole = render(dataset).pixels
    item = b"\xfe\xff\x00\xe0"
    content = dataset.PixelData
    frame = content[content.index(item, 4) :]
    dataset.PixelData = item + len(table).to_bytes(4, "little") + table + frame

    np.testing.assert_array_equal(render(dataset).pixels, whole)


def malformed(dataset, keyword, vr, content):
    tag = Tag(keyword)
    dataset[tag] = RawDataElement(
        tag, vr, len(content), content, 0, is_implicit_VR=False, is_little_endian=True
    )


@pytest.mark.parametrize(
    ("keyword", "vr", "content", "step"),
    [
        ("WindowCenter", "DS", b"2048,0", "window LINEAR nan/4096 unusable"),
        ("WindowWidth", "DS", b"wide", "window LINEAR 2048/nan unusable"),
        ("RescaleSlope", "DS", b"1,0 ", "rescale unusable"),
        ("RescaleIntercept", "DS", b"-", "rescale unusable"),
        ("PixelPaddingValue", "LO", b"none", "padding unusable"),
        ("VOILUTFunction", "CS", b"DOE^JANE", "window of another function unusable"),
    ],
)
def test_a_malformed_element_is_passed_over_and_said(
    make_dicom, keyword, vr, content, step
):
    dataset = stated(make_dicom(TWELVE, **WINDOW), stored=12)
    malformed(dataset, keyword, vr, content)

    assert step in render(dataset).steps


@pytest.mark.parametrize("keyword", ["Rows", "BitsAllocated"])
@pytest.mark.parametrize("value", [None, 12345])
def test_what_cannot_be_passed_over_is_refused(make_dicom, keyword, value):
    dataset = make_dicom(TWELVE)
    setattr(dataset, keyword, value)

    with pytest.raises(UnreadableRadiograph) as refusal:
        render(dataset)

    assert "Error" not in refusal.value.reason


@pytest.mark.skipif(not which("dcm2pnm"), reason="dcmtk is not installed")
@pytest.mark.parametrize(("stored", "high"), [(12, 11), (12, 15), (10, 12), (16, 15)])
def test_dcmtk_shows_the_same(make_dicom, write_dicom, tmp_path, stored, high):
    words = (TWELVE >> (12 - min(stored, 12))) << (high + 1 - stored)
    top = 2 ** min(stored, 12)
    dataset = make_dicom(words, WindowCenter=top // 2, WindowWidth=top)
    path = write_dicom(stated(dataset, stored=stored, high=high))
    shown = tmp_path / "shown.pgm"

    subprocess.run([which("dcm2pnm"), "+Wi", "1", "+op", path, shown], check=True)

    theirs = cv2.imread(str(shown), cv2.IMREAD_GRAYSCALE).astype(int)
    assert np.abs(theirs - render(dataset).pixels).max() <= 1


@SYNTAXES
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_values_that_go_on_past_the_sign_have_none(make_dicom, syntax, bits):
    words = (TWELVE.astype(np.uint32) << 4 >> (16 - bits)).astype(np.uint16)
    window = {"WindowCenter": 2 ** (bits - 1), "WindowWidth": 2**bits}
    expected = render(stated(make_dicom(words, **window), stored=bits)).pixels
    dataset = stated(make_dicom(words, **window), stored=bits, signed=1)
    if syntax:
        in_syntax(dataset, words, syntax)

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels, expected)
    step = "PixelRepresentation 1 ignored: values go on past the sign"
    assert step in rendering.steps


@pytest.mark.parametrize("padding", [-2048, -1])
def test_padding_below_bright_values_leaves_them_their_sign(make_dicom, padding):
    bright = (1500 + TWELVE // 8).astype(np.int16)
    bright[:, :40] = padding
    dataset = stated(
        make_dicom(bright, WindowCenter=1700, WindowWidth=600), stored=12, signed=1
    )

    rendering = render(dataset)

    assert rendering.pixels[:, :40].max() == 0
    assert not any("ignored" in step for step in rendering.steps)


@pytest.mark.parametrize(("stored", "high"), [(12, 15), (12, 13), (10, 12)])
@pytest.mark.parametrize("signed", [0, 1])
def test_values_at_the_lowest_bit_stay_there_whatever_high_bit_says(
    make_dicom, stored, high, signed
):
    values = (TWELVE >> (12 - stored)).astype(np.int16) - 2 ** (stored - 1) * signed
    centre = 0 if signed else 2 ** (stored - 1)
    window = {"WindowCenter": centre, "WindowWidth": 2**stored}
    plain = stated(make_dicom(values, **window), stored=stored, signed=signed)
    expected = render(plain).pixels

    rendering = render(stated(plain, stored=stored, high=high, signed=signed))

    np.testing.assert_array_equal(rendering.pixels, expected)
    step = f"HighBit {high} ignored: the lowest {stored} bits are in use"
    assert step in rendering.steps


@pytest.mark.parametrize(
    ("stored", "high"), [(12, 12), (12, 13), (8, 10), (8, 7), (1, 0), (11, 15)]
)
def test_noisy_values_of_16_bits_do_not_wrap_whatever_the_header_says(
    make_dicom, stored, high
):
    noise = np.random.default_rng(0).normal(0, 400, TWELVE.shape)
    values = np.clip(TWELVE * 15.0 + noise, 0, 2**16 - 1).astype(np.uint16)
    window = {"WindowCenter": 2**15, "WindowWidth": 2**16}

    rendering = render(stated(make_dicom(values, **window), stored=stored, high=high))

    order = np.argsort(values, axis=None)
    assert (np.diff(rendering.pixels.ravel()[order].astype(int)) >= 0).all()
    assert np.ptp(np.percentile(rendering.pixels, [1, 99])) > 200


@pytest.mark.parametrize("is_in_jp2", [False, True])
@pytest.mark.parametrize("stored", [12, 16])
def test_a_sign_that_only_the_codestream_states_counts(make_dicom, stored, is_in_jp2):
    openjpeg = pytest.importorskip("openjpeg.utils")
    signed = TWELVE.astype(np.int16) - 2048
    window = {"WindowCenter": 0, "WindowWidth": 4096}
    expected = render(stated(make_dicom(signed, **window), stored=16, signed=1)).pixels
    dataset = stated(make_dicom(signed, **window), stored=stored, signed=0)
    coded = openjpeg.encode_array(
        signed, bits_stored=12, use_mct=False, codec_format=int(is_in_jp2)
    )
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([bytes(coded)])

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels, expected)
    assert "a sign by the codestream, none in the header" in rendering.steps


@pytest.mark.parametrize("factor", [2, 4])
def test_a_frame_of_words_twice_as_large_as_allocated_is_refused(make_dicom, factor):
    dataset = stated(make_dicom(TWELVE), stored=8)
    dataset.BitsAllocated = 8
    dataset.PixelData = dataset.PixelData * (factor // 2)

    with pytest.raises(UnreadableRadiograph, match="bytes of pixel data, expected"):
        render(dataset)
