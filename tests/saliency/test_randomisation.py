"""The randomisation test: maps must change with what the network has learned."""

from functools import partial
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.saliency.randomisation import (
    COLUMNS,
    _block,
    block_title,
    randomisation_test,
)
from covid_cxr.training.network import Network, build_classifier

make_explainer = partial(explainer, method="grad_cam", layer=None)


@pytest.fixture(scope="module")
def images():
    """Return images with a bright square, and where it is (row, column)."""
    rng = np.random.default_rng(1)
    places = rng.integers(2, 22, (48, 2))
    images = rng.normal(0, 0.3, (48, 32, 32, 1)).astype(np.float32)
    for image, (row, column) in zip(images[::2], places[::2], strict=True):
        image[row : row + 8, column : column + 8] += 2
    return images


@pytest.fixture(scope="module")
def trained(images):
    """Return a classifier that has learned to find the square."""
    network = Network(
        size_px=32,
        blocks=[2, 2],
        growth_rate=4,
        initial_filters=8,
        batch_norm_momentum=0.9,
        weights="none",
        seed=3,
    )
    keras.utils.set_random_seed(3)
    classifier = build_classifier(network, 1)
    classifier.compile(keras.optimizers.SGD(0.05, 0.9), "binary_crossentropy")
    is_case = (np.arange(len(images)) % 2 == 0).astype(np.float32)
    classifier.fit(images, is_case, epochs=8, batch_size=16, verbose=0)
    return classifier


def test_the_maps_of_a_trained_network_change_when_it_forgets(trained, images):
    before = trained.get_weights()

    batches = [images[:20:2], images[20::2]]
    table = randomisation_test(trained, batches, make_explainer=make_explainer, seed=1)

    assert table["layer"].tolist() == ["findings", "conv3", "pool2", "conv2", "conv1"]
    assert table["n_randomised"].tolist() == [1, 5, 6, 10, 11]
    assert (table["n_images"] == 24).all()
    assert (table["similarity"] < 0.8).all()
    for old, new in zip(before, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_maps_that_ignore_the_network_fail_the_test(trained, images):
    table = randomisation_test(
        trained,
        [images[:4]],
        make_explainer=lambda _: lambda x: np.abs(x[..., 0]) / 4,
        seed=1,
    )

    assert table["similarity"].tolist() == pytest.approx([1] * 5)
    assert (table["between_images"] < 0.9).all()


def test_without_images_there_is_an_empty_table(trained):
    table = randomisation_test(trained, [], make_explainer=make_explainer, seed=1)

    assert table.empty
    assert table.columns.tolist() == list(COLUMNS)


def named(name):
    return SimpleNamespace(name=name)


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("conv4_block2_1_conv", "stage_4"),  # of ResNet, which joins by addition
        ("convnext_tiny_stage_3_block_0_depthwise_conv", "stage_3"),
        ("block6h_expand_conv", "block6"),
        ("block_16_project", "block_16"),
        ("top_conv", "top"),
    ],
)
def test_other_networks_are_randomised_by_their_own_blocks(name, block):
    assert _block(named(name), is_dense=False) == block
    assert block_title(block) == block.replace("_", " ")
