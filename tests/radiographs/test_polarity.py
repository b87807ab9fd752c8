import numpy as np
import pytest

from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.geometry import resize
from covid_cxr.radiographs.polarity import measure_polarity


def chest(size=128):
    """Return air, a body, and in it two lungs beside the mediastinum."""
    pixels = np.full((64, 64), 15, dtype=np.uint8)
    pixels[10:, 4:60] = 170
    pixels[14:44, 10:26] = pixels[14:44, 38:54] = 70
    pixels[:10, 26:38] = 150  # neck
    noise = np.random.default_rng(0).integers(0, 8, (size, size), dtype=np.uint8)
    return np.kron(pixels, np.ones((size // 64, size // 64), np.uint8)) + noise


def framed(pixels, *, margin, grey):
    return np.pad(pixels, margin, constant_values=grey)


IS_CORNER = np.add.outer(range(128), range(128)) < 60
LUNG_OPAQUE = np.where(np.arange(128) < 64, 160, 0).astype(np.uint8)
SURROUNDED = {
    "as it is": chest(),
    "thin white frame": framed(chest(), margin=3, grey=255),
    "white page": framed(chest(), margin=20, grey=255),
    "black collimation": framed(chest(), margin=40, grey=0),
    "grey page": framed(chest(), margin=20, grey=128),
    "white stripe": np.pad(chest(), ((6, 6), (0, 12)), constant_values=255),
    "without air": chest()[24:96],
    "white corner": np.where(IS_CORNER, 255, chest()).astype(np.uint8),
    "one lung opaque": np.maximum(chest(), LUNG_OPAQUE),
}


@pytest.mark.parametrize("pixels", SURROUNDED.values(), ids=SURROUNDED)
def test_a_radiograph_is_no_suspect_whatever_lies_around_it(pixels):
    assert not measure_polarity(_square(pixels)).is_suspect


@pytest.mark.parametrize(
    "kind", ["as it is", "white page", "black collimation", "white stripe"]
)
def test_a_negative_is_a_suspect_whatever_lies_around_it(kind):
    assert measure_polarity(255 - _square(SURROUNDED[kind])).is_suspect


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_an_image_of_one_grey_has_no_polarity(grey):
    polarity = measure_polarity(np.full((64, 64), grey, dtype=np.uint8))

    assert (polarity.air_contrast, polarity.lung_contrast) == (0, 0)
    assert not polarity.is_suspect


def _square(pixels):
    return resize(np.ascontiguousarray(pixels), size_px=128)


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


def test_real_radiographs_are_told_from_their_negatives(real_data):
    images = sorted((real_data / "nih/images").glob("*.png"))

    assert len(images) == 2
    for path in images:
        pixels = resize(read(path).pixels, size_px=512)
        assert not measure_polarity(pixels).is_suspect, path.name
        assert measure_polarity(255 - pixels).is_suspect, path.name
