"""The prediction written over the radiograph itself: a presentation state (GSPS).

Its grey scale is the radiograph's own, which a presentation state has to repeat: what
it does not state, a viewer leaves out (PS3.4 N.2).
"""

from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import DSfloat

from covid_cxr.prediction.dicom_results.subject import DISCLAIMER, Subject
from covid_cxr.radiographs.dicom_file import (
    code_of,
    items_of,
    number_of,
    value_of,
    whole_of,
)
from covid_cxr.radiographs.grey_scale import is_inverted, read_table

KIND = "presentation"
_LABEL, _LAYER = "PREDICTION", "PREDICTION"
_BOX = (0.02, 0.02, 0.98, 0.14)  # left, top, right, bottom, as shares of what is shown
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio")
_BITS = 16
_BYTE = (0, 255)  # values that are grey levels by themselves
_INTEREST = ("VOILUTSequence", "WindowCenter", "WindowWidth")
_FUNCTIONS = frozenset({"LINEAR", "LINEAR_EXACT", "SIGMOID"})


def presentation(subject: Subject) -> Dataset | None:
    """Return a presentation state that shows the radiograph with the prediction.

    None of a refusal, and of a radiograph whose header does not say in full how its
    values become grey: then it could only be shown otherwise than it is.
    """
    image = _image(subject)
    if "score" not in subject.row or image is None:
        return None
    grey_scale = _grey_scale(subject.source)
    if grey_scale is None:
        return None
    from highdicom.pr import GrayscaleSoftcopyPresentationState

    layer, annotation = _annotation(subject, image)
    result = GrayscaleSoftcopyPresentationState(
        referenced_images=[image],
        content_label=_LABEL,
        content_description=DISCLAIMER,
        graphic_layers=[layer],
        graphic_annotations=[annotation],
        **subject.new_series(3, KIND),
    )
    result.update(grey_scale)
    result.BodyPartExamined = "CHEST"  # which has no laterality
    return subject.adopt(result)


def _image(subject: Subject) -> Dataset | None:
    """Return what highdicom must know of a grey image; None where it is none."""
    source = subject.source
    rows, columns = (whole_of(source, name) for name in ("Rows", "Columns"))
    if not rows or not columns or whole_of(source, "SamplesPerPixel") != 1:
        return None
    if any(_is_unequal(value_of(source, keyword)) for keyword in _SPACINGS):
        return None
    image = subject.evidence()
    image.Rows, image.Columns, image.SamplesPerPixel = rows, columns, 1
    return image


def _is_unequal(spacing: Any) -> bool:
    """Return whether rows are further apart than columns, or closer."""
    return isinstance(spacing, MultiValue) and len(set(spacing)) > 1


def _annotation(subject: Subject, image: Dataset) -> tuple[Any, Any]:
    """Return a layer, and the text on it."""
    from highdicom.pr import GraphicAnnotation, GraphicLayer, TextObject

    row, record = subject.row, subject.bundle.record
    decisions = [
        f"{one['rule']} {row[one['rule']]}" for one in record["operating_points"]
    ]
    lines = [
        DISCLAIMER,
        f"{record['label']['words']}: score {row['score']:.3f}",
        ", ".join(decisions),
        f"by {record['name']}",
    ]
    layer = GraphicLayer(_LAYER, order=1, description=DISCLAIMER)
    text = TextObject(
        text_value="\r\n".join(lines),
        units="DISPLAY",
        bounding_box=_BOX,
        text_justification="LEFT",
    )
    annotation = GraphicAnnotation(
        referenced_images=[image], graphic_layer=layer, text_objects=[text]
    )
    return layer, annotation


def _grey_scale(source: Dataset) -> Dataset | None:
    """Return the elements that say how values become grey; None where it is unclear."""
    found = _rescale(source)
    if found is None:
        return None
    lowest, highest = _output_range(source, found)
    interest = _values_of_interest(source, is_signed=lowest < 0)
    if interest is not None:
        found.SoftcopyVOILUTSequence = [interest]
    elif any(keyword in source for keyword in _INTEREST) or (lowest, highest) != _BYTE:
        return None
    found.PresentationLUTShape = "INVERSE" if is_inverted(source) else "IDENTITY"
    return found


def _rescale(source: Dataset) -> Dataset | None:
    """Return the elements of the modality step, if any; None where it is unclear."""
    found = Dataset()
    slope, intercept = (
        number_of(source, f"Rescale{n}") for n in ("Slope", "Intercept")
    )
    has_table = value_of(source, "ModalityLUTSequence") is not None
    if has_table or (slope is None) != (intercept is None):
        return None
    if slope is not None and intercept is not None:
        if not np.isfinite([slope, intercept]).all() or slope == 0:
            return None
        found.RescaleSlope = _decimal(slope)
        found.RescaleIntercept = _decimal(intercept)
        found.RescaleType = code_of(source, "RescaleType") or "US"
    return found


def _output_range(source: Dataset, rescale: Dataset) -> tuple[float, float]:
    """Return the lowest and the highest value that the modality step may give."""
    bits = whole_of(source, "BitsStored")
    n_values: int = 2 ** (bits if bits and 1 <= bits <= _BITS else _BITS)
    lowest = -n_values // 2 if whole_of(source, "PixelRepresentation") == 1 else 0
    slope = float(rescale.get("RescaleSlope", 1))
    ends = [
        slope * end + float(rescale.get("RescaleIntercept", 0))
        for end in (lowest, lowest + n_values - 1)
    ]
    return min(ends), max(ends)


def _values_of_interest(source: Dataset, *, is_signed: bool) -> Dataset | None:
    """Return the first table or, without tables, the first window."""
    item = Dataset()
    tables = items_of(source, "VOILUTSequence")
    if tables:
        table = _table(source, tables[0], is_signed=is_signed)
        if table is None:
            return None
        item.VOILUTSequence = [table]
        return item
    centre, width = (number_of(source, f"Window{name}") for name in ("Center", "Width"))
    function = code_of(source, "VOILUTFunction") or "LINEAR"
    if centre is None or width is None or function not in _FUNCTIONS:
        return None
    if not np.isfinite([centre, width]).all() or width < 1:
        return None
    item.WindowCenter, item.WindowWidth = _decimal(centre), _decimal(width)
    item.VOILUTFunction = function
    return item


def _decimal(number: float) -> DSfloat:
    """Return a number in the 16 characters that it may have (PS3.5 6.2, DS)."""
    return DSfloat(number, auto_format=True)


def _table(source: Dataset, item: Dataset, *, is_signed: bool) -> Dataset | None:
    """Return a table with entries of 16 bits, as a presentation state asks for.

    It begins at a value that has a sign where the modality step may give negative ones
    (PS3.3 C.11.2.1.1).
    """
    found = read_table(source, item)
    if found is None:
        return None
    entries, first, bits = found
    white = 2**bits - 1
    if not 8 <= bits <= _BITS or entries.max() > white:
        return None
    n_entries = len(entries) % 2**_BITS
    if is_signed and n_entries >= 2 ** (_BITS - 1):  # cannot be written as signed
        return None
    first %= 2**_BITS
    if is_signed and first >= 2 ** (_BITS - 1):
        first -= 2**_BITS
    table = Dataset()
    table.add_new(
        "LUTDescriptor", "SS" if is_signed else "US", [n_entries, first, _BITS]
    )
    stretched = np.rint(entries * ((2**_BITS - 1) / white))
    table.add_new("LUTData", "OW", stretched.astype("<u2").tobytes())
    return table
