"""The network: keras.applications' DenseNet with our input and head."""

import json

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications.densenet import DenseNet
from keras.src.legacy.saving import legacy_h5_format

from covid_cxr.training.network import (
    FEATURES,
    HEAD,
    Network,
    build_classifier,
    initialise,
    swap_head,
)

OURS = {"radiograph", "as_three_channels", "global_pool", HEAD}


def densenet121(size_px, weights="none"):
    return Network(
        size_px=size_px,
        blocks=[6, 12, 24, 16],
        growth_rate=32,
        initial_filters=64,
        batch_norm_momentum=0.99,
        weights=str(weights),
        seed=1,
    )


def in_applications_format(model, file):
    """Write the weights as the files that keras.applications downloads hold them."""
    with h5py.File(file, "w") as opened:
        legacy_h5_format.save_weights_to_hdf5_group(opened, model)


@pytest.fixture(scope="module")
def reference():
    """Return Keras's own DenseNet121 with weights that no seed of ours gives."""
    model = keras.applications.DenseNet121(
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )
    rng = np.random.default_rng(4)
    model.set_weights(
        [
            # Kernels keep their size, moving variances stay above zero.
            w * rng.normal(1, 0.1, w.shape) + 0.1 * rng.random() * (w.ndim == 1)
            for w in model.get_weights()
        ]
    )
    return model


@pytest.fixture(scope="module")
def loaded(reference, tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "densenet121_notop.h5"
    in_applications_format(reference, file)
    return build_classifier(densenet121(32, file), 3)


@pytest.fixture
def images():
    rng = np.random.default_rng(5)
    return rng.normal(size=(2, 32, 32, 1)).astype(np.float32)


def test_densenet121_is_keras_applications_layer_by_layer(reference, loaded):
    inner = [layer for layer in loaded.layers if layer.name not in OURS]
    expected = [
        layer for layer in reference.layers if "input" not in layer.name.split("_")[0]
    ]

    assert len(inner) == len(expected)
    for layer, other in zip(inner, expected, strict=True):
        assert type(layer) is type(other)
        n_channels = 1 if layer.name == "conv1_pad" else other.output.shape[-1]
        assert layer.output.shape == (*other.output.shape[:-1], n_channels)
        if layer.weights:
            assert layer.name == other.name
            if hasattr(layer, "epsilon"):
                assert layer.epsilon == other.epsilon


def test_a_file_of_keras_applications_gives_its_activations(reference, loaded, images):
    features = keras.Model(loaded.input, loaded.get_layer(FEATURES).output)
    expected = reference(np.repeat(images, 3, axis=-1), training=False).numpy()

    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(
        features(images, training=False).numpy(), expected, rtol=1e-4, atol=1e-5
    )


@pytest.fixture(scope="module")
def three_channels():
    """Return a small network of Keras for three channels, with a sigmoid."""
    body = DenseNet(
        [1] * 4, weights=None, include_top=False, input_shape=(32, 32, 3), pooling="avg"
    )
    head = keras.layers.Dense(1, activation="sigmoid", name=HEAD)
    return keras.Model(body.input, head(body.output))


def body_of(classifier):
    return keras.Model(classifier.input, classifier.layers[-2].output)


def four_layers(file):
    return Network(
        **{**vars(densenet121(32, file)), "blocks": [1, 1, 1, 1]},
    )


def test_one_channel_learns_what_three_equal_channels_learn(three_channels, tmp_path):
    """The folded kernel takes the same steps, momentum and weight decay included."""
    file = tmp_path / "notop.h5"
    in_applications_format(body_of(three_channels), file)
    one_channel = build_classifier(four_layers(file), 1)
    before = one_channel.get_layer("conv1_conv").kernel.numpy()
    rng = np.random.default_rng(6)
    image = rng.normal(size=(8, 32, 32, 1)).astype(np.float32)
    target = rng.normal(size=(8, 16, 16, 64)).astype(np.float32)
    for model, images in [
        (one_channel, image),
        (three_channels, np.repeat(image, 3, axis=-1)),
    ]:
        start = keras.Model(model.input, model.get_layer("conv1_bn").output)
        descent = keras.optimizers.SGD(0.3, momentum=0.9, weight_decay=0.1)
        start.compile(descent, loss="mse")
        for _ in range(4):
            start.train_on_batch(images, target)
    kernel, trained = (
        model.get_layer("conv1_conv").kernel.numpy()
        for model in (one_channel, three_channels)
    )
    folded = trained.sum(axis=2, keepdims=True) / np.sqrt(3)

    np.testing.assert_allclose(kernel, folded, atol=1e-5)
    assert np.abs(kernel - 0.97**4 * before).max() > 0.01


def test_kernels_that_are_drawn_stand_for_no_other_channels(network):
    wide = Network(**{**vars(network), "initial_filters": 64})
    classifier = build_classifier(wide, 1)
    kernel = classifier.get_layer("conv1_conv").kernel.numpy()

    assert kernel.shape == (7, 7, 1, 64)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (7 * 7)), rel=0.05)
    assert "as_three_channels" not in {layer.name for layer in classifier.layers}


