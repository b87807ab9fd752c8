"""Grad-CAM: by gradient and in one forward pass, on a small network."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from covid_cxr.saliency.grad_cam import (
    METHODS,
    class_activation_map,
    explained_layer,
    explainer,
    grad_cam,
    hires_cam,
)
from covid_cxr.training.network import Network, build_classifier


def explain(classifier, images, **how):
    return explainer(classifier, **how)(images)


def differentiate(classifier, images, layer, output):
    """Return a layer's feature maps and the gradient of an output's log odds."""
    head = classifier.layers[-1]
    ends = [classifier.get_layer(layer).output, head.input]
    with tf.GradientTape() as tape:
        features, pooled = keras.Model(classifier.input, ends)(images, training=False)
        log_odds = (pooled @ head.kernel.value)[:, output]
    return features.numpy(), tape.gradient(log_odds, features).numpy()


def rectify(maps):
    positive = np.maximum(maps, 0)
    return positive / positive.max(axis=(1, 2), keepdims=True)


@pytest.fixture(scope="module")
def classifier():
    network = Network(
        size_px=64,
        blocks=[2, 2],
        growth_rate=4,
        initial_filters=8,
        batch_norm_momentum=0.99,
        weights="none",
        seed=5,
    )
    built = build_classifier(network, 2)
    head = built.layers[-1]
    # Drawn so that something in every image speaks for either label.
    rng = np.random.default_rng(0)
    head.kernel.assign(rng.normal(0.5, 1.0, head.kernel.shape))
    return built


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(6)
    return rng.normal(size=(3, 64, 64, 1)).astype(np.float32)


@pytest.mark.parametrize("output", [0, 1])
def test_one_forward_pass_gives_the_gradients_map(classifier, images, output):
    maps = class_activation_map(classifier, images)[..., output]

    assert maps.shape == (3, 8, 8)
    assert maps.max() == 1
    by_gradient = grad_cam(*differentiate(classifier, images, "relu", output))
    np.testing.assert_allclose(maps, rectify(by_gradient), atol=1e-5)


@pytest.mark.parametrize("output", [0, 1])
def test_a_layer_in_the_middle_is_explained_by_its_gradients(
    classifier, images, output
):
    layer = "pool2_relu"
    found = explain(classifier, images, method="grad_cam", layer=layer, output=output)

    by_gradient = grad_cam(*differentiate(classifier, images, layer, output))
    np.testing.assert_allclose(found, rectify(by_gradient), atol=1e-5)


def test_the_maps_of_two_labels_differ(classifier, images):
    maps = class_activation_map(classifier, images)

    assert not np.allclose(maps[..., 0], maps[..., 1], atol=0.1)


def test_a_map_is_the_rectified_weighted_sum_of_the_feature_maps(classifier, images):
    features = keras.Model(classifier.input, classifier.get_layer("relu").output)
    [one] = features(images[:1], training=False).numpy()
    weights = classifier.layers[-1].kernel.numpy()[:, 0]
    expected = np.zeros((8, 8))
    for row in range(8):
        for column in range(8):
            expected[row, column] = max(0, float(one[row, column] @ weights))

    np.testing.assert_allclose(
        class_activation_map(classifier, images[:1])[0, :, :, 0],
        expected / expected.max(),
        atol=1e-5,
    )


def test_a_map_does_not_depend_on_the_other_images(classifier, images):
    alone = class_activation_map(classifier, images[1:2])

    np.testing.assert_allclose(
        alone[0], class_activation_map(classifier, images)[1], atol=1e-5
    )


def test_a_very_sure_network_still_has_a_map(classifier, images):
    sure = keras.models.clone_model(classifier)
    sure.set_weights(classifier.get_weights())
    sure.layers[-1].bias.assign([200.0, 200.0])

    maps = explain(sure, images, method="hires_cam", layer="relu")

    np.testing.assert_allclose(
        maps, class_activation_map(classifier, images)[..., 0], atol=1e-5
    )


def test_an_explainer_follows_the_weights_of_its_classifier(classifier, images):
    changing = keras.models.clone_model(classifier)
    changing.set_weights(classifier.get_weights())
    explain_now = explainer(changing, method="grad_cam", layer=None)
    before = explain_now(images)
    head = changing.layers[-1]
    head.kernel.assign(head.kernel.numpy()[:, ::-1])

    np.testing.assert_allclose(
        explain_now(images), class_activation_map(classifier, images)[..., 1], atol=1e-5
    )
    assert not np.allclose(explain_now(images), before, atol=0.1)


def test_a_map_that_is_nowhere_positive_is_zero(classifier, images):
    opposed = keras.models.clone_model(classifier)
    opposed.set_weights(classifier.get_weights())
    head = opposed.layers[-1]
    head.kernel.assign(-np.abs(head.kernel.numpy()))

    np.testing.assert_array_equal(class_activation_map(opposed, images), 0)


def test_the_layer_before_pooling_is_explained(classifier):
    assert explained_layer(classifier) == "relu"


def test_a_network_with_another_end_is_refused(classifier):
    headless = keras.Model(classifier.input, classifier.layers[-2].output)

    with pytest.raises(ValueError, match="expected GlobalAveragePooling2D and Dense"):
        class_activation_map(headless, np.zeros((1, 64, 64, 1), np.float32))


@pytest.fixture(scope="module")
def analytic():
    """A network that adds up what is bright, and takes away what is dark.

    Channel 0 of "signs" is max(0, x), channel 1 max(0, -x); the log odds are the mean
    of the first minus twice the mean of the second.
    """
    image = keras.Input((8, 8, 1))
    signs = keras.layers.Conv2D(2, 1, activation="relu", name="signs")(image)
    pooled = keras.layers.GlobalAveragePooling2D()(signs)
    model = keras.Model(image, keras.layers.Dense(1, activation="sigmoid")(pooled))
    kernel, head = np.array([[[[1.0, -1.0]]]]), np.array([[1.0], [-2.0]])
    model.set_weights([kernel, np.zeros(2), head, np.zeros(1)])
    return model


@pytest.mark.parametrize("method", METHODS)
def test_the_map_of_an_analytic_network_is_known(analytic, method):
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[0, 1:3, 1:3] = 2.0
    image[0, 5, 5] = 1.0
    image[0, 6:, 6:] = -1.0

    [found] = explain(analytic, image, method=method, layer="signs")

    np.testing.assert_allclose(found, np.maximum(image[0, ..., 0], 0) / 2, atol=1e-6)


def test_hires_cam_is_grad_cam_before_pooling_only(classifier, images):
    late = differentiate(classifier, images, "relu", 0)
    early = differentiate(classifier, images, "conv1_relu", 0)

    np.testing.assert_allclose(hires_cam(*late), grad_cam(*late), atol=1e-6)
    assert not np.allclose(hires_cam(*early), grad_cam(*early), rtol=0.1)


def test_grad_cam_plus_plus_follows_its_formula(classifier, images):
    how = {"method": "grad_cam_plus_plus", "layer": "relu", "output": 1}
    [found] = explain(classifier, images[:1], **how)

    features = keras.Model(classifier.input, classifier.get_layer("relu").output)
    [one] = features(images[:1], training=False).numpy().astype(np.float64)
    gradient = classifier.layers[-1].kernel.numpy()[:, 1] / 64  # mean over 8 x 8
    weights = []
    for channel, slope in enumerate(gradient):
        total = one[..., channel].sum()
        share = slope**2 / (2 * slope**2 + total * slope**3)
        weights.append(64 * share * max(0, slope))
    expected = np.maximum(one @ np.array(weights), 0)
    np.testing.assert_allclose(found, expected / expected.max(), atol=1e-4)


@pytest.mark.parametrize("layer", [None, "relu"])
def test_the_cheap_way_is_taken_where_it_is_the_same(
    classifier, images, layer, monkeypatch
):
    monkeypatch.setattr(tf, "GradientTape", None)  # there is no gradient to be taken

    np.testing.assert_array_equal(
        explain(classifier, images, method="grad_cam", layer=layer),
        class_activation_map(classifier, images)[..., 0],
    )


def test_an_unknown_method_is_refused(classifier):
    with pytest.raises(ValueError, match=r"hires_cam, got 'smooth_grad'"):
        explainer(classifier, method="smooth_grad", layer=None)


@pytest.mark.parametrize("layer", ["conv9", "global_pool", "radiograph"])
def test_what_is_no_layer_with_feature_maps_is_refused(classifier, layer):
    with pytest.raises(ValueError, match=rf"no layer '{layer}' .* bn, relu\. Correct"):
        explainer(classifier, method="grad_cam", layer=layer)
