"""What every radiograph file becomes, whatever its format: 8-bit pixels, air dark."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# Reasons that may be gone at the next attempt, although the file has not changed.
UNREADABLE_FILE = "file cannot be read"
NO_DECODER = "no decoder installed"

# A detector has 20 million pixels and a digitised film 30; this is room for both, and
# little enough to be decoded in any process. What a header declares costs nothing.
MAX_PIXELS = 2**26


class UnreadableRadiograph(ValueError):  # noqa: N818 - names the radiograph, as caught
    """A radiograph that cannot be used, with the reason for the rejected table."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Rendering:
    """A radiograph as a viewer shows it.

    Attributes:
        pixels: Shape (height, width), 0 is black; air is dark, bone is bright.
        steps: What was done to the stored values, in order, for the store's records.
        identifying: Keywords of the header's attributes that may identify the patient,
            never their values; empty for formats without a header.
        burned_in: What a DICOM header says of text burned into the pixels: YES, NO or
            "not stated"; None for formats without a header.
        age_years: Of the patient, by a DICOM header; None where none is stated.
        is_photograph: Whether a picture file says that a camera exposed it.
    """

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]
    identifying: tuple[str, ...] = ()
    burned_in: str | None = None
    age_years: float | None = None
    is_photograph: bool = False

    def __post_init__(self) -> None:
        """Refuse what is not one grey image with something on it."""
        if self.pixels.ndim != 2 or self.pixels.dtype != np.uint8:
            raise ValueError(
                f"A rendering has 8-bit pixels of shape (height, width); got "
                f"{self.pixels.dtype} of shape {self.pixels.shape}."
            )
        if self.pixels.size == 0:
            raise UnreadableRadiograph("no pixels: the image has zero size")
        if self.pixels.min() == self.pixels.max():
            raise UnreadableRadiograph("blank: every pixel has the same value")

    def then(self, step: str, pixels: NDArray[np.uint8]) -> "Rendering":
        """Return the rendering after one more step, which gave `pixels`."""
        return replace(self, pixels=pixels, steps=(*self.steps, step))


def refuse_too_large(height: int, width: int) -> None:
    """Refuse a declared size before memory is taken for it.

    Raises:
        UnreadableRadiograph: If it has more than `MAX_PIXELS` pixels, or none.
    """
    if height < 1 or width < 1:
        raise UnreadableRadiograph(f"no pixels: declared as {width} x {height}")
    if height * width > MAX_PIXELS:
        raise UnreadableRadiograph(
            f"too large: declared as {width} x {height} pixels, at most {MAX_PIXELS} "
            f"are read"
        )
