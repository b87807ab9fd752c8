"""From 8-bit pixels to a network's input: by the brightness of its training images."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

ALIGNMENT_BYTES = 64  # of a tensor's memory (EIGEN_MAX_ALIGN_BYTES)


@dataclass(frozen=True, kw_only=True)
class Intensity:
    """How bright the training images are, on [0, 1].

    Attributes:
        mean: Of all their pixels.
        standard_deviation: Of all their pixels.
        n_images: How many of them were measured.
    """

    mean: float
    standard_deviation: float
    n_images: int

    def __post_init__(self) -> None:
        """Refuse what images cannot be normalised by."""
        if not (0 <= self.mean <= 1 and self.standard_deviation > 0):
            raise ValueError(
                f"The intensity's mean is {self.mean} and its standard deviation "
                f"{self.standard_deviation}, expected 0 to 1 and more than 0. Look at "
                "the training images and run curation again."
            )


def normalise(images: NDArray[np.uint8], intensity: Intensity) -> NDArray[np.float32]:
    """Return the network's input (n, size, size, 1) for 8-bit images (n, size, size).

    Args:
        images: 0 is black.
        intensity: Of the training images.
    """
    scale = np.float32(1 / (255 * intensity.standard_deviation))
    offset = np.float32(intensity.mean / intensity.standard_deviation)
    grey_levels = np.arange(256, dtype=np.float32) * scale - offset
    flat = images.reshape(len(images), -1)  # (n, pixels)
    batch = _aligned(flat.shape)
    cv2.LUT(flat, grey_levels, dst=batch)
    return batch.reshape((*images.shape, 1))


def _aligned(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return an empty array that TensorFlow takes as it is; it copies any other."""
    n_bytes = math.prod(shape) * np.dtype(np.float32).itemsize
    memory = np.empty(n_bytes + ALIGNMENT_BYTES, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT_BYTES
    return memory[first : first + n_bytes].view(np.float32).reshape(shape)
