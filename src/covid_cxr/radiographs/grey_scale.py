"""The DICOM display pipeline as one table: stored value to 8 bits.

Every step of the standard (PS3.4 N.2) maps a stored value without looking at its
neighbours, so it is worked out once per value that occurs, not once per pixel:
padding (PS3.3 C.7.5.1.1.2), modality (C.11.1), values of interest (C.11.2), polarity
(C.7.6.3.1.2). Brightness is 0 (black) to 1 (white) until the last step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence

from covid_cxr.radiographs.dicom_file import code_of, number_of, value_of
from covid_cxr.radiographs.rendering import UnreadableRadiograph
from covid_cxr.radiographs.stored_values import StoredValues

Floats = NDArray[np.float64]
_GAP = 1 / 64  # of the scale, four grey levels: more than between neighbours in rank
_WINDOW_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def count_levels(
    stored: NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the values that occur and the pixels that have each, both shape (n,).

    Args:
        stored: Of 8 or 16 bits, shape (height, width).
    """
    codes = stored.view(f"u{stored.itemsize}")
    n_codes = 256**stored.itemsize
    counts = cv2.calcHist([codes], [0], None, [n_codes], [0, n_codes]).ravel()
    occurring = np.flatnonzero(counts)
    levels = occurring.astype(codes.dtype).view(stored.dtype)
    return levels.astype(np.int64), counts[occurring].astype(np.int64)


def replace_levels(
    stored: NDArray[np.integer], levels: NDArray[np.int64], greys: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return `stored` with the grey of each value that `count_levels` returned."""
    if stored.dtype == np.uint8 and np.array_equal(greys, levels):
        return stored.view(np.uint8)
    codes = stored.view(f"u{stored.itemsize}")
    table = np.zeros(256**stored.itemsize, dtype=np.uint8)
    table[levels.astype(stored.dtype).view(codes.dtype)] = greys
    return np.asarray(cv2.LUT(codes, table), dtype=np.uint8)


def display_table(
    dataset: Dataset,
    stored: StoredValues,
    levels: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return the grey (0 to 255) of each stored value, and the steps that gave it.

    Padding has no part in the statistics and is black whatever the polarity.

    Args:
        dataset: The header. An element that is empty or malformed is passed over.
        stored: What was taken from the frame.
        levels: The stored values that occur, in any order, shape (n,).
        counts: Pixels that have each value, shape (n,), at least 1.

    Raises:
        UnreadableRadiograph: If there is nothing but padding or one value, or the
            header contradicts itself.
    """
    is_padding, padding = _find_padding(dataset, stored, levels)
    counts = np.where(is_padding, 0, counts)
    if np.count_nonzero(counts) < 2:
        raise UnreadableRadiograph("blank: every pixel that is not padding is the same")
    modality = _apply_modality(dataset, stored, levels)
    brightness, interest = _apply_voi(dataset, modality, counts)
    steps = (*padding, *modality.steps, *interest)
    if is_inverted(dataset):
        brightness = 1 - brightness
        steps = (*steps, "inverted")
    grey = np.rint(255 * np.where(is_padding, 0.0, brightness))
    return grey.astype(np.uint8), steps


def apply_window(
    values: Floats, *, center: float, width: float, function: str
) -> Floats:
    """Return the brightness of `values` in a window (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Args:
        values: Output of the modality step.
        center: (0028,1050).
        width: (0028,1051); at least 1 for LINEAR, above 0 otherwise.
        function: (0028,1056): LINEAR, LINEAR_EXACT or SIGMOID.

    Raises:
        ValueError: If the function is another one or the width does not fit it.
    """
    smallest = 1.0 if function == "LINEAR" else np.nextafter(0.0, 1.0)
    if not (np.isfinite([center, width]).all() and width >= smallest):
        raise ValueError(
            f"The window {center:g}/{width:g} cannot be used with {function}."
        )
    if function == "LINEAR" and width == 1:
        return np.where(values > center - 0.5, 1.0, 0.0)
    if function == "LINEAR":
        return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0.0, 1.0)
    if function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0.0, 1.0)
    if function == "SIGMOID":  # the logistic function, written so as not to overflow
        return 0.5 + 0.5 * np.tanh(2 * (values - center) / width)
    raise ValueError(
        f"The VOI LUT function {function!r} is unknown; expected LINEAR, LINEAR_EXACT "
        f"or SIGMOID."
    )


