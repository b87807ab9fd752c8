"""One DICOM radiograph: whether it can be used, and how a viewer shows it."""

import re
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_fragments, parse_basic_offsets
from pydicom.filebase import DicomBytesIO
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForProcessing,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    RLELossless,
)

from covid_cxr.radiographs.codestream import DeclaredSize, declared_size
from covid_cxr.radiographs.dicom_file import code_of, number_of, value_of, whole_of
from covid_cxr.radiographs.grey_scale import (
    count_levels,
    display_table,
    replace_levels,
)
from covid_cxr.radiographs.identifying import (
    burned_in_annotation,
    identifying_attributes,
)
from covid_cxr.radiographs.rendering import (
    NO_DECODER,
    Rendering,
    UnreadableRadiograph,
    refuse_too_large,
)
from covid_cxr.radiographs.stored_values import (
    StoredBits,
    StoredValues,
    Words,
    take_stored_values,
)
from covid_cxr.radiographs.views import (
    OTHER_THAN_FRONTAL,
    read_orientation,
    read_view,
    read_view_code,
)

CHEST_WORDS = ("CHEST", "THORAX", "TORAX", "TÓRAX", "LUNG")
OTHER_MODALITIES = frozenset({"CT", "MR", "US", "NM", "PT", "MG", "XA", "ES", "SM"})

_MOST_PRECISE = 16  # bits of a codestream's values

# What decodes each compressed transfer syntax that pydicom alone cannot.
_OPEN = 'pip install "covid-cxr[codecs]"'
_GPL = 'pip install "covid-cxr[codecs,codecs-gpl]" (GPL-3.0)'
_CODECS = {
    **{f"1.2.840.10008.1.2.4.{n}": _OPEN for n in (80, 81, 90, 91, 201, 202, 203)},
    **{f"1.2.840.10008.1.2.4.{n}": _GPL for n in (50, 51, 57, 70)},
}

# The fastest of several by benchmarks/decoding.py (docs/decisions/0008).
_FASTEST = {
    RLELossless: "pylibjpeg",
    **dict.fromkeys(JPEG2000TransferSyntaxes, "pylibjpeg"),
}


def render(dataset: Dataset) -> Rendering:
    """Return the radiograph in `dataset` as a viewer shows it.

    Args:
        dataset: With pixel data and the file's meta information (transfer syntax).

    Raises:
        UnreadableRadiograph: If it is not one grey frontal chest radiograph for
            presentation, or its pixels cannot be decoded.
    """
    _refuse_other_images(dataset)
    stored, step = _decode(dataset)
    levels, counts = count_levels(stored.values)
    greys, steps = display_table(dataset, stored, levels, counts)
    return Rendering(
        replace_levels(stored.values, levels, greys),
        (step, *stored.steps, *steps),
        identifying=identifying_attributes(dataset),
        burned_in=burned_in_annotation(dataset),
    )


def _refuse_other_images(dataset: Dataset) -> None:
    if not value_of(dataset, "PixelData"):
        raise UnreadableRadiograph(
            "no pixel data: the file has none, or breaks off before their end"
        )
    modality = code_of(dataset, "Modality")
    if modality in OTHER_MODALITIES:
        raise UnreadableRadiograph(f"not a radiograph: Modality {modality}")
    if (
        code_of(dataset, "PresentationIntentType") == "FOR PROCESSING"
        or value_of(dataset, "SOPClassUID") == DigitalXRayImageStorageForProcessing
    ):
        raise UnreadableRadiograph(
            "not for display: PresentationIntentType FOR PROCESSING"
        )
    photometric = code_of(dataset, "PhotometricInterpretation")
    if photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise UnreadableRadiograph(
            f"not grey: PhotometricInterpretation {_quotable(photometric) or 'absent'}"
        )
    frames = number_of(dataset, "NumberOfFrames")
    if frames is not None and frames > 1:
        raise UnreadableRadiograph(f"not one image: {frames:g} frames")
    _refuse_other_views(dataset)
    height, width = whole_of(dataset, "Rows"), whole_of(dataset, "Columns")
    if height is None or width is None:
        raise UnreadableRadiograph(
            "damaged DICOM file: Rows or Columns is no whole number"
        )
    refuse_too_large(height, width)


