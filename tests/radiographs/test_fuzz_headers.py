"""Headers that contradict the frame, the codestream or themselves, drawn at random.

Each test knows the values that it encoded. What comes out must be what a slow reading
of those values gives, written here after the standard, or a refusal.
"""

import os
import warnings
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.rendering import UnreadableRadiograph

N = int(os.environ.get("COVID_CXR_FUZZ", "300"))  # examples of each block
SHAPE = (40, 48)
Y, X = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
CHEST = np.clip(1.2 - ((X - 24) / 24) ** 2 - ((Y - 20) / 20) ** 2, 0, 1.2) / 1.2
NATIVE = (ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless)
CODED = (JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)
BITS = ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")


@dataclass(kw_only=True)
class Case:
    """What was put into a frame, and what the header says of it.

    `values` have `bits` bits; the words of the frame hold them `shift` bits up, in
    `width` bits: those allocated, or those of the codestream.
    """

    syntax: str
    values: np.ndarray
    bits: int
    is_signed: bool
    shift: int
    width: int
    header: dict = field(default_factory=dict)
    changed: tuple = ()

    @property
    def words(self):
        """Return what stands in the frame, a sign extended to its width."""
        return self.values.astype(np.int64) % 2 ** (self.width - self.shift) << (
            self.shift
        )


