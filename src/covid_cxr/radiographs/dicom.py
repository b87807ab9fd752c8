"""One DICOM radiograph: whether it can be used, and how a viewer shows it."""

import re

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForProcessing,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    RLELossless,
)

from covid_cxr.radiographs.codestream import declared_size
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

LATERAL_VIEWS = frozenset({"LL", "RL", "LATERAL", "LAT", "LLAT", "RLAT"})
CHEST_WORDS = ("CHEST", "THORAX", "TORAX", "TÓRAX", "LUNG")
OTHER_MODALITIES = frozenset({"CT", "MR", "US", "NM", "PT", "MG", "XA", "ES", "SM"})

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
    levels, counts = count_levels(stored)
    greys, steps = display_table(dataset, levels, counts)
    return Rendering(
        replace_levels(stored, levels, greys),
        (step, *steps),
        identifying=identifying_attributes(dataset),
        burned_in=burned_in_annotation(dataset),
    )


def _refuse_other_images(dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        raise UnreadableRadiograph("no pixel data")
    modality = _code(dataset, "Modality")
    if modality in OTHER_MODALITIES:
        raise UnreadableRadiograph(f"not a radiograph: Modality {modality}")
    if (
        _code(dataset, "PresentationIntentType") == "FOR PROCESSING"
        or dataset.get("SOPClassUID") == DigitalXRayImageStorageForProcessing
    ):
        raise UnreadableRadiograph(
            "not for display: PresentationIntentType FOR PROCESSING"
        )
    photometric = _code(dataset, "PhotometricInterpretation")
    if photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise UnreadableRadiograph(
            f"not grey: PhotometricInterpretation {_quotable(photometric) or 'absent'}"
        )
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise UnreadableRadiograph(f"not one image: {frames} frames")
    _refuse_other_views(dataset)
    refuse_too_large(int(dataset.Rows), int(dataset.Columns))


def _refuse_other_views(dataset: Dataset) -> None:
    view = _code(dataset, "ViewPosition")
    if view in LATERAL_VIEWS:
        raise UnreadableRadiograph(f"not frontal: ViewPosition {view}")
    for item in dataset.get("ViewCodeSequence") or []:  # DX says it so (PS3.3 C.8.11.5)
        if "LATERAL" in str(item.get("CodeMeaning") or "").upper():
            raise UnreadableRadiograph("not frontal: ViewCodeSequence lateral")
    body_part = _code(dataset, "BodyPartExamined")
    if body_part and not any(word in body_part for word in CHEST_WORDS):
        raise UnreadableRadiograph(
            f"not a chest: BodyPartExamined {_quotable(body_part)}"
        )


def _decode(dataset: Dataset) -> tuple[NDArray[np.integer], str]:
    """Return the stored values, shape (height, width), and the step that says how."""
    syntax = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    if syntax is None:
        raise UnreadableRadiograph("no transfer syntax: pixels cannot be decoded")
    if not re.fullmatch(r"[0-9.]{1,64}", syntax):
        raise UnreadableRadiograph("unknown transfer syntax: not a UID")
    decoder = _find_decoder(syntax)
    try:
        stored = _decode_frame(dataset, decoder)
    except (UnreadableRadiograph, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # What decoders raise is not bounded (those in Rust panic with what is not even
        # an Exception), and one bad file must not stop a cohort.
        if decoder.missing_dependencies and _is_refusal(error):
            raise _no_decoder(syntax) from error
        raise UnreadableRadiograph(
            f"pixels cannot be decoded: {type(error).__name__}, transfer syntax "
            f"{syntax}"
        ) from error
    if stored.ndim != 2 or not stored.size or int(dataset.BitsStored) > 16:
        raise UnreadableRadiograph(
            f"not one grey image: decoded to shape {stored.shape} with "
            f"{dataset.BitsStored} bits"
        )
    # Nothing of 16 bits is lost where more were allocated for them.
    kind = f"{stored.dtype.kind}{min(stored.itemsize, 2)}"
    return stored.astype(kind, copy=False), f"transfer syntax {syntax}"


def _decode_frame(dataset: Dataset, decoder: Decoder) -> NDArray[np.integer]:
    syntax = decoder.UID
    if syntax.is_encapsulated and syntax != RLELossless:
        frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
        _refuse_other_sizes(dataset, frame)
        if syntax == JPEGBaseline8Bit and dataset.PixelRepresentation == 0:
            return _decode_jpeg(frame)
    fastest = _FASTEST.get(syntax, "")
    plugin = fastest if fastest in decoder.available_plugins else ""
    stored: NDArray[np.integer] = decoder.as_array(dataset, decoding_plugin=plugin)[0]
    return stored


def _refuse_other_sizes(dataset: Dataset, frame: bytes) -> None:
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


def _code(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip().upper()


def _quotable(code: str) -> str:
    """Return a code string (PS3.5 6.2); what is none could be a name in its place."""
    return code if re.fullmatch(r"[A-Z0-9 _]{0,16}", code) else "(not a code)"
