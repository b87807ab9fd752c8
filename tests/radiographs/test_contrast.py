import numpy as np
import pytest

from covid_cxr.radiographs.contrast import is_contrast_suspect, share_of_few_levels

RNG = np.random.default_rng(0)
PICTURE = np.clip(RNG.normal(120, 40, (96, 96)), 0, 255).astype(np.uint8)


def one_pixel(background, pixel):
    pixels = np.full((96, 96), background, dtype=np.uint8)
    pixels[40, 40] = pixel
    return pixels


@pytest.mark.parametrize(
    "pixels",
    [
        one_pixel(0, 255),
        one_pixel(255, 0),
        one_pixel(128, 129),
        (PICTURE // 16 + 100).astype(np.uint8),
        np.where(PICTURE > 130, 255, 0).astype(np.uint8),
        np.clip((PICTURE.astype(float) - 205) * 8, 0, 255).astype(np.uint8),
        np.clip((PICTURE.astype(float) - 10) * 8, 0, 255).astype(np.uint8),
    ],
    ids=[
        "black",
        "white",
        "one grey",
        "sixteen greys",
        "two greys",
        "clipped to black",
        "clipped to white",
    ],
)
def test_hardly_any_contrast_is_suspect(pixels):
    assert is_contrast_suspect(pixels)
    assert is_contrast_suspect(255 - pixels)


@pytest.mark.parametrize("grey", [0, 17, 255])
@pytest.mark.parametrize(
    "margins",
    [((0, 0), (0, 0)), ((96, 96), (96, 96)), ((200, 60), (0, 0)), ((0, 0), (0, 250))],
    ids=["none", "all around", "above and below", "at the right"],
)
def test_a_radiograph_between_plain_margins_is_no_suspect(grey, margins):
    assert not is_contrast_suspect(np.pad(PICTURE, margins, constant_values=grey))


def test_the_share_is_of_the_most_frequent_levels_wherever_they_lie():
    # 40 levels far apart, one twice as frequent as the next ones together can be.
    greys = np.repeat(np.arange(40) * 6, 10)
    greys[:100] = 7
    pixels = RNG.permutation(greys).reshape(20, 20).astype(np.uint8)
    counts = sorted(np.unique(pixels, return_counts=True)[1], reverse=True)

    assert share_of_few_levels(pixels) == pytest.approx(sum(counts[:32]) / 400)