def draw_case(rng):
    syntax = rng.choice(np.array([*NATIVE, *CODED], dtype=object))
    width = int(rng.choice([8, 16])) if syntax in NATIVE else int(rng.integers(7, 17))
    bits = int(rng.integers(6, width + 1))
    shift = int(rng.choice([0, width - bits])) if syntax in NATIVE else 0
    is_signed = bool(rng.random() < 0.3)
    span = rng.choice([0.4, 0.7, 1.0])
    noise = rng.integers(-1, 2, SHAPE) * max(1, 2**bits // 100)
    values = np.clip(np.rint(span * (2**bits - 1) * CHEST) + noise, 0, 2**bits - 1)
    values = values.astype(int) - (2 ** (bits - 1) if is_signed else 0)
    allocated = 8 if width <= 8 else 16
    honest = dict(
        zip(BITS, (allocated, bits, bits + shift - 1, int(is_signed)), strict=True)
    )
    header = dict(honest)
    for keyword in rng.choice(BITS, rng.integers(0, 3), replace=False).tolist():
        usual = {"BitsAllocated": [8, 16, 32], "PixelRepresentation": [0, 1]}.get(
            keyword, range(5, 17)
        )
        odd = [0, 1, 12, 40, None]
        header[keyword] = rng.choice(
            np.array([*usual] if rng.random() < 0.8 else odd, dtype=object)
        )
    changed = [keyword for keyword in BITS if header[keyword] != honest[keyword]]
    if is_signed and len(changed) > 1:  # nobody could tell what is meant
        header["PixelRepresentation"] = 1
    return Case(
        syntax=syntax,
        values=values,
        bits=bits,
        is_signed=is_signed,
        shift=shift,
        width=width,
        header=header,
        changed=tuple(k for k in BITS if header[k] != honest[k]),
    )


def encode(case):
    words = case.words.astype(np.uint8 if case.width <= 8 else np.uint16)
    if case.syntax == ExplicitVRLittleEndian:
        return words.astype(words.dtype.newbyteorder("<")).tobytes()
    if case.syntax == ExplicitVRBigEndian:
        return words.astype(words.dtype.newbyteorder(">")).tobytes()
    return encapsulate([frame_of(case.syntax, words, case.width)])


def frame_of(syntax, words, width):
    if syntax == RLELossless:
        return run_lengths(words)
    if syntax == JPEGLosslessSV1:
        coder = pytest.importorskip("imagecodecs")
        return coder.jpeg8_encode(words, lossless=True, bitspersample=width)
    if syntax == JPEG2000Lossless:
        coder = pytest.importorskip("openjpeg.utils")
        return bytes(coder.encode_array(words, bits_stored=width, use_mct=False))
    coder = pytest.importorskip("jpeg_ls")
    height, columns = words.shape
    return bytes(coder.encode_buffer(words.tobytes(), height, columns, 1, width))


def run_lengths(words):
    """Return RLE segments (PS3.5 Annex G) of literal runs only."""
    octets = [(words >> at & 0xFF) for at in range(8 * words.itemsize - 8, -1, -8)]
    segments = []
    for plane in octets:
        flat = plane.astype(np.uint8).tobytes()
        runs = [flat[i : i + 128] for i in range(0, len(flat), 128)]
        segments.append(b"".join(bytes([len(run) - 1]) + run for run in runs))
    starts = 64 + np.cumsum([0, *map(len, segments[:-1])])
    offsets = np.zeros(16, "<u4")
    offsets[0], offsets[1 : 1 + len(starts)] = len(segments), starts
    return offsets.tobytes() + b"".join(segments)


def radiograph(syntax, content, header):
    dataset = Dataset()
    dataset.file_meta = Dataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.Modality, dataset.PhotometricInterpretation = "CR", "MONOCHROME2"
    dataset.Rows, dataset.Columns = SHAPE
    dataset.SamplesPerPixel = 1
    for keyword, value in header.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.add_new("PixelData", "OB", content)
    return dataset


def outcome(dataset):
    """Return the rendering, or None if it was refused."""
    try:
        return render(dataset)
    except UnreadableRadiograph as error:
        refusal = error
    assert refusal.reason.strip()
    assert "Error" not in refusal.reason
    return None


def bits_of(words, lowest, n, *, is_signed):
    """Return the values in `n` bits of the words from `lowest` on, by their weights."""
    values = np.zeros(SHAPE, dtype=np.int64)
    for bit in range(n):
        weight = -(2**bit) if is_signed and bit == n - 1 else 2**bit
        values += weight * (words // 2 ** (lowest + bit) % 2)
    return values


def readings(case):
    """Yield what may be taken from the frame: nothing that is out of order.

    Where values have a sign and the header says that they have none, nothing in a frame
    contradicts it, and the order is that of the words.
    """
    truths = [case.values]
    if case.is_signed and case.header["PixelRepresentation"] != 1:
        truths = [case.words >> case.shift, case.values % 2**case.bits]
    yield from truths
    for truth in truths:
        order = np.argsort(truth, axis=None, kind="stable")
        for lowest, is_signed in product(range(case.width), (False, True)):
            for n in range(2, case.width - lowest + 1):
                read = bits_of(case.words, lowest, n, is_signed=is_signed)
                if (np.diff(read.ravel()[order]) >= 0).all():
                    yield read


def shown(values, steps, *, center, width):
    """Yield the pixels of `values` by the last step, as PS3.3 C.11.2 defines it."""
    values = values.astype(float)
    if steps[-1].startswith("window"):
        brightness = (values - (center - 0.5)) / (width - 1) + 0.5
        yield np.rint(255 * np.clip(brightness, 0, 1))
    elif steps[-1].startswith("percentiles"):
        ordered = np.sort(values, axis=None)
        low = ordered[int(np.ceil(0.01 * len(ordered))) - 1]
        high = ordered[int(np.ceil(0.99 * len(ordered))) - 1]
        if high > low:
            yield np.rint(255 * np.clip((values - low) / (high - low), 0, 1))
    else:
        assert steps[-1] == "as stored"
        for bits in range(1, 9):
            yield np.rint(255 * np.clip(values / (2**bits - 1), 0, 1))


def is_confirmed(rendering, values, window):
    pixels = rendering.pixels.astype(int)
    return any(
        np.abs(pixels - expected).max() <= 1
        for expected in shown(values, rendering.steps, **window)
    )


def check(case, rng):
    content = encode(case)
    span = int(np.ptp(case.values)) + 1
    window = {"center": int(case.values.min()) + span // 2, "width": span}
    has_window = rng.random() < 0.5
    tags = {"WindowCenter": window["center"], "WindowWidth": span} if has_window else {}
    rendering = outcome(radiograph(case.syntax, content, case.header | tags))
    if rendering is None:
        assert case.changed, "an honest header was refused"
        return "refused"
    if not case.changed:
        assert is_confirmed(rendering, case.values, window)
        assert rendering.steps[-1].startswith("window") == has_window
        return "honest"
    found = any(is_confirmed(rendering, values, window) for values in readings(case))
    assert found, (case.header, case.changed, rendering.steps)
    # Neither near black nor near white, unless all values of 8 bits are shown.
    is_as_stored = rendering.steps[-1] == "as stored"
    assert is_as_stored or np.ptp(np.percentile(rendering.pixels, [1, 99])) > 40
    return "contradiction"


@pytest.mark.parametrize("block", range(3))
def test_whatever_the_header_says_of_the_bits_no_value_is_out_of_order(block):
    outcomes = []
    for seed in range(block * N, (block + 1) * N):
        rng = np.random.default_rng(seed)
        outcomes.append(check(draw_case(rng), rng))

    assert outcomes.count("honest") > N // 10
    assert outcomes.count("contradiction") > N // 5


TABLES = ("VOILUTSequence", "ModalityLUTSequence")
FAULTS = (
    *[None] * 6,
    "short",
    "no data",
    "empty item",
    "empty sequence",
    "no descriptor",
    "two numbers",
)


@dataclass(kw_only=True)
class Table:
    """A lookup table as it stands in a header, and what it holds."""

    keyword: str
    values: np.ndarray
    is_signed: bool
    entries: np.ndarray
    first: int
    is_packed: bool
    data_vr: str
    descriptor_vr: str
    fault: str | None


def draw_table(rng):
    bits = int(rng.choice([8, 12, 16]))
    is_signed = bool(rng.random() < 0.4)
    lowest = -(2 ** (bits - 1)) if is_signed else 0
    values = np.rint((2**bits - 1) * CHEST).astype(int) + lowest
    values = np.clip(values + rng.integers(-2, 3, SHAPE), lowest, lowest + 2**bits - 1)
    wide = int(rng.choice([8, 10, 12, 16]))
    n = int(rng.choice([2, 100, 255, 2**bits, 2**bits // 2]))
    rising = np.sort(rng.integers(0, 2**wide, n))
    rising[[0, -1]] = 0, 2**wide - 1
    return Table(
        keyword=str(rng.choice(TABLES)),
        values=values,
        is_signed=is_signed,
        entries=rising if rng.random() < 0.7 else rising[::-1],
        first=lowest + int(rng.integers(0, max(1, 2**bits - n // 2))),
        is_packed=bool(wide == 8 and rng.random() < 0.6),
        data_vr=str(rng.choice(["US", "SS", "OW"])),
        descriptor_vr=str(rng.choice(["US", "SS"])),
        fault=rng.choice(np.array(FAULTS, dtype=object)),
    )


def word(number, vr):
    """Return a word as its VR shows it."""
    number %= 2**16
    return number - 2**16 if vr == "SS" and number >= 2**15 else number


def data_of(table, *, is_little):
    words = table.entries
    if table.is_packed:
        even = np.append(words, 0) if len(words) % 2 else words
        words = even[::2] + 256 * even[1::2]
    if table.fault == "short":
        words = words[: len(words) // 3]
    if table.fault == "no data":
        words = words[:0]
    if table.data_vr == "OW":
        return words.astype("<u2" if is_little else ">u2").tobytes()
    return [word(int(number), table.data_vr) for number in words]


def item_of(table, *, is_little):
    item = Dataset()
    if table.fault == "empty item":
        return item
    numbers = [len(table.entries), table.first, int(table.entries.max()).bit_length()]
    numbers = numbers[:2] if table.fault == "two numbers" else numbers
    described = [word(number, table.descriptor_vr) for number in numbers]
    if table.fault != "no descriptor":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom knows the length as US only
            item.add_new("LUTDescriptor", table.descriptor_vr, described)
    item.add_new("LUTData", table.data_vr, data_of(table, is_little=is_little))
    return item


def looked_up(table):
    """Return the entry of each value, one by one (PS3.3 C.11.1.1)."""
    entries = table.entries.tolist()
    last = len(entries) - 1
    found = [
        entries[min(max(value - table.first, 0), last)]
        for value in table.values.ravel().tolist()
    ]
    return np.array(found, dtype=float).reshape(SHAPE)


def check_table(table, rng):
    syntax = rng.choice(np.array(NATIVE[:2], dtype=object))
    is_little = syntax == ExplicitVRLittleEndian
    wide = 8 if table.values.max() < 256 and table.values.min() > -129 else 16
    order = "<" if is_little else ">"
    words = (table.values % 2**wide).astype(f"{order}u{wide // 8}")
    header = {"BitsAllocated": wide, "BitsStored": wide, "HighBit": wide - 1}
    header |= {"PixelRepresentation": int(table.is_signed)}
    is_modality = table.keyword == "ModalityLUTSequence"
    seen = table.values if table.fault or not is_modality else looked_up(table)
    span = int(np.ptp(seen)) + 1
    window = {"center": int(seen.min()) + span // 2, "width": span}
    header |= {"WindowCenter": window["center"], "WindowWidth": window["width"]}
    dataset = radiograph(syntax, words.tobytes(), header)
    items = [] if table.fault == "empty sequence" else None
    items = [item_of(table, is_little=is_little)] if items is None else items
    setattr(dataset, table.keyword, items)

    rendering = outcome(dataset)

    if not table.fault and np.ptp(looked_up(table)) == 0:
        return "blank"
    assert rendering is not None
    if table.fault or is_modality:
        assert is_confirmed(rendering, seen, window)
        assert rendering.steps[-1].startswith("window")
    else:
        expected = np.rint(255 * looked_up(table) / table.entries.max())
        assert np.abs(rendering.pixels - expected).max() <= 1, rendering.steps
        assert rendering.steps[-1] == "VOI LUT"
    return "passed over" if table.fault else "looked up"


def test_a_table_gives_its_entries_or_is_passed_over():
    outcomes = []
    for seed in range(N):
        rng = np.random.default_rng(seed)
        outcomes.append(check_table(draw_table(rng), rng))

    assert outcomes.count("looked up") > N // 3
    assert outcomes.count("passed over") > N // 3


def item(content):
    content += b"\0" * (len(content) % 2)
    return b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content


OFFSETS = {
    "empty": b"",
    "right": bytes(4),
    "wrong": b"\xff\xff\0\0",
    "beyond": b"\xff\xff\xff\xff",
    "of two frames": bytes(4) + b"\x10\0\0\0",
    "of five frames": bytes(20),
    "not of whole offsets": bytes(6),
    "missing": None,
}


def draw_offsets(rng):
    return (
        rng.choice(np.array([RLELossless, *CODED], dtype=object)),
        str(rng.choice(list(OFFSETS))),
        int(rng.integers(1, 5)),
        bool(rng.random() < 0.7),
    )


def check_offsets(drawn, rng):
    syntax, offsets, n_fragments, has_end = drawn
    values = np.rint(4000 * CHEST).astype(np.uint16) + rng.integers(0, 9, SHAPE)
    frame = frame_of(syntax, values.astype(np.uint16), 16)
    cuts = 2 * np.sort(rng.integers(40, len(frame) // 2, n_fragments - 1))
    parts = [bytes(part) for part in np.split(np.frombuffer(frame, np.uint8), cuts)]
    table = OFFSETS[offsets]
    content = b"" if table is None else item(table)
    content += b"".join(item(part) for part in parts if part)
    content += b"\xfe\xff\xdd\xe0" + bytes(4) if has_end else b""
    window = {"center": 2000, "width": 4001}
    header = dict(zip(BITS, (16, 16, 15, 0), strict=True))
    header |= {"WindowCenter": 2000, "WindowWidth": 4001}

    rendering = outcome(radiograph(syntax, content, header))

    assert rendering is not None, drawn
    assert is_confirmed(rendering, values, window)
    return offsets


def test_the_only_frame_is_found_whatever_the_offsets_say():
    outcomes = []
    for seed in range(N):
        rng = np.random.default_rng(seed)
        outcomes.append(check_offsets(draw_offsets(rng), rng))

    assert set(outcomes) == set(OFFSETS)
