"""How stored values are taken from a decoded frame: the one place that decides.

A header says how many bits were allocated, which of them are the value and whether it
has a sign (PS3.5 8.1.1); a compressed frame says again how many bits its values have.
Where they agree, the value is shifted down to its lowest bit, the unused bits, in which
old files keep overlays, are masked, and the sign is extended. Where they do not, the
codestream or the values themselves are believed and the step is recorded: a value is
never cut down to fewer bits than it needs.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from covid_cxr.radiographs.dicom_file import whole_of
from covid_cxr.radiographs.rendering import UnreadableRadiograph

Words = NDArray[np.unsignedinteger]
_MOST_BITS = 16  # of a radiograph's value
_FEWEST_CHANGES = 8  # between neighbours, to tell from them how a value goes on


@dataclass(frozen=True, kw_only=True)
class StoredBits:
    """What the header says of its values.

    Attributes:
        allocated: BitsAllocated; None where absent.
        stored: BitsStored; None where absent or beyond the allocated ones.
        high: HighBit; the highest of the lowest `stored` bits where absent.
        is_signed: PixelRepresentation is 1.
        steps: What was absent.
    """

    allocated: int | None
    stored: int | None
    high: int | None
    is_signed: bool
    steps: tuple[str, ...]

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Return what `dataset` says.

        Raises:
            UnreadableRadiograph: If values are not in bytes, words or double words.
        """
        allocated = whole_of(dataset, "BitsAllocated")
        if allocated not in {None, 8, 16, 32}:
            raise UnreadableRadiograph(
                f"damaged DICOM file: BitsAllocated {allocated}, expected 8, 16 or 32"
            )
        stored, high = whole_of(dataset, "BitsStored"), whole_of(dataset, "HighBit")
        representation = whole_of(dataset, "PixelRepresentation")
        steps = []
        if representation is None:
            steps.append("PixelRepresentation absent, taken for unsigned")
        if stored is None or not 1 < stored <= (allocated or 32):
            steps.append("BitsStored unusable, all bits taken")
            stored = high = None
        elif high is None or not stored <= high + 1 <= (allocated or 32):
            steps.append("HighBit unusable, lowest bits taken")
            high = stored - 1
        return cls(
            allocated=allocated,
            stored=stored,
            high=high,
            is_signed=representation == 1,
            steps=tuple(steps),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredValues:
    """The stored values of one frame.

    Attributes:
        values: Of 8 or 16 bits, shape (height, width).
        bits: That a value has.
        is_as_stated: Whether they have the bits that the header says; a window or a
            lookup table of a header that is wrong about them may be of other values.
        steps: What was not as the header says.
    """

    values: NDArray[np.integer]
    bits: int
    is_as_stated: bool
    steps: tuple[str, ...]

    @property
    def is_signed(self) -> bool:
        """Whether values may be negative."""
        return self.values.dtype.kind == "i"


def take_stored_values(
    frame: Words, header: StoredBits, *, precision: int | None
) -> StoredValues:
    """Return the values in a decoded frame.

    Args:
        frame: All bits of each value as they were decoded, without a sign.
        header: What the header says of them.
        precision: Bits of a value by the codestream; None for frames without one
            (native and RLE, PS3.5 Annex G), which hold the allocated bits.

    Raises:
        UnreadableRadiograph: If values have more than 16 bits.
    """
    coded = 8 * frame.itemsize if precision is None else precision
    stored, high = header.stored, header.high
    if stored is None or high is None:
        return _typed(frame, coded, header, steps=(), is_as_stated=True)
    if coded > (header.allocated or coded) or coded < stored:
        steps = (f"{coded} bits by the codestream, {stored} in the header",)
        return _typed(frame, coded, header, steps=steps, is_as_stated=False)
    if coded <= high:  # the encoder has taken the value out of its word
        step = f"HighBit {high} ignored, {coded} bits by the codestream"
        return _masked(frame, coded, stored, header, (step,))
    if high + 1 == stored:
        return _masked(frame, coded, stored, header, ())
    return _shifted(frame, coded, header, (stored, high))


def _shifted(
    frame: Words, coded: int, header: StoredBits, bits: tuple[int, int]
) -> StoredValues:
    """Return the values that stand above the lowest bit, if they do."""
    stored, high = bits
    shift = high + 1 - stored
    if _is_right_aligned(frame, stored, shift, header):
        step = f"HighBit {high} ignored: the lowest {stored} bits are in use"
        return _masked(frame, coded, stored, header, (step,))
    shifted = frame >> np.array(shift, frame.dtype)
    step = f"shifted by {shift} bits: HighBit {high} of {stored} stored"
    taken = _masked(shifted, coded - shift, stored, header, (step,))
    share = _share_that_changes_below(frame, shift)
    if share > 0.5 or (share > 0 and not taken.is_as_stated):
        if high + 1 < coded:
            step = f"values of {high + 1} bits, {stored} in the header"
            taken = _masked(frame, coded, high + 1, header, (step,))
        # Noise below left-aligned values, or too low a BitsStored: a window will tell.
        return replace(taken, is_as_stated=False)
    return taken


def _is_right_aligned(
    frame: Words, stored: int, shift: int, header: StoredBits
) -> bool:
    """Return whether values begin at the lowest bit, wherever HighBit is.

    Nothing stands above them, and something where left-aligned ones have nothing.
    """
    below = frame & np.array(2**shift - 1, frame.dtype)
    return bool(below.any() and _is_free_above(frame, stored, header))


def _is_free_above(frame: Words, stored: int, header: StoredBits) -> bool:
    """Return whether nothing stands above the stored bits but a sign, extended."""
    above = frame >> np.array(stored, frame.dtype)
    if not header.is_signed:
        return not above.any()
    sign = (frame >> np.array(stored - 1, frame.dtype)) & np.array(1, frame.dtype)
    return bool((above == sign * above.max()).all())


def _share_that_changes_below(frame: Words, shift: int) -> float:
    """Return the share of neighbours that differ below the stored bits.

    In the shapes of an overlay most do not; if the values go on there most do.
    """
    below = frame & np.array(2**shift - 1, frame.dtype)
    return float((below[:, 1:] != below[:, :-1]).mean())


def _masked(
    frame: Words, coded: int, stored: int, header: StoredBits, steps: tuple[str, ...]
) -> StoredValues:
    """Return the lowest `stored` bits, unless the values go on in those above."""
    if coded > stored and _goes_on_above(frame, coded, stored, header):
        bits = coded if header.is_signed else int(frame.max()).bit_length()
        step = f"values of {bits} bits, {stored} in the header"
        return _typed(frame, bits, header, steps=(*steps, step), is_as_stated=False)
    masked = frame & np.array(2**stored - 1, frame.dtype)
    return _typed(masked, stored, header, steps=steps, is_as_stated=True)


def _goes_on_above(frame: Words, coded: int, stored: int, header: StoredBits) -> bool:
    """Return whether the bits above the stored ones belong to the values.

    Those of an overlay, or set at random, change the word by more than the value has;
    where a value goes on in them they change as the next value counts up, by little. If
    it is noisy it changes by much as well, but what is below is noise without them.
    """
    if _is_free_above(frame, stored, header):
        return False
    above = frame >> np.array(stored, frame.dtype)
    changes = above[:, 1:] != above[:, :-1]
    if np.count_nonzero(changes) < _FEWEST_CHANGES:
        return False
    steps = _steps_at(changes, frame)
    if header.is_signed:  # the words of -1 and 0 lie far apart
        steps = np.minimum(steps, 2**coded - steps)
    if np.median(steps) < 0.75 * 2**stored:
        return True
    below = frame & np.array(2**stored - 1, frame.dtype)
    return bool(_likeness(below) < 0.5 < _likeness(frame))


def _likeness(values: Words) -> float:
    """Return the correlation of neighbours; 1 where all values are the same."""
    numbers = values.astype(np.float64)
    variance = numbers.var()
    if variance == 0:
        return 1.0
    return float(1 - np.mean(np.diff(numbers, axis=1) ** 2) / (2 * variance))


def _typed(
    frame: Words,
    bits: int,
    header: StoredBits,
    *,
    steps: tuple[str, ...],
    is_as_stated: bool,
) -> StoredValues:
    """Return values of `bits` bits with their sign, in 8 or 16 bits."""
    if bits > _MOST_BITS and not int(frame.max()).bit_length() <= _MOST_BITS:
        raise UnreadableRadiograph(
            f"not one grey image: values of {bits} bits, at most {_MOST_BITS} are read"
        )
    bits = min(bits, _MOST_BITS)
    size = 1 if bits <= 8 else 2
    values: NDArray[np.integer] = frame.astype(f"u{size}")
    is_signed = header.is_signed
    if is_signed and _goes_on_past_sign(values, bits):
        is_signed = is_as_stated = False
        steps = (*steps, "PixelRepresentation 1 ignored: values go on past the sign")
    if is_signed:
        unused = 8 * size - bits
        values = (values << np.array(unused, values.dtype)).view(f"i{size}") >> unused
    return StoredValues(
        values=values,
        bits=bits,
        is_as_stated=is_as_stated,
        steps=(*header.steps, *steps),
    )


def _goes_on_past_sign(words: NDArray[np.integer], bits: int) -> bool:
    """Return whether the largest positive value counts on to the lowest negative one.

    Where values have a sign, neighbours of which only one is negative lie on the two
    sides of zero. One negative value alone is padding.
    """
    words = words & np.array(2**bits - 1, words.dtype)
    is_negative = words >= 2 ** (bits - 1)
    changes = is_negative[:, 1:] != is_negative[:, :-1]
    if np.count_nonzero(changes) < _FEWEST_CHANGES:
        return False
    if np.count_nonzero(np.bincount(words[is_negative])) < 3:  # padding
        return False
    return bool(np.median(_steps_at(changes, words)) < 0.25 * 2**bits)


def _steps_at(
    changes: NDArray[np.bool_], words: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Return by how much neighbours differ where `changes` says, shape (n,)."""
    left, right = words[:, :-1][changes], words[:, 1:][changes]
    return np.abs(left.astype(np.int64) - right)
