import numpy as np
import pytest

from covid_cxr.radiographs.geometry import crop, resize
from covid_cxr.radiographs.rendering import UnreadableRadiograph

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 48), dtype=np.uint8)


def test_halving_takes_the_exact_mean_of_four_pixels():
    square = PIXELS[:48]
    sums = square.reshape(24, 2, 24, 2).sum(axis=(1, 3), dtype=int)

    np.testing.assert_array_equal(resize(square, size_px=24), (sums + 2) // 4)


def test_every_pixel_counts_where_the_image_shrinks_by_four():
    means = PIXELS[:48].reshape(12, 4, 12, 4).mean(axis=(1, 3))

    np.testing.assert_allclose(resize(PIXELS[:48], size_px=12), means, atol=0.5)


def test_a_side_that_shrinks_is_averaged_while_the_other_grows():
    stripes = np.repeat([[10, 20, 30, 40]], 64, axis=0).astype(np.uint8)
    stripes[::2] += 100

    resized = resize(stripes, size_px=8)

    assert resized.shape == (8, 8)
    np.testing.assert_array_equal(resized[0], resized[7])
    assert resized[0, 0] == 60
    assert resized[0, 7] == 90


def test_the_same_size_changes_nothing():
    np.testing.assert_array_equal(resize(PIXELS[:48], size_px=48), PIXELS[:48])


def test_a_crop_keeps_what_is_inside_the_box():
    np.testing.assert_array_equal(
        crop(PIXELS, (5.0, 7.0, 20.0, 64.0)), PIXELS[7:64, 5:20]
    )


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 49, 64),
        (0, 0, 48, 65),
        (-1, 0, 10, 10),
        (10, 0, 10, 10),
        (0, 20, 10, 10),
        (0, 0, 10.5, 10),
        (0, 0, float("nan"), 10),
        (0, 0, 10),
    ],
)
def test_a_box_that_does_not_fit_is_refused_by_name(box):
    with pytest.raises(UnreadableRadiograph, match="crop box") as refusal:
        crop(PIXELS, box)

    assert f"{box[-1]:g}" in refusal.value.reason
