from dataclasses import dataclass

import numpy as np
import pytest

from covid_cxr.cohorts.intensity import IntensitySample, measure_intensity
from covid_cxr.radiographs.normalisation import Intensity


@dataclass
class InMemoryStore:
    """Images by row, as an image store gives them."""

    images: np.ndarray

    def read(self, rows):
        return self.images[rows]


@pytest.fixture
def store():
    rng = np.random.default_rng(1)
    return InMemoryStore(rng.integers(0, 256, (150, 6, 6), dtype=np.uint8))


def test_the_moments_are_those_of_all_pixels(store):
    rows = np.arange(149, 9, -1)

    measured = measure_intensity(store, rows, IntensitySample(images=500, seed=1))

    pixels = store.images[10:] / 255
    assert measured.n_images == 140
    assert measured.mean == pytest.approx(pixels.mean(), rel=1e-12)
    assert measured.standard_deviation == pytest.approx(pixels.std(), rel=1e-12)


def test_a_sample_is_the_same_for_a_seed(store):
    sample = IntensitySample(images=20, seed=3)

    first = measure_intensity(store, np.arange(140), sample)

    assert measure_intensity(store, np.arange(140), sample) == first
    assert first.n_images == 20


def test_another_seed_draws_other_images(store):
    samples = [IntensitySample(images=20, seed=seed) for seed in range(5)]
    means = {measure_intensity(store, np.arange(140), one).mean for one in samples}

    assert len(means) == 5


def test_images_without_contrast_are_an_error():
    grey = InMemoryStore(np.full((4, 6, 6), 7, dtype=np.uint8))

    with pytest.raises(ValueError, match=r"3 sampled .* have the value 7;"):
        measure_intensity(grey, np.arange(3), IntensitySample(images=9, seed=1))


def test_a_set_without_training_images_is_an_error(store):
    with pytest.raises(ValueError, match="The train part is empty"):
        measure_intensity(store, np.arange(0), IntensitySample(images=2, seed=1))


@pytest.mark.parametrize("deviation", [0.0, float("nan")])
def test_an_intensity_without_contrast_is_refused(deviation):
    with pytest.raises(ValueError, match="standard deviation"):
        Intensity(mean=0.5, standard_deviation=deviation, n_images=1)


@pytest.mark.parametrize("images", [0, -1, True, 2.5, "8"])
def test_a_sample_that_is_no_count_is_refused(images):
    with pytest.raises(ValueError, match="at least 1, got"):
        IntensitySample(images=images, seed=1)
