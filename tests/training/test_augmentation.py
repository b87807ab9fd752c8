"""Augmentation: one resampling that equals mirror, rotate and crop in turn."""

import cv2
import numpy as np
import pytest

from covid_cxr.training.augmentation import Distortion, distort, draw_distortion

NOTHING = {
    "is_mirrored": False,
    "rotation_degrees": 0.0,
    "height_share": 1.0,
    "width_share": 1.0,
    "top": 0.0,
    "left": 0.0,
}


@pytest.fixture
def smooth_image():
    """Return 128 px without fine detail, so that interpolation hardly matters."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (8, 8), dtype=np.uint8)
    return cv2.resize(coarse, (128, 128), interpolation=cv2.INTER_CUBIC)


def in_three_steps(image, distortion):
    """Return what the three steps give with OpenCV's own functions."""
    size = len(image)
    if distortion.is_mirrored:
        image = image[:, ::-1]
    centre = ((size - 1) / 2, (size - 1) / 2)
    turn = cv2.getRotationMatrix2D(centre, distortion.rotation_degrees, 1.0)
    image = cv2.warpAffine(np.ascontiguousarray(image), turn, (size, size))
    height = round(size * distortion.height_share)
    width = round(size * distortion.width_share)
    top = round((size - height) * distortion.top)
    left = round((size - width) * distortion.left)
    cropped = image[top : top + height, left : left + width]
    return cv2.resize(cropped, (size, size), interpolation=cv2.INTER_LINEAR)


def test_one_resampling_equals_the_three_steps_in_turn(smooth_image):
    # 120 and 116 of 128 px from pixel 4 and 9: the steps cut between pixels.
    distortion = Distortion(
        is_mirrored=True,
        rotation_degrees=7.0,
        height_share=120 / 128,
        width_share=116 / 128,
        top=4 / 8,
        left=9 / 12,
    )
    expected = in_three_steps(smooth_image, distortion).astype(int)
    difference = np.abs(distort(smooth_image, distortion).astype(int) - expected)
    inner = difference[4:-4, 4:-4]

    assert np.percentile(inner, 99) <= 2
    assert np.abs(expected - smooth_image).mean() > 10


def test_nothing_to_do_leaves_every_pixel(smooth_image):
    np.testing.assert_array_equal(
        distort(smooth_image, Distortion(**NOTHING)), smooth_image
    )


def test_mirroring_alone_is_exact(smooth_image):
    mirrored = distort(smooth_image, Distortion(**{**NOTHING, "is_mirrored": True}))

    np.testing.assert_array_equal(mirrored, smooth_image[:, ::-1])


def test_what_a_rotation_brings_in_is_black():
    white = np.full((64, 64), 255, np.uint8)
    turned = distort(white, Distortion(**{**NOTHING, "rotation_degrees": 8.0}))

    assert turned[0, 0] == 0
    assert turned[-1, -1] == 0
    assert turned[32, 32] == 255


def test_a_distortion_is_a_function_of_seed_phase_epoch_and_row(make_recipe):
    recipe = make_recipe()
    drawn = draw_distortion(recipe, "phase1", epoch=2, row=5)
    draw_distortion(recipe, "phase1", epoch=9, row=9)
    others = {
        draw_distortion(make_recipe(seed=12), "phase1", epoch=2, row=5),
        draw_distortion(recipe, "phase2", epoch=2, row=5),
        draw_distortion(recipe, "phase1", epoch=3, row=5),
        draw_distortion(recipe, "phase1", epoch=2, row=6),
    }

    assert draw_distortion(recipe, "phase1", epoch=2, row=5) == drawn
    assert len(others | {drawn}) == 5


def test_the_recipe_bounds_every_distortion(make_recipe):
    recipe = make_recipe(rotation_degrees=8.0, crop_share=0.1)
    drawn = [draw_distortion(recipe, "phase1", epoch=1, row=r) for r in range(500)]
    degrees = np.array([d.rotation_degrees for d in drawn])
    shares = np.array([(d.height_share, d.width_share) for d in drawn])
    places = np.array([(d.top, d.left) for d in drawn])

    assert -8 <= degrees.min() < -7.5
    assert 7.5 < degrees.max() <= 8
    assert 0.9 <= shares.min() < 0.91
    assert 0.99 < shares.max() <= 1
    assert 0 <= places.min() < places.max() < 1
    assert 0.4 < np.mean([d.is_mirrored for d in drawn]) < 0.6


def test_a_recipe_may_switch_every_distortion_off(make_recipe):
    recipe = make_recipe(flip=False, rotation_degrees=0, crop_share=0)
    drawn = draw_distortion(recipe, "phase1", epoch=1, row=1)

    assert (drawn.is_mirrored, drawn.rotation_degrees) == (False, 0)
    assert (drawn.height_share, drawn.width_share) == (1, 1)