def test_the_network_is_flat_and_ends_in_pooling_and_one_sigmoid_per_label(loaded):
    names = [layer.name for layer in loaded.layers]

    assert names[-3:] == [FEATURES, "global_pool", HEAD]
    assert loaded.output_shape == (None, 3)
    assert loaded.layers[-1].activation is keras.activations.sigmoid
    assert not any(isinstance(layer, keras.Model) for layer in loaded.layers)


def test_weights_of_another_network_are_refused(reference, tmp_path):
    file = tmp_path / "densenet121_notop.h5"
    in_applications_format(reference, file)
    other = Network(
        size_px=32,
        blocks=[1, 1],
        growth_rate=4,
        initial_filters=8,
        batch_norm_momentum=0.99,
        weights=str(file),
        seed=1,
    )

    with pytest.raises(ValueError, match=r"densenet121_notop\.h5 does not hold"):
        build_classifier(other, 1)


def test_a_file_that_is_not_weights_is_refused(network, tmp_path):
    file = tmp_path / "notes.h5"
    file.write_text("no weights")

    with pytest.raises(ValueError, match=r"notes\.h5 does not hold"):
        build_classifier(Network(**{**vars(network), "weights": str(file)}), 1)


def test_a_missing_weights_file_is_refused_with_the_choices(network, tmp_path):
    absent = str(tmp_path / "absent.h5")

    with pytest.raises(ValueError, match=r"is no file\. Give imagenet, none"):
        build_classifier(Network(**{**vars(network), "weights": absent}), 1)


def test_imagenet_weights_go_into_the_body(monkeypatch, reference):
    """The download is Keras's affair; what it returns must be what we start from."""
    asked = {}

    def download(**options):
        asked.update(options)
        return reference

    monkeypatch.setattr(keras.applications, "DenseNet121", download)
    classifier = build_classifier(densenet121(32, "imagenet"), 1)

    assert asked["weights"] == "imagenet"
    assert asked["include_top"] is False
    _, *found = classifier.get_weights()[:-2]
    first, *others = reference.get_weights()
    for weight, expected in zip(found, others, strict=True):
        np.testing.assert_array_equal(weight, expected)
    np.testing.assert_allclose(
        classifier.get_weights()[0],
        first.sum(axis=2, keepdims=True) / np.sqrt(3),
        atol=1e-6,
    )


