from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from covid_cxr.cohorts.intensity import IntensitySample, measure_intensity


@dataclass
class InMemoryStore:
    """Images by row, as an image store gives them."""

    images: np.ndarray
    root: Path = Path("store")

    def read(self, rows):
        return self.images[rows]


@pytest.fixture
def store():
    rng = np.random.default_rng(1)
    return InMemoryStore(rng.integers(0, 256, (150, 6, 6), dtype=np.uint8))


def tables(n_images, n_train):
    """Return curated radiographs stored in reverse, and their split."""
    image_id = [f"{n:03d}" for n in range(n_images)]
    curated = pd.DataFrame({"image_id": image_id, "row": range(n_images - 1, -1, -1)})
    part = ["train"] * n_train + ["validation"] * (n_images - n_train)
    return curated, pd.DataFrame({"image_id": image_id, "part": part})


def test_the_moments_are_those_of_all_training_pixels(store):
    curated, split = tables(150, 140)

    measured = measure_intensity(
        store, curated, split, IntensitySample(images=500, seed=1)
    )

    pixels = store.images[10:] / 255  # rows 149 down to 10 are training images
    assert measured["n_images"] == 140
    assert measured["mean"] == pytest.approx(pixels.mean(), rel=1e-12)
    assert measured["standard_deviation"] == pytest.approx(pixels.std(), rel=1e-12)


def test_images_of_other_parts_do_not_count(store):
    curated, split = tables(150, 140)
    white = InMemoryStore(store.images.copy())
    white.images[:10] = 255
    sample = IntensitySample(images=500, seed=1)

    first = measure_intensity(store, curated, split, sample)

    assert measure_intensity(white, curated, split, sample) == first


def test_a_sample_is_the_same_for_a_seed_and_any_order_of_rows(store):
    curated, split = tables(150, 140)
    sample = IntensitySample(images=20, seed=3)

    first = measure_intensity(store, curated, split, sample)
    second = measure_intensity(
        store, curated[::-1], split.sample(frac=1, random_state=1), sample
    )

    assert first == second
    assert first["n_images"] == 20


def test_another_seed_draws_other_images(store):
    curated, split = tables(150, 140)
    means = {
        measure_intensity(store, curated, split, IntensitySample(images=20, seed=seed))[
            "mean"
        ]
        for seed in range(5)
    }

    assert len(means) == 5


def test_images_without_contrast_are_an_error():
    curated, split = tables(4, 3)
    grey = InMemoryStore(np.full((4, 6, 6), 7, dtype=np.uint8))

    with pytest.raises(ValueError, match=r"3 sampled .* in store have the value 7;"):
        measure_intensity(grey, curated, split, IntensitySample(images=9, seed=1))


@pytest.mark.parametrize(
    ("rows", "part", "message"),
    [
        (slice(0, 3), "validation", "has 0 training images"),
        (slice(1, 4), "train", "has 4 training images, 1 of which are not among"),
    ],
)
def test_a_split_of_other_images_is_an_error(store, rows, part, message):
    curated, split = tables(4, 4)

    with pytest.raises(ValueError, match=message):
        measure_intensity(
            store,
            curated[rows],
            split.assign(part=part),
            IntensitySample(images=2, seed=1),
        )


@pytest.mark.parametrize("images", [0, -1, True, 2.5, "8"])
def test_a_sample_that_is_no_count_is_refused(images):
    with pytest.raises(ValueError, match="at least 1, got"):
        IntensitySample(images=images, seed=1)
