"""Intensity statistics: mean and standard deviation of a training set's own images."""

import logging
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from covid_cxr.checks import check_whole
from covid_cxr.radiographs.store import ImageStore

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
    store: ImageStore,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    sample: IntensitySample,
) -> dict[str, float]:
    """Return `mean`, `standard_deviation` (on [0, 1]) and `n_images` of a sample.

    One scalar each over all pixels of the sampled training images, without
    augmentation (paper, Sections 2.1 and 2.2). Exact: grey levels are counted.

    Args:
        store: The cohort's image store.
        curated: `image_id` and `row` in the store.
        split: `image_id` and `part`; images of "train" are drawn.
        sample: How many, and the seed.

    Raises:
        ValueError: If there is no training image, or all pixels are equal.
    """
    rows = _draw_rows(curated, split, sample)
    pixels_per_level = np.zeros(_WHITE + 1, dtype=np.int64)
    for first in range(0, len(rows), _BATCH_IMAGES):
        for image in store.read(rows[first : first + _BATCH_IMAGES]):
            pixels_per_level += np.bincount(image.ravel(), minlength=_WHITE + 1)
    mean, standard_deviation = _moments(pixels_per_level)
    if standard_deviation == 0:
        raise ValueError(
            f"All pixels of the {len(rows)} sampled training images in {store.root} "
            f"have the value {mean * _WHITE:.0f}; look at the raw files."
        )
    logger.info(
        "intensity of %d training images: mean %.4f, standard deviation %.4f",
        len(rows),
        mean,
        standard_deviation,
    )
    return {
        "mean": mean,
        "standard_deviation": standard_deviation,
        "n_images": len(rows),
    }


def _draw_rows(
    curated: pd.DataFrame, split: pd.DataFrame, sample: IntensitySample
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the store's rows of the sampled training images, ascending."""
    trained = split.loc[split["part"] == "train", "image_id"].sort_values()
    row_of_image = curated.set_index("image_id")["row"]
    missing = trained[~trained.isin(row_of_image.index)]
    if trained.empty or not missing.empty:
        raise ValueError(
            f"The split has {len(trained)} training images, {len(missing)} of which "
            f"are not among the curated ones; run the curation pipeline again."
        )
    rng = np.random.default_rng(sample.seed)
    drawn = rng.permutation(row_of_image[trained].to_numpy(np.int64))[: sample.images]
    return np.sort(drawn)


def _moments(
    pixels_per_level: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> tuple[float, float]:
    """Return mean and population standard deviation on [0, 1], from exact sums."""
    levels = range(_WHITE + 1)
    counts = pixels_per_level.tolist()  # Python's integers do not overflow
    n_pixels = sum(counts)
    total = sum(level * n for level, n in zip(levels, counts, strict=True))
    squares = sum(level**2 * n for level, n in zip(levels, counts, strict=True))
    variance = (n_pixels * squares - total**2) / n_pixels**2
    return total / n_pixels / _WHITE, math.sqrt(variance) / _WHITE