def _refuse_other_views(dataset: Dataset) -> None:
    for keyword, view in _stated_views(dataset):
        if view in OTHER_THAN_FRONTAL:
            raise UnreadableRadiograph(f"not frontal: {keyword} {view}")
    body_part = code_of(dataset, "BodyPartExamined")
    if body_part and not any(word in body_part for word in CHEST_WORDS):
        raise UnreadableRadiograph(
            f"not a chest: BodyPartExamined {_quotable(body_part)}"
        )


def _stated_views(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield each element that states a view, with the view."""
    yield "ViewPosition", read_view(code_of(dataset, "ViewPosition"))
    for item in _items(dataset, "ViewCodeSequence"):  # of DX: PS3.3 C.8.11.5
        coded = [
            str(value_of(item, f"Code{part}") or "") for part in ("Value", "Meaning")
        ]
        yield "ViewCodeSequence", read_view_code(*coded)
    if orientation := value_of(dataset, "PatientOrientation"):
        yield "PatientOrientation", read_orientation(str(orientation[0]))


def _decode(dataset: Dataset) -> tuple[StoredValues, str]:
    """Return the stored values, shape (height, width), and the step that says how."""
    syntax = value_of(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID")
    if syntax is None:
        raise UnreadableRadiograph("no transfer syntax: pixels cannot be decoded")
    if not re.fullmatch(r"[0-9.]{1,64}", syntax):
        raise UnreadableRadiograph("unknown transfer syntax: not a UID")
    header, decoder = StoredBits.of(dataset), _find_decoder(syntax)
    try:
        stored = _take_frame(dataset, header, decoder)
    except (UnreadableRadiograph, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # What decoders raise is not bounded (those in Rust panic with what is not even
        # an Exception), and one bad file must not stop a cohort.
        if decoder.missing_dependencies and _is_refusal(error):
            raise _no_decoder(syntax) from error
        raise UnreadableRadiograph(
            f"pixels cannot be decoded: damaged, transfer syntax {syntax}"
        ) from error
    return stored, f"transfer syntax {syntax}"


def _take_frame(dataset: Dataset, header: StoredBits, decoder: Decoder) -> StoredValues:
    if decoder.UID.is_encapsulated and RLELossless != decoder.UID:
        frame = _only_frame(dataset.PixelData)
        size = _checked_size(dataset, frame)
        if JPEGBaseline8Bit == decoder.UID:
            decoded: Words = _decode_jpeg(frame)
        else:
            decoded = _decode_words(
                dataset,
                decoder,
                encapsulate([frame], has_bot=False),
                bits=size.precision,
                is_signed=size.is_signed,
            )
        return take_stored_values(decoded, header, precision=size.precision)
    allocated = header.allocated
    if allocated is None:
        raise UnreadableRadiograph("damaged DICOM file: BitsAllocated is no number")
    if RLELossless == decoder.UID:
        content = encapsulate([_only_frame(dataset.PixelData)], has_bot=False)
    else:
        _refuse_other_lengths(dataset, allocated)
        content = dataset.PixelData
    words = _decode_words(dataset, decoder, content, bits=allocated, is_signed=False)
    return take_stored_values(words, header, precision=None)


def _only_frame(content: bytes) -> bytes:
    """Return the encapsulated frame: all fragments, wherever offsets point to."""
    fragments = DicomBytesIO(content)
    fragments.is_little_endian = True
    parse_basic_offsets(fragments)
    return b"".join(generate_fragments(fragments))


def _decode_words(
    dataset: Dataset, decoder: Decoder, content: bytes, *, bits: int, is_signed: bool
) -> Words:
    """Return all bits of each value, without a sign, shape (height, width).

    The decoder is told what the frame holds, not what the header says of it: how
    values are taken from the bits is decided in one place for all transfer syntaxes.
    """
    frame = Dataset()
    frame.file_meta = FileMetaDataset()
    frame.file_meta.TransferSyntaxUID = decoder.UID
    frame.Rows, frame.Columns = dataset.Rows, dataset.Columns
    frame.SamplesPerPixel, frame.PhotometricInterpretation = 1, "MONOCHROME2"
    frame.BitsAllocated = next(size for size in (8, 16, 32) if bits <= size)
    frame.BitsStored, frame.HighBit = bits, bits - 1
    frame.PixelRepresentation = int(is_signed)
    frame.PixelData = content
    frame["PixelData"].VR = dataset["PixelData"].VR
    fastest = _FASTEST.get(decoder.UID, "")
    plugin = fastest if fastest in decoder.available_plugins else ""
    stored: NDArray[np.integer] = decoder.as_array(frame, decoding_plugin=plugin)[0]
    if stored.ndim != 2 or not stored.size:
        raise UnreadableRadiograph(
            f"not one grey image: decoded to shape {stored.shape}"
        )
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    words = native.view(f"u{native.itemsize}")
    return words & np.array(2**bits - 1, words.dtype) if is_signed else words


def _refuse_other_lengths(dataset: Dataset, allocated: int) -> None:
    expected = dataset.Rows * dataset.Columns * allocated // 8
    if len(dataset.PixelData) < expected:
        raise UnreadableRadiograph(
            f"pixels cannot be decoded: {len(dataset.PixelData)} bytes of pixel data, "
            f"expected {expected}"
        )


def _checked_size(dataset: Dataset, frame: bytes) -> DeclaredSize:
    """Refuse compressed pixels of another size than the header's, before decoding."""
    size = declared_size(frame)
    if size is None:
        raise UnreadableRadiograph("pixels cannot be decoded: no size before them")
    if (size.height, size.width) != (dataset.Rows, dataset.Columns):
        raise UnreadableRadiograph(
            f"damaged DICOM file: {size.width} x {size.height} compressed pixels, "
            f"{dataset.Columns} x {dataset.Rows} in the header"
        )
    if size.components != 1:
        raise UnreadableRadiograph(f"not grey: {size.components} colour components")
    if not 0 < size.precision <= _MOST_PRECISE:
        raise UnreadableRadiograph(
            f"not one grey image: values of {size.precision} bits in the codestream"
        )
    return size


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is absent or malformed."""
    value = value_of(dataset, keyword)
    return list(value) if isinstance(value, Sequence) else []


def _decode_jpeg(frame: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a grey JPEG; no plug-in of pydicom is as fast."""
    decoded = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise UnreadableRadiograph(
            f"pixels cannot be decoded: damaged, transfer syntax {JPEGBaseline8Bit}"
        )
    return np.asarray(decoded, dtype=np.uint8)


def _find_decoder(syntax: str) -> Decoder:
    try:
        decoder = get_decoder(UID(syntax))
    except NotImplementedError as error:
        raise UnreadableRadiograph(f"unknown transfer syntax: {syntax}") from error
    if not decoder.is_available:
        raise _no_decoder(syntax)
    return decoder


def _no_decoder(syntax: str) -> UnreadableRadiograph:
    remedy = f"; {_CODECS[syntax]}" if syntax in _CODECS else ""
    return UnreadableRadiograph(f"{NO_DECODER}: transfer syntax {syntax}{remedy}")


def _is_refusal(error: BaseException) -> bool:
    """Return whether a plug-in said that this kind of file is beyond it."""
    return "not support" in str(error) or isinstance(error, NotImplementedError)


def _quotable(code: str) -> str:
    """Return a code string (PS3.5 6.2); what is none could be a name in its place."""
    return code if re.fullmatch(r"[A-Z0-9 _]{0,16}", code) else "(not a code)"
