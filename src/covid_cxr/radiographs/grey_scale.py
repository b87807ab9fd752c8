"""The DICOM display pipeline as one table: stored value to 8 bits.

Every step of the standard (PS3.4 N.2) maps a stored value without looking at its
neighbours, so it is worked out once per value that occurs, not once per pixel:
padding (PS3.3 C.7.5.1.1.2), modality (C.11.1), values of interest (C.11.2), polarity
(C.7.6.3.1.2). Brightness is 0 (black) to 1 (white) until the last step.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from covid_cxr.radiographs.rendering import UnreadableRadiograph

Floats = NDArray[np.float64]


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
    dataset: Dataset, levels: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return the grey (0 to 255) of each stored value, and the steps that gave it.

    Padding has no part in the statistics and is black whatever the polarity.

    Args:
        dataset: The header.
        levels: The stored values that occur, in any order, shape (n,).
        counts: Pixels that have each value, shape (n,), at least 1.

    Raises:
        UnreadableRadiograph: If there is nothing but padding or one value, or the
            header contradicts itself.
    """
    is_padding, padding = _find_padding(dataset, levels)
    counts = np.where(is_padding, 0, counts)
    if np.count_nonzero(counts) < 2:
        raise UnreadableRadiograph("blank: every pixel that is not padding is the same")
    values, modality = _apply_modality(dataset, levels)
    brightness, interest = _apply_voi(
        dataset, values, counts, is_rescaled=bool(modality)
    )
    steps = (*padding, *modality, *interest)
    if _is_inverted(dataset):
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


def percentiles(values: Floats, counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the 1st and 99th percentile of the pixels, or their extremes if equal.

    Args:
        values: In any order, shape (n,).
        counts: Pixels that have each value, shape (n,).

    Raises:
        UnreadableRadiograph: If all pixels have the same value.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order][counts[order] > 0]
    up_to = np.cumsum(counts[order][counts[order] > 0])
    low, high = ordered[np.searchsorted(up_to, np.array([0.01, 0.99]) * up_to[-1])]
    if low == high:
        low, high = ordered[0], ordered[-1]
    if low == high:
        raise UnreadableRadiograph("blank: every pixel that is not padding is the same")
    return float(low), float(high)


def _find_padding(
    dataset: Dataset, levels: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    first = _number(dataset, "PixelPaddingValue")
    if first is None:
        return np.zeros(len(levels), dtype=bool), ()
    last = _number(dataset, "PixelPaddingRangeLimit")
    # The limit lies below the value in MONOCHROME1 and above it in MONOCHROME2.
    low, high = sorted(
        _as_stored(dataset, edge) for edge in (first, first if last is None else last)
    )
    is_padding = (levels >= low) & (levels <= high)
    return is_padding, (f"padding {low:g} to {high:g} black",)


def _as_stored(dataset: Dataset, value: float) -> float:
    """Return a value with the sign of the pixels, whatever sign its VR gave it."""
    bits = int(dataset.BitsAllocated)
    if dataset.PixelRepresentation == 1:
        return value - 2**bits if value >= 2 ** (bits - 1) else value
    return value + 2**bits if value < 0 else value


def _apply_modality(
    dataset: Dataset, levels: NDArray[np.int64]
) -> tuple[Floats, tuple[str, ...]]:
    values = levels.astype(np.float64)
    if dataset.get("ModalityLUTSequence"):
        looked_up, _ = _look_up(dataset, dataset.ModalityLUTSequence[0], values)
        return looked_up, ("modality LUT",)
    slope = _number(dataset, "RescaleSlope")
    intercept = _number(dataset, "RescaleIntercept")
    slope = 1.0 if slope is None else slope
    intercept = 0.0 if intercept is None else intercept
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
    dataset: Dataset,
    values: Floats,
    counts: NDArray[np.int64],
    *,
    is_rescaled: bool,
) -> tuple[Floats, tuple[str, ...]]:
    """Return brightness by the first way of the header's that shows anything."""
    unusable: tuple[str, ...] = ()
    for step, brightness in _ways_of_the_header(dataset, values):
        if brightness is not None and np.ptp(brightness[counts > 0]) >= 1 / 255:
            return brightness, (*unusable, step)
        unusable = (*unusable, f"{step} unusable")
    bits = int(dataset.BitsStored)
    if bits <= 8 and dataset.PixelRepresentation == 0 and not is_rescaled:
        return np.clip(values / (2**bits - 1), 0.0, 1.0), (*unusable, "as stored")
    low, high = percentiles(values, counts)
    brightness = np.clip((values - low) / (high - low), 0.0, 1.0)
    return brightness, (*unusable, f"percentiles 1 to 99: {low:g} to {high:g}")


def _ways_of_the_header(
    dataset: Dataset, values: Floats
) -> Iterator[tuple[str, Floats | None]]:
    """Yield each alternative with its brightness, or None where it is malformed."""
    if dataset.get("VOILUTSequence"):
        looked_up, white = _look_up(dataset, dataset.VOILUTSequence[0], values)
        # Some devices state 16 bits for a table of 12: its own maximum is white.
        yield "VOI LUT", looked_up / max(white, 1.0)
    center = _number(dataset, "WindowCenter")
    width = _number(dataset, "WindowWidth")
    if center is not None and width is not None:
        function = str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()
        step = f"window {function} {center:g}/{width:g}"
        try:
            yield (
                step,
                apply_window(values, center=center, width=width, function=function),
            )
        except ValueError:
            yield step, None


def _look_up(dataset: Dataset, item: Dataset, values: Floats) -> tuple[Floats, float]:
    """Return `values` through a table (0028,3006), and the largest value in the table.

    Beyond the ends of the table, its end values continue.
    """
    n_entries = int(item.LUTDescriptor[0]) % 2**16 or 2**16
    first = int(item.LUTDescriptor[1])
    if first >= 2**15 and values.min() < 0:
        first -= 2**16
    entries = _entries(item.LUTData, n_entries, is_little=_is_little_endian(dataset))
    position = np.rint(values).astype(np.int64) - first
    looked_up = entries[np.clip(position, 0, len(entries) - 1)]
    return looked_up.astype(np.float64), float(entries.max())


def _entries(data: Any, n_entries: int, *, is_little: bool) -> NDArray[np.int64]:
    if isinstance(data, bytes):
        is_narrow = len(data) < 2 * n_entries
        kind = "u1" if is_narrow else "<u2" if is_little else ">u2"
        data = np.frombuffer(data[: len(data) // 2 * 2], dtype=kind)
    entries = np.atleast_1d(np.asarray(data, dtype=np.int64))[:n_entries]
    if not entries.size:
        raise UnreadableRadiograph("a lookup table in the header has no entries")
    return entries


def _is_little_endian(dataset: Dataset) -> bool:
    syntax = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    return syntax != "1.2.840.10008.1.2.2"  # Explicit VR Big Endian, retired


def _is_inverted(dataset: Dataset) -> bool:
    """Return whether the smallest value is white; the two tags say it together."""
    photometric = str(dataset.PhotometricInterpretation).strip().upper()
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    return photometric == "MONOCHROME1" or shape == "INVERSE"


def _number(dataset: Dataset, keyword: str) -> float | None:
    """Return the first value of an element, or None where it is absent or empty."""
    value = dataset.get(keyword)
    if value is None or value == "":
        return None
    if isinstance(value, str | int | float):
        return float(value)
    values = list(value) if np.iterable(value) else [value]
    return float(values[0]) if values and values[0] not in {None, ""} else None
