"""Other networks: those of Keras applications, for one channel and flat."""

import keras
import numpy as np
import pytest

from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.training.layers import rebuilt
from covid_cxr.training.network import Network, build_classifier, swap_head
from covid_cxr.training.trainable import freeze

SIZE_PX = 64
# What the networks' weights were trained with: normalised pixels, or from -1 to 1
# (ImageNet's standard deviation is 0.226 on 0 to 1).
INPUT_SD = {"ResNet50V2": 0.452, "EfficientNetV2B0": 1.0, "ConvNeXtTiny": 1.0}
OPTIONS = {
    "ResNet50V2": {},
    "EfficientNetV2B0": {"include_preprocessing": False},
    "ConvNeXtTiny": {"include_preprocessing": False},
}


def network(backbone, weights):
    return Network(
        backbone=backbone,
        size_px=SIZE_PX,
        blocks=[6, 12, 24, 16],
        growth_rate=32,
        initial_filters=64,
        batch_norm_momentum=0.9,
        weights=str(weights),
        seed=1,
    )


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.slow) for name in INPUT_SD],
)
def published(request, tmp_path_factory):
    """Return a network for three channels as published, and ours with its weights."""
    three = getattr(keras.applications, request.param)(
        include_top=False,
        weights=None,
        input_shape=(SIZE_PX, SIZE_PX, 3),
        **OPTIONS[request.param],
    )
    file = tmp_path_factory.mktemp("weights") / "published.weights.h5"
    three.save_weights(file)
    return request.param, three, build_classifier(network(request.param, file), 2)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(1)
    return rng.normal(size=(2, SIZE_PX, SIZE_PX, 1)).astype(np.float32)


def test_one_channel_does_what_three_equal_ones_do(published, images):
    name, three, classifier = published

    expected = three(np.repeat(images * INPUT_SD[name], 3, axis=-1), training=False)
    maps = keras.Model(classifier.input, classifier.layers[-2].input)
    ours = maps(images, training=False)

    scale = np.abs(expected.numpy()).max()
    assert scale > 0
    np.testing.assert_allclose(ours.numpy(), expected.numpy(), atol=1e-5 * scale)


def test_nothing_drops_at_random_and_no_model_is_within(published):
    _, _, classifier = published

    assert not any(layer.rate for layer in classifier.layers if hasattr(layer, "rate"))
    assert not any(isinstance(layer, keras.Model) for layer in classifier.layers)


def test_what_training_computes_is_the_same_network(published, images):
    _, _, classifier = published

    computed = rebuilt(classifier, precision="float32", xla=False)
    computed.set_weights(classifier.get_weights())

    expected = classifier(images, training=False).numpy()
    np.testing.assert_allclose(computed(images, training=False), expected, atol=1e-6)


def test_the_last_block_alone_is_trained(published):
    name, _, classifier = published
    trainable = [layer.trainable for layer in classifier.layers]

    freeze(classifier, "last_block")

    trained = [layer.name for layer in classifier.layers if layer.trainable]
    for layer, was in zip(classifier.layers, trainable, strict=True):
        layer.trainable = was
    begins = {
        "ResNet50V2": "conv5_block1_",
        "EfficientNetV2B0": "block6a_",
        "ConvNeXtTiny": "convnext_tiny_stage_3_block_0_",
    }
    assert trained[0].startswith(begins[name])
    assert trained[-1] == "findings"


def test_a_head_is_swapped_kept_and_explained(images, tmp_path):
    classifier = build_classifier(network("MobileNetV2", "none"), 2)

    swapped = swap_head(classifier, 1, seed=3)
    swapped.save(tmp_path / "classifier.keras")
    loaded = keras.models.load_model(tmp_path / "classifier.keras", safe_mode=True)

    np.testing.assert_array_equal(loaded(images), swapped(images))
    maps = explainer(loaded, method="hires_cam", layer=None)(images)
    assert maps.shape == (2, 2, 2)


def test_a_file_of_another_network_is_refused(tmp_path):
    file = tmp_path / "other.weights.h5"
    other = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    other.save_weights(file)

    with pytest.raises(ValueError, match=r"other.weights.h5 does not hold the weights"):
        build_classifier(network("MobileNetV2", file), 1)


@pytest.mark.parametrize(
    ("backbone", "weights", "said"),
    [
        ("ResNet50", "none", "network.backbone must be one of DenseNet, DenseNet169"),
        ("ConvNeXtTiny", "chest.safetensors", "which ConvNeXtTiny cannot take"),
        ("ConvNeXtTiny", "chest.pth", "a pickle"),
    ],
)
def test_a_backbone_that_cannot_be_had_is_refused(backbone, weights, said):
    with pytest.raises(ValueError, match=said):
        network(backbone, weights)


def test_images_that_are_too_small_are_refused():
    small = Network(**{**vars(network("ResNet50V2", "none")), "size_px": 16})

    with pytest.raises(ValueError, match=r"cannot be built for images of 16 px"):
        build_classifier(small, 1)
