"""What every radiograph file becomes, whatever its format: 8-bit pixels, air dark."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Reasons that may be gone at the next attempt, although the file has not changed.
UNREADABLE_FILE = "file cannot be read"
NO_DECODER = "no decoder installed"


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
    """

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]

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
        return Rendering(pixels, (*self.steps, step))