def is_inverted(dataset: Dataset) -> bool:
    """Return whether the smallest value is white; the two tags say it together."""
    return (
        code_of(dataset, "PhotometricInterpretation") == "MONOCHROME1"
        or code_of(dataset, "PresentationLUTShape") == "INVERSE"
    )


def read_table(
    dataset: Dataset, item: Dataset
) -> tuple[NDArray[np.int64], int, int] | None:
    """Return the entries of a table, the value that the first is for, and their bits.

    None where the descriptor or the data is malformed, or the data has fewer entries
    than the descriptor says (PS3.3 C.11.1.1).
    """
    try:
        n_entries, first, bits = (int(word) for word in value_of(item, "LUTDescriptor"))
        words = _words(value_of(item, "LUTData"), is_little=_is_little_endian(dataset))
    except (TypeError, ValueError, OverflowError):
        return None
    entries = _entries(words, n_entries % 2**16 or 2**16)
    return None if entries is None else (entries, first, bits)


def percentiles(values: Floats, counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the 1st and 99th percentile of the pixels, or their extremes if equal.

    Neither is decided by a hundredth of the pixels, dark or bright.

    Args:
        values: In any order, shape (n,).
        counts: Pixels that have each value, shape (n,).

    Raises:
        UnreadableRadiograph: If all pixels have the same value.
    """
    low, high = _middle_of(values, counts)
    if low == high:
        occurring = values[counts > 0]
        low, high = float(occurring.min()), float(occurring.max())
    if low == high:
        raise UnreadableRadiograph("blank: every pixel that is not padding is the same")
    return low, high


def is_more_than_extremes(count: int, total: int) -> bool:
    """Return whether `count` of `total` pixels are more than a hundredth of them."""
    return 100 * count > total


def _middle_of(values: Floats, counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the 1st and 99th percentile (Hyndman and Fan's definition 1).

    Where exactly a hundredth of the pixels is at or below the 1st, it is the next value
    if a gap lies between: these pixels are extremes, as they would be at the other end.
    """
    order = np.argsort(values, kind="stable")
    order = order[counts[order] > 0]
    ordered, up_to = values[order], np.cumsum(counts[order])
    total = int(up_to[-1])
    # Whole numbers: a hundredth is not a floating-point number.
    first, last = np.searchsorted(100 * up_to, (total, 99 * total))
    low, high = float(ordered[first]), float(ordered[last])
    if 100 * up_to[first] == total:
        following = float(ordered[first + 1])
        low = following if following - low > _GAP * (high - following) else low
    return low, high


@dataclass(frozen=True, kw_only=True, eq=False)
class _ModalityValues:
    """The output of the modality step for each stored value.

    Attributes:
        values: Shape (n,).
        steps: How they came about; none where the stored values are the output.
        is_signed: Whether the values that a VOI LUT begins at have a sign.
        full_range: Lowest and highest output that there may be; None where unknown.
        is_as_stated: Whether the stored values have the bits that the header says.
    """

    values: Floats
    steps: tuple[str, ...]
    is_signed: bool
    full_range: tuple[float, float] | None
    is_as_stated: bool


def _find_padding(
    dataset: Dataset, stored: StoredValues, levels: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    first = number_of(dataset, "PixelPaddingValue")
    last = number_of(dataset, "PixelPaddingRangeLimit")
    nothing = np.zeros(len(levels), dtype=bool)
    if first is None:
        return nothing, ()
    if not np.isfinite([first, first if last is None else last]).all():
        return nothing, ("padding unusable",)
    # The limit lies below the value in MONOCHROME1 and above it in MONOCHROME2.
    low, high = sorted(
        _as_stored(stored, edge) for edge in (first, first if last is None else last)
    )
    is_padding = (levels >= low) & (levels <= high)
    return is_padding, (f"padding {low:g} to {high:g} black",)


def _as_stored(stored: StoredValues, value: float) -> float:
    """Return a value with the sign of the pixels, whatever sign its VR gave it."""
    bits = 8 * stored.values.itemsize
    if stored.is_signed:
        value = value - 2**16 if value >= 2**15 else value
        return value - 2**bits if value >= 2 ** (bits - 1) else value
    return value + 2**16 if value < 0 else value


def _apply_modality(
    dataset: Dataset, stored: StoredValues, levels: NDArray[np.int64]
) -> _ModalityValues:
    values = levels.astype(np.float64)
    unusable: tuple[str, ...] = ()
    if item := _first_item(dataset, "ModalityLUTSequence"):
        table = _look_up(dataset, item, values, is_signed=stored.is_signed)
        if table is not None and stored.is_as_stated:
            return _ModalityValues(
                values=table[0],
                steps=("modality LUT",),
                is_signed=False,
                full_range=None,
                is_as_stated=True,
            )
        unusable = ("modality LUT unusable",)
    rescaled, steps = _rescale(dataset, values)
    lowest = -(2 ** (stored.bits - 1)) if stored.is_signed else 0
    return _ModalityValues(
        values=rescaled,
        steps=(*unusable, *steps),
        is_signed=stored.is_signed or bool(rescaled.min() < 0),
        full_range=None if steps else (lowest, lowest + 2**stored.bits - 1),
        is_as_stated=stored.is_as_stated,
    )


def _rescale(dataset: Dataset, values: Floats) -> tuple[Floats, tuple[str, ...]]:
    slope = number_of(dataset, "RescaleSlope")
    intercept = number_of(dataset, "RescaleIntercept")
    slope = 1.0 if slope is None else slope
    intercept = 0.0 if intercept is None else intercept
    if np.isnan([slope, intercept]).any():
        return values, ("rescale unusable",)
    if slope == 0 or not np.isfinite([slope, intercept]).all():
        raise UnreadableRadiograph(
            f"rescale slope {slope:g} and intercept {intercept:g} leave nothing to see"
        )
    if (slope, intercept) == (1.0, 0.0):
        return values, ()
    with np.errstate(over="ignore"):
        rescaled = values * slope + intercept
    if not np.isfinite(rescaled).all():
        raise UnreadableRadiograph(f"rescale slope {slope:g} leads to infinity")
    return rescaled, (f"rescaled {slope:g} {intercept:+g}",)


def _apply_voi(
    dataset: Dataset, modality: _ModalityValues, counts: NDArray[np.int64]
) -> tuple[Floats, tuple[str, ...]]:
    """Return brightness by the first way of the header's that shows anything."""
    values = modality.values
    unusable: tuple[str, ...] = ()
    for step, brightness in _ways_of_the_header(dataset, modality):
        if brightness is not None and _shows(brightness, counts, modality):
            return brightness, (*unusable, step)
        unusable = (*unusable, f"{step} unusable")
    black, white = modality.full_range or (0, np.inf)
    if black == 0 and white < 2**8:
        return np.clip(values / white, 0.0, 1.0), (*unusable, "as stored")
    low, high = percentiles(values, counts)
    brightness = np.clip((values - low) / (high - low), 0.0, 1.0)
    return brightness, (*unusable, f"percentiles 1 to 99: {low:g} to {high:g}")


def _shows(
    brightness: Floats, counts: NDArray[np.int64], modality: _ModalityValues
) -> bool:
    """Return whether there is something to see.

    A window in which all but a hundredth of the pixels at either end have one grey
    shows nothing, unless the pixels themselves are so. Of a header that is wrong about
    the bits of its values, a window may be of other ones: it is taken only if most
    pixels are neither black nor white in it, and the rest of them is not of nearly one
    grey.
    """
    low, high = _middle_of(brightness, counts)
    if modality.is_as_stated:
        if high - low >= 1 / 255:
            return True
        first, last = _middle_of(modality.values, counts)
        return first == last and bool(np.ptp(brightness[counts > 0]) >= 1 / 255)
    is_between = (brightness > 0) & (brightness < 1)
    if counts[is_between].sum() < 0.5 * counts.sum():
        return False
    return high - low >= 0.25


def _ways_of_the_header(
    dataset: Dataset, modality: _ModalityValues
) -> Iterator[tuple[str, Floats | None]]:
    """Yield each alternative with its brightness, or None where it is unusable."""
    if value_of(dataset, "VOILUTSequence") is not None:
        item = _first_item(dataset, "VOILUTSequence")
        table = item and _look_up(
            dataset, item, modality.values, is_signed=modality.is_signed
        )
        if table and modality.is_as_stated:
            # Some devices state 16 bits for a table of 12: its own maximum is white.
            yield "VOI LUT", table[0] / max(table[1], 1.0)
        else:
            yield "VOI LUT", None
    center = number_of(dataset, "WindowCenter")
    width = number_of(dataset, "WindowWidth")
    if center is not None and width is not None:
        function = code_of(dataset, "VOILUTFunction") or "LINEAR"
        if function not in _WINDOW_FUNCTIONS:
            yield "window of another function", None
            return
        step = f"window {function} {center:g}/{width:g}"
        yield step, _windowed(modality, center, width, function)


def _windowed(
    modality: _ModalityValues, center: float, width: float, function: str
) -> Floats | None:
    """Return the brightness in a window; None where it is none."""
    try:
        return apply_window(
            modality.values, center=center, width=width, function=function
        )
    except ValueError:
        return None


def _first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    """Return the first item of a sequence; None where there is none."""
    value = value_of(dataset, keyword)
    return value[0] if isinstance(value, Sequence) and value else None


def _look_up(
    dataset: Dataset, item: Dataset, values: Floats, *, is_signed: bool
) -> tuple[Floats, float] | None:
    """Return `values` through a table (PS3.3 C.11.1.1), and its largest entry.

    Beyond the ends of the table, its end values continue. None as for `read_table`.
    """
    table = read_table(dataset, item)
    if table is None:
        return None
    entries, first, _ = table
    # A word, with the sign of the values that it stands for, whatever its VR says.
    first %= 2**16
    first = first - 2**16 if is_signed and first >= 2**15 else first
    position = np.rint(values).astype(np.int64) - first
    looked_up = entries[np.clip(position, 0, len(entries) - 1)]
    return looked_up.astype(np.float64), float(entries.max())


def _words(data: Any, *, is_little: bool) -> NDArray[np.int64]:
    """Return the words of LUTData, which have no sign whatever their VR."""
    if isinstance(data, bytes):
        data = np.frombuffer(data[: len(data) // 2 * 2], "<u2" if is_little else ">u2")
    return np.atleast_1d(np.asarray(data, dtype=np.int64)) % 2**16


def _entries(words: NDArray[np.int64], n_entries: int) -> NDArray[np.int64] | None:
    """Return the entries, one a word or, of 8 bits, two a word; None where too few."""
    if len(words) == (n_entries + 1) // 2 and n_entries > 1:
        words = np.column_stack([words & 0xFF, words >> 8]).ravel()
    return words[:n_entries] if len(words) >= n_entries else None


def _is_little_endian(dataset: Dataset) -> bool:
    syntax = value_of(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID")
    return bool(syntax != "1.2.840.10008.1.2.2")  # Explicit VR Big Endian, retired
