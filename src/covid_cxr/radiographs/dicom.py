"""One DICOM radiograph: whether it can be used, and how a viewer shows it."""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import (
    HTJ2K,
    UID,
    DigitalXRayImageStorageForProcessing,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    RLELossless,
)

from covid_cxr.radiographs.admission import USUAL, Admission, admit_header
from covid_cxr.radiographs.codestream import STARTS, DeclaredSize, declared_size
from covid_cxr.radiographs.defined_terms import PHOTOMETRIC_INTERPRETATIONS, shown
from covid_cxr.radiographs.dicom_file import (
    LONGEST_UID,
    age_of,
    code_of,
    number_of,
    quiet,
    value_of,
    whole_of,
)
from covid_cxr.radiographs.grey_scale import (
    count_levels,
    display_table,
    replace_levels,
)
from covid_cxr.radiographs.header_privacy import (
    burned_in_annotation,
    identifying_attributes,
)
from covid_cxr.radiographs.jpeg import JPEG_SYNTAXES, decode_jpeg
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

OTHER_MODALITIES = frozenset({"CT", "MR", "US", "NM", "PT", "MG", "XA", "ES", "SM"})

_MOST_PRECISE = 16  # bits of a codestream's values

# The plug-ins of pydicom that may decode a syntax, the best first, by
# benchmarks/decoding.py and by what they do to damaged files (docs/decisions/0008 and
# 0025). GDCM, which ends the process on those, is never asked where it is installed.
_PLUGINS = {
    RLELossless: ("pylibjpeg", "pydicom"),
    **dict.fromkeys(JPEGLSTransferSyntaxes, ("pyjpegls",)),
    **dict.fromkeys(JPEG2000TransferSyntaxes, ("pylibjpeg", "pillow")),
    **dict.fromkeys((HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL), ("pylibjpeg",)),
}


@dataclass(frozen=True, kw_only=True)
class _PlugIn:
    """What decodes a transfer syntax.

    Attributes:
        decoder: Of the syntax.
        name: Of the plug-in; empty where nothing is compressed.
        is_best: Whether no better one could be installed.
    """

    decoder: Decoder
    name: str = ""
    is_best: bool = True


def render(dataset: Dataset, admission: Admission = USUAL) -> Rendering:
    """Return the radiograph in `dataset` as a viewer shows it.

    Args:
        dataset: With pixel data and the file's meta information (transfer syntax).
        admission: What decides where view and body part are not clear.

    Raises:
        UnreadableRadiograph: If it is not one grey frontal chest radiograph for
            presentation, or its pixels cannot be decoded.
    """
    with quiet():
        return _render(dataset, admission)


def _render(dataset: Dataset, admission: Admission) -> Rendering:
    _refuse_other_images(dataset)
    judged = admit_header(dataset, admission)
    stored, step = _decode(dataset)
    levels, counts = count_levels(stored.values)
    greys, steps = display_table(dataset, stored, levels, counts)
    return Rendering(
        replace_levels(stored.values, levels, greys),
        (step, *judged, *stored.steps, *steps),
        identifying=identifying_attributes(dataset),
        burned_in=burned_in_annotation(dataset),
        age_years=age_of(dataset),
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
            f"not grey: PhotometricInterpretation "
            f"{shown(photometric, PHOTOMETRIC_INTERPRETATIONS)}"
        )
    frames = number_of(dataset, "NumberOfFrames")
    if frames is not None and frames > 1:
        raise UnreadableRadiograph(f"not one image: {frames:g} frames")
    refuse_too_large(*_shape(dataset))


def _shape(dataset: Dataset) -> tuple[int, int]:
    """Return height and width by the header, as numbers whatever it holds."""
    height, width = whole_of(dataset, "Rows"), whole_of(dataset, "Columns")
    if height is None or width is None:
        raise UnreadableRadiograph(
            "damaged DICOM file: Rows or Columns is no whole number"
        )
    return height, width


