"""Sanity checks of saliency maps."""

import keras
import numpy as np
import pytest

from covid_cxr.saliency.grad_cam import explain
from covid_cxr.saliency.sanity import (
    border,
    corners,
    energy_share,
    points_into,
    randomisation_test,
    similarities,
)


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(3)
    image = keras.Input((16, 16, 1))
    first = keras.layers.Conv2D(6, 3, padding="same", activation="relu")(image)
    second = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(first)
    pooled = keras.layers.GlobalAveragePooling2D()(second)
    return keras.Model(image, keras.layers.Dense(1, activation="sigmoid")(pooled))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).normal(size=(4, 16, 16, 1)).astype(np.float32)


def grad_cam(classifier, images):
    return explain(classifier, images, method="grad_cam", layer=None)


def test_maps_change_layer_by_layer_from_the_head(classifier, images):
    before = classifier.get_weights()

    table = randomisation_test(classifier, images, explain=grad_cam, seed=1)

    layers = [layer.name for layer in classifier.layers if hasattr(layer, "kernel")]
    assert table["layer"].tolist() == layers[::-1]
    assert table["n_randomised"].tolist() == [1, 2, 3]
    assert (table["similarity"] < 0.95).all()
    for old, new in zip(before, classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_maps_that_ignore_the_network_fail_the_test(classifier, images):
    table = randomisation_test(
        classifier, images, explain=lambda _, x: np.abs(x[..., 0]) / 4, seed=1
    )

    assert table["similarity"].tolist() == pytest.approx([1, 1, 1])


def test_similarity_is_one_for_the_same_map_and_less_for_noise():
    rng = np.random.default_rng(2)
    maps = rng.random((2, 32, 32))
    noisy = np.clip(maps + rng.normal(0, [[[0.05]], [[0.5]]], maps.shape), 0, 1)

    little, much = similarities(maps, noisy)

    assert similarities(maps, maps) == pytest.approx([1, 1])
    assert 1 > little > much > -1


def test_the_energy_of_a_map_is_shared_out_by_area():
    maps = np.ones((2, 8, 8))
    maps[1, 4:] = 0
    upper = np.zeros((64, 64), dtype=bool)
    upper[:16] = True

    assert energy_share(maps, upper) == pytest.approx([0.25, 0.5])
    assert energy_share(maps, np.stack([upper, ~upper])) == pytest.approx([0.25, 0.5])


def test_a_map_of_nothing_has_no_share():
    assert np.isnan(energy_share(np.zeros((1, 4, 4)), np.ones((4, 4), dtype=bool)))


def test_the_border_is_a_frame_and_the_corners_its_ends():
    frame, ends = border(20, share=0.1), corners(20, share=0.1)

    assert frame.sum() == 20**2 - 16**2
    assert ends.sum() == 4 * 2 * 2
    assert (frame & ends).sum() == ends.sum()
    assert not frame[2:18, 2:18].any()


def test_the_pointing_game_asks_for_the_largest_element():
    maps = np.zeros((3, 4, 4))
    maps[0, 1, 2] = maps[1, 3, 0] = maps[2, 0, 0] = 1  # centres (250, 150), (50, 350)
    boxes = [
        np.array([[0.0, 0, 10, 10], [200, 100, 60, 60]]),
        np.array([[0.0, 0, 400, 340]]),
        np.zeros((0, 4)),
    ]

    assert points_into(maps, boxes, size_px=400).tolist() == [True, False, False]
