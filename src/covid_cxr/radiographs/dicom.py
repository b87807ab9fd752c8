"""One DICOM radiograph: whether it can be used, and how a viewer shows it."""

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import UID, JPEGBaseline8Bit

from covid_cxr.radiographs.grey_scale import display_table
from covid_cxr.radiographs.rendering import (
    NO_DECODER,
    Rendering,
    UnreadableRadiograph,
)

LATERAL_VIEWS = frozenset({"LL", "RL", "LATERAL", "LAT", "LLAT", "RLAT"})
CHEST_WORDS = ("CHEST", "THORAX", "TORAX", "LUNG")
OTHER_MODALITIES = frozenset({"CT", "MR", "US", "NM", "PT", "MG", "XA", "ES", "SM"})

# What decodes each compressed transfer syntax that Python alone cannot.
_OPEN = 'pip install "covid-cxr[codecs]"'
_GPL = 'pip install "covid-cxr[codecs,codecs-gpl]" (GPL-3.0)'
_CODECS = {
    **{f"1.2.840.10008.1.2.4.{n}": _OPEN for n in (80, 81, 90, 91, 201, 202, 203)},
    **{f"1.2.840.10008.1.2.4.{n}": _GPL for n in (50, 51, 57, 70)},
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
    lowest = int(stored.min())
    counts = np.bincount((stored - lowest).ravel())
    levels = np.arange(lowest, lowest + len(counts), dtype=np.int64)
    table, steps = display_table(dataset, levels, counts)
    return Rendering(table[stored - lowest], (step, *steps))


def _refuse_other_images(dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        raise UnreadableRadiograph("no pixel data")
    modality = _code(dataset, "Modality")
    if modality in OTHER_MODALITIES:
        raise UnreadableRadiograph(f"not a radiograph: Modality {modality}")
    if _code(dataset, "PresentationIntentType") == "FOR PROCESSING":
        raise UnreadableRadiograph(
            "not for display: PresentationIntentType FOR PROCESSING"
        )
    photometric = _code(dataset, "PhotometricInterpretation")
    if photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise UnreadableRadiograph(f"not grey: PhotometricInterpretation {photometric}")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise UnreadableRadiograph(f"not one image: {frames} frames")
    _refuse_other_views(dataset)


def _refuse_other_views(dataset: Dataset) -> None:
    view = _code(dataset, "ViewPosition")
    if view in LATERAL_VIEWS:
        raise UnreadableRadiograph(f"not frontal: ViewPosition {view}")
    body_part = _code(dataset, "BodyPartExamined")
    if body_part and not any(word in body_part for word in CHEST_WORDS):
        raise UnreadableRadiograph(f"not a chest: BodyPartExamined {body_part}")


def _decode(dataset: Dataset) -> tuple[NDArray[np.int64], str]:
    """Return the stored values, shape (height, width), and the step that says how."""
    syntax = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    if syntax is None:
        raise UnreadableRadiograph("no transfer syntax: pixels cannot be decoded")
    decoder = _find_decoder(syntax)
    # Four times as fast as the default plug-in for the JPEG files of the RSNA set.
    is_fast = syntax == JPEGBaseline8Bit and "pillow" in decoder.available_plugins
    plugin = "pillow" if is_fast else ""
    try:
        stored, _ = decoder.as_array(dataset, decoding_plugin=plugin)
    except Exception as error:
        # What decoders raise is not bounded, and one bad file must not stop a cohort.
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
    return stored.astype(np.int64), f"transfer syntax {syntax}"


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


def _is_refusal(error: Exception) -> bool:
    """Return whether a plug-in said that this kind of file is beyond it."""
    return "not support" in str(error) or isinstance(error, NotImplementedError)


def _code(dataset: Dataset, keyword: str) -> str:
    """Return a code string, which has at most 16 characters (PS3.5 6.2)."""
    return str(dataset.get(keyword) or "").strip().upper()[:16]
