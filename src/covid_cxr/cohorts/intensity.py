"""Intensity statistics: mean and standard deviation of a training set's own images."""

import logging
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from covid_cxr.checks import check_whole
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.radiographs.store import Images

logger = logging.getLogger(__name__)

_WHITE = 255
_BATCH_IMAGES = 64


@dataclass(frozen=True, kw_only=True)
class IntensitySample:
    """Which images are measured, as read from study.yml.

    Attributes:
        images: How many training images are drawn; all, where there are fewer.
        seed: Of the draw.
    """

    images: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse an empty sample."""
        name = "images of an intensity sample"
        check_whole(name, self.images, least=1, place="study.yml")


def measure_intensity(
    store: Images, rows: NDArray[np.int64], sample: IntensitySample
) -> Intensity:
    """Return the intensity of a sample of images.

    One scalar each over all pixels of the sampled images, without augmentation (paper,
    Sections 2.1 and 2.2). Exact: grey levels are counted.

    Args:
        store: Holds the images.
        rows: Of the training images, in the order of their ids.
        sample: How many, and the seed.

    Raises:
        ValueError: If there is no training image, or all pixels are equal.
    """
    if not len(rows):
        raise ValueError(
            "The train part is empty, so its intensity cannot be measured. Enlarge it "
            "in the split's parameters."
        )
    rng = np.random.default_rng(sample.seed)
    drawn = np.sort(rng.permutation(rows)[: sample.images])
    pixels_per_level = np.zeros(_WHITE + 1, dtype=np.int64)
    for first in range(0, len(drawn), _BATCH_IMAGES):
        for image in store.read(drawn[first : first + _BATCH_IMAGES]):
            pixels_per_level += np.bincount(image.ravel(), minlength=_WHITE + 1)
    mean, standard_deviation = _moments(pixels_per_level)
    if standard_deviation == 0:
        raise ValueError(
            f"All pixels of the {len(drawn)} sampled training images have the value "
            f"{mean * _WHITE:.0f}; look at the raw files."
        )
    logger.info(
        "intensity of %d training images: mean %.4f, standard deviation %.4f",
        len(drawn),
        mean,
        standard_deviation,
    )
    return Intensity(
        mean=mean, standard_deviation=standard_deviation, n_images=len(drawn)
    )


def _moments(pixels_per_level: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean and population standard deviation on [0, 1], from exact sums."""
    levels = range(_WHITE + 1)
    counts = pixels_per_level.tolist()  # Python's integers do not overflow
    n_pixels = sum(counts)
    total = sum(level * n for level, n in zip(levels, counts, strict=True))
    squares = sum(level**2 * n for level, n in zip(levels, counts, strict=True))
    variance = (n_pixels * squares - total**2) / n_pixels**2
    return total / n_pixels / _WHITE, math.sqrt(variance) / _WHITE