def _decode(dataset: Dataset) -> tuple[StoredValues, str]:
    """Return the stored values, shape (height, width), and the step that says how."""
    syntax = value_of(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID")
    if syntax is None:
        raise UnreadableRadiograph("no transfer syntax: pixels cannot be decoded")
    if not re.fullmatch(r"[0-2](\.\d+){3,}", syntax) or len(syntax) > LONGEST_UID:
        raise UnreadableRadiograph("unknown transfer syntax: not a UID")
    header = StoredBits.of(dataset)
    plug_in = None if syntax in JPEG_SYNTAXES else _find_plug_in(syntax)
    try:
        stored = _take_frame(dataset, header, plug_in)
    except (UnreadableRadiograph, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # What decoders raise is not bounded (those in Rust panic with what is not even
        # an Exception), and one bad file must not stop a cohort.
        if _is_refusal(error, plug_in):
            raise _no_decoder(syntax) from error
        raise UnreadableRadiograph(
            f"pixels cannot be decoded: damaged, transfer syntax {syntax}"
        ) from error
    return stored, f"transfer syntax {syntax}"


def _take_frame(
    dataset: Dataset, header: StoredBits, plug_in: _PlugIn | None
) -> StoredValues:
    """Return the values in the frame; without a plug-in, it is a JPEG."""
    if plug_in is not None and not _has_codestream(plug_in):
        return take_stored_values(
            _decode_allocated(dataset, header.allocated, plug_in),
            header,
            precision=None,
        )
    frame = _only_frame(dataset.PixelData)
    size = _checked_size(dataset, frame)
    if plug_in is None:
        decoded = decode_jpeg(frame, size)
    else:
        decoded = _decode_words(
            dataset,
            plug_in,
            encapsulate([frame], has_bot=False),
            bits=size.precision,
            is_signed=size.is_signed,
        )
    if size.is_signed and not header.is_signed:
        step = "a sign by the codestream, none in the header"
        header = replace(header, is_signed=True, steps=(*header.steps, step))
    return take_stored_values(decoded, header, precision=size.precision)


def _has_codestream(plug_in: _PlugIn) -> bool:
    syntax = plug_in.decoder.UID
    return bool(syntax.is_encapsulated and syntax != RLELossless)


def _decode_allocated(
    dataset: Dataset, allocated: int | None, plug_in: _PlugIn
) -> Words:
    """Return the words of a frame that is not compressed, or by runs of bytes."""
    if allocated is None:
        raise UnreadableRadiograph("damaged DICOM file: BitsAllocated is no number")
    if plug_in.decoder.UID.is_encapsulated:
        content = encapsulate([_only_frame(dataset.PixelData)], has_bot=False)
    else:
        _refuse_other_lengths(dataset, allocated)
        content = dataset.PixelData
    return _decode_words(dataset, plug_in, content, bits=allocated, is_signed=False)


def _only_frame(content: bytes) -> bytes:
    """Return the encapsulated frame: all fragments, wherever offsets point to.

    The first item is the table of offsets (PS3.5 A.4), unless it was left out.
    """
    table, *fragments = generate_fragments(content)
    if not fragments or _begins_a_frame(table):
        return b"".join((table, *fragments))
    return b"".join(fragments)


def _begins_a_frame(fragment: bytes) -> bool:
    is_run_lengths = len(fragment) >= 64 and fragment[4:8] == b"\x40\0\0\0"  # Annex G.5
    return is_run_lengths or fragment.startswith(STARTS)


def _decode_words(
    dataset: Dataset, plug_in: _PlugIn, content: bytes, *, bits: int, is_signed: bool
) -> Words:
    """Return all bits of each value, without a sign, shape (height, width).

    The decoder is told what the frame holds, not what the header says of it: how
    values are taken from the bits is decided in one place for all transfer syntaxes.
    """
    frame = Dataset()
    frame.file_meta = FileMetaDataset()
    frame.file_meta.TransferSyntaxUID = plug_in.decoder.UID
    frame.Rows, frame.Columns = _shape(dataset)
    frame.SamplesPerPixel, frame.PhotometricInterpretation = 1, "MONOCHROME2"
    frame.BitsAllocated = next(size for size in (8, 16, 32) if bits <= size)
    frame.BitsStored, frame.HighBit = bits, bits - 1
    frame.PixelRepresentation = int(is_signed)
    frame.PixelData = content
    frame["PixelData"].VR = dataset["PixelData"].VR
    stored: NDArray[np.integer] = plug_in.decoder.as_array(
        frame, decoding_plugin=plug_in.name
    )[0]
    if stored.ndim != 2 or not stored.size:
        raise UnreadableRadiograph(
            f"not one grey image: decoded to shape {stored.shape}"
        )
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    words = native.view(f"u{native.itemsize}")
    return words & np.array(2**bits - 1, words.dtype) if is_signed else words


def _refuse_other_lengths(dataset: Dataset, allocated: int) -> None:
    height, width = _shape(dataset)
    expected = height * width * allocated // 8
    # A frame may be padded, not be there twice over: then words are of another size.
    if not expected <= len(dataset.PixelData) < 2 * expected:
        raise UnreadableRadiograph(
            f"pixels cannot be decoded: {len(dataset.PixelData)} bytes of pixel data, "
            f"expected {expected}"
        )


def _checked_size(dataset: Dataset, frame: bytes) -> DeclaredSize:
    """Refuse compressed pixels of another size than the header's, before decoding."""
    size = declared_size(frame)
    if size is None:
        raise UnreadableRadiograph("pixels cannot be decoded: no size before them")
    height, width = _shape(dataset)
    if (size.height, size.width) != (height, width):
        raise UnreadableRadiograph(
            f"damaged DICOM file: {size.width} x {size.height} compressed pixels, "
            f"{width} x {height} in the header"
        )
    if size.components != 1:
        raise UnreadableRadiograph(f"not grey: {size.components} colour components")
    if not 0 < size.precision <= _MOST_PRECISE:
        raise UnreadableRadiograph(
            f"not one grey image: values of {size.precision} bits in the codestream"
        )
    return size


def _find_plug_in(syntax: str) -> _PlugIn:
    try:
        decoder = get_decoder(UID(syntax))
    except NotImplementedError as error:
        raise UnreadableRadiograph(f"unknown transfer syntax: {syntax}") from error
    if not decoder.UID.is_encapsulated:
        return _PlugIn(decoder=decoder)
    ranked = _PLUGINS.get(decoder.UID, ())
    usable = [name for name in ranked if name in decoder.available_plugins]
    if not usable:
        raise _no_decoder(syntax)
    return _PlugIn(decoder=decoder, name=usable[0], is_best=usable[0] == ranked[0])


def _no_decoder(syntax: str) -> UnreadableRadiograph:
    return UnreadableRadiograph(
        f'{NO_DECODER}: transfer syntax {syntax}; pip install "covid-cxr[codecs]"'
    )


def _is_refusal(error: BaseException, plug_in: _PlugIn | None) -> bool:
    """Return whether another decoder, which is not installed, could do it."""
    if plug_in is None or plug_in.is_best:
        return isinstance(error, ImportError)
    return "not support" in str(error) or isinstance(error, NotImplementedError)
