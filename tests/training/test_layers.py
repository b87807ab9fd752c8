"""The layers that a training computes with, against those of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from covid_cxr.devices.backend import as_graph
from covid_cxr.training.layers import fused_batch_normalization
from covid_cxr.training.traced import traced_network

SHAPE = (6, 5, 4, 3)  # n, height, width, channels


@pytest.fixture
def pair():
    """Return Keras' layer and ours, with the same weights, none of them trivial."""
    rng = np.random.default_rng(3)
    weights = [rng.uniform(0.5, 2, SHAPE[-1]).astype(np.float32) for _ in range(4)]
    layers = []
    for kind in (keras.layers.BatchNormalization, fused_batch_normalization()):
        layer = kind(momentum=0.8, epsilon=0.01)
        layer.build(SHAPE)
        layer.set_weights(weights)
        layers.append(layer)
    return layers


@pytest.fixture
def images():
    return np.random.default_rng(4).normal(3, 2, SHAPE).astype(np.float32)


def differentiated(layer, images, **options):
    """Return the output, and the gradients of an uneven sum by input and weights."""
    uneven = np.linspace(-1, 2, np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    given = tf.constant(images)
    variables = [weight.value for weight in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(given)
        output = layer(given, **options)
        total = tf.reduce_sum(output * uneven)
    return [output, *tape.gradient(total, [given, *variables])]


@pytest.mark.parametrize(
    "case", ["training", "inference", "frozen"], ids=lambda case: case
)
def test_batch_normalisation_is_that_of_keras(pair, images, case):
    results = []
    for layer in pair:
        layer.trainable = case != "frozen"
        found = differentiated(layer, images, training=case != "inference")
        results.append([*found, *layer.get_weights()])

    for array, expected in zip(*reversed(results), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-4, atol=1e-4)


def test_the_moving_variance_follows_that_of_the_batch(pair, images):
    """It is the biased one, as in Keras, and not what the operation returns."""
    _, layer = pair
    before = layer.moving_variance.numpy()
    layer(images, training=True)

    np.testing.assert_allclose(
        layer.moving_variance.numpy(),
        0.8 * before + 0.2 * images.var(axis=(0, 1, 2)),
        rtol=1e-4,
    )


def test_a_traced_network_normalises_in_one_operation(initial):
    network = traced_network(initial[0])
    images = tf.TensorSpec(network.model.inputs[0].shape, tf.float32)
    step = as_graph(lambda given: network.log_odds(given, training=True))
    kinds = [
        operation.type
        for operation in step.get_concrete_function(images).graph.get_operations()
    ]
    layers = [layer for layer in network.model.layers if hasattr(layer, "moving_mean")]

    assert kinds.count("FusedBatchNormV3") == len(layers)
    assert "SquaredDifference" not in kinds