def test_a_failed_download_says_what_to_do(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure")  # noqa: TRY002 - as Keras does

    monkeypatch.setattr(keras.applications, "DenseNet121", fail)

    with pytest.raises(OSError, match=r"URL fetch failure.*give network\.weights a"):
        build_classifier(densenet121(32, "imagenet"), 1)


def test_the_same_seed_draws_the_same_weights_and_another_does_not(network):
    first, again = (build_classifier(network, 2).get_weights() for _ in range(2))
    settings = {**vars(network), "seed": 8}
    other = build_classifier(Network(**settings), 2).get_weights()

    for weight, expected in zip(first, again, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert not np.array_equal(first[0], other[0])


def test_layers_of_equal_shape_start_from_different_weights():
    network = Network(
        size_px=16,
        blocks=[3],
        growth_rate=4,
        initial_filters=8,
        batch_norm_momentum=0.99,
        weights="none",
        seed=1,
    )
    model = build_classifier(network, 1)
    kernels = [model.get_layer(f"conv2_block{n}_2_conv").kernel for n in (1, 2, 3)]

    assert not np.array_equal(kernels[0].numpy(), kernels[1].numpy())
    assert not np.array_equal(kernels[1].numpy(), kernels[2].numpy())


def test_swapping_the_head_keeps_the_body_and_draws_the_head(initial):
    parent = initial[0]
    parent_weights = parent.get_weights()
    swapped = swap_head(parent, 14, seed=3)
    *body, kernel, bias = swapped.get_weights()
    n_features = kernel.shape[0]

    for weight, expected in zip(body, parent_weights[:-2], strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert kernel.shape == (n_features, 14)
    assert kernel.std() == pytest.approx(np.sqrt(2 / n_features), rel=0.2)
    np.testing.assert_array_equal(bias, 0)


def test_the_parent_does_not_share_weights_with_the_swapped_classifier(initial):
    parent = initial[0]
    before = parent.get_weights()
    swapped = swap_head(parent, 1, seed=3)
    swapped.set_weights([weight + 1 for weight in swapped.get_weights()])

    for weight, expected in zip(parent.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_the_head_is_drawn_by_its_seed(initial):
    first, again, other = (
        swap_head(initial[0], 1, seed=seed).layers[-1].kernel.numpy()
        for seed in (3, 3, 4)
    )

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_model_without_our_head_is_refused(reference):
    with pytest.raises(
        ValueError, match=r"ends in the layer 'relu', not in 'findings'"
    ):
        swap_head(reference, 1, seed=1)


def test_a_saved_classifier_loads_in_safe_mode_and_says_the_same(
    initial, images, tmp_path
):
    classifier = swap_head(initial[0], 2, seed=1)
    classifier.save(tmp_path / "classifier.keras")
    loaded = keras.models.load_model(tmp_path / "classifier.keras", safe_mode=True)

    np.testing.assert_array_equal(
        loaded(images, training=False).numpy(),
        classifier(images, training=False).numpy(),
    )
    assert swap_head(loaded, 2, seed=1).to_json() == classifier.to_json()


def test_the_provenance_holds_the_network_and_no_place_on_the_disk(
    three_channels, tmp_path
):
    file = tmp_path / "notop.h5"
    in_applications_format(body_of(three_channels), file)
    _, provenance = initialise(four_layers(file))

    assert provenance["stage"] == "initial"
    assert provenance["network"]["blocks"] == [1, 1, 1, 1]
    assert provenance["network"]["weights"] == "notop.h5"
    assert provenance["network"]["weights_kind"] == "keras_applications"
    assert len(provenance["network"]["weights_file_sha256"]) == 64
    assert str(tmp_path) not in json.dumps(provenance)


def test_every_batch_normalisation_has_the_networks_momentum(network):
    classifier = build_classifier(
        Network(**{**vars(network), "batch_norm_momentum": 0.8}), 1
    )
    momenta = {layer.momentum for layer in classifier.layers if "bn" in layer.name}

    assert momenta == {0.8}


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("size_px", 0, r"network\.size_px must be"),
        ("size_px", 4, "need at least 8 px"),
        ("blocks", [], r"network\.blocks is empty"),
        ("blocks", [1, 0], r"network\.blocks\[1\] must be"),
        ("batch_norm_momentum", 1.0, r"network\.batch_norm_momentum must be"),
        ("growth_rate", 4.5, r"network\.growth_rate must be"),
        ("seed", -1, r"network\.seed must be"),
        ("weights", "imagenet", "There are no ImageNet weights for blocks"),
    ],
)
def test_a_network_that_cannot_be_is_refused(network, setting, value, message):
    with pytest.raises(ValueError, match=message):
        Network(**{**vars(network), setting: value})
