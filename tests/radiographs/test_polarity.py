from pathlib import Path

import numpy as np
import pytest

from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.geometry import resize
from covid_cxr.radiographs.polarity import measure_polarity

NIH = sorted((Path(__file__).parents[3] / "shared/data/nih/images").glob("*.png"))


def bright_square(size=64, side=40):
    pixels = np.full((size, size), 20, dtype=np.uint8)
    edge = (size - side) // 2
    pixels[edge : size - edge, edge : size - edge] = 200
    return pixels


def test_a_negative_is_suspect_and_its_positive_is_not():
    pixels = bright_square()

    assert not measure_polarity(pixels).is_suspect
    assert measure_polarity(255 - pixels).is_suspect


@pytest.mark.parametrize("size", [8, 64, 512])
def test_border_and_centre_are_means_of_their_regions(size):
    pixels = np.random.default_rng(0).integers(0, 256, (size, size), dtype=np.uint8)
    frame, half = max(1, size // 64), max(1, round(3 * size / 32))
    centre = slice(size // 2 - half, size // 2 + half)
    inside = pixels[frame:-frame, frame:-frame]
    n_border = pixels.size - inside.size

    polarity = measure_polarity(pixels)

    assert polarity.centre_mean == pytest.approx(pixels[centre, centre].mean() / 255)
    assert polarity.border_mean == pytest.approx(
        (pixels.sum(dtype=float) - inside.sum(dtype=float)) / n_border / 255
    )


@pytest.mark.skipif(not NIH, reason="the real images are not here")
@pytest.mark.parametrize("path", NIH, ids=lambda path: path.stem)
def test_real_radiographs_are_told_from_their_negatives(path):
    pixels = resize(read(path).pixels, size_px=512)

    assert not measure_polarity(pixels).is_suspect
    assert measure_polarity(255 - pixels).is_suspect
