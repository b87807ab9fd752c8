"""Published weights: a forward pass of PyTorch's DenseNet, redone in NumPy."""

import hashlib
import io
import json
import zipfile

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import save_file

from covid_cxr.training.network import (
    FEATURES,
    Network,
    build_classifier,
    initialise,
    swap_head,
)

BLOCKS = (2, 1)
GROWTH, FILTERS, BOTTLENECK = 4, 6, 16
NORM = ("weight", "bias", "running_mean", "running_var")


def of_the_parameters(weights, **changes):
    settings = {
        "size_px": 16,
        "blocks": list(BLOCKS),
        "growth_rate": GROWTH,
        "initial_filters": FILTERS,
        "batch_norm_momentum": 0.99,
        "weights": str(weights),
        "seed": 1,
    }
    return Network(**{**settings, **changes})


def published_tensors(n_channels=3):
    """Return a state dict with the names and shapes that torchvision gives."""
    rng = np.random.default_rng(3)
    tensors = {}

    def add_norm(name, width):
        arrays = (
            rng.normal(1, 0.2, width),
            rng.normal(0, 0.3, width),
            rng.normal(0, 0.3, width),
            # A dead channel shows every difference in what is added to the variance.
            np.r_[0.0, rng.uniform(0.5, 2, width - 1)],
        )
        tensors.update(
            {f"{name}.{part}": array for part, array in zip(NORM, arrays, strict=True)}
        )
        tensors[f"{name}.num_batches_tracked"] = np.array(7)

    def add_conv(name, *shape):
        tensors[f"{name}.weight"] = rng.normal(0, np.prod(shape[1:]) ** -0.5, shape)

    add_conv("features.conv0", FILTERS, n_channels, 7, 7)
    add_norm("features.norm0", FILTERS)
    width = FILTERS
    for block, n_layers in enumerate(BLOCKS, start=1):
        for layer in range(1, n_layers + 1):
            place = f"features.denseblock{block}.denselayer{layer}"
            add_norm(f"{place}.norm1", width)
            add_conv(f"{place}.conv1", BOTTLENECK, width, 1, 1)
            add_norm(f"{place}.norm2", BOTTLENECK)
            add_conv(f"{place}.conv2", GROWTH, BOTTLENECK, 3, 3)
            width += GROWTH
        if block < len(BLOCKS):
            add_norm(f"features.transition{block}.norm", width)
            add_conv(f"features.transition{block}.conv", width // 2, width, 1, 1)
            width //= 2
    add_norm("features.norm5", width)
    tensors["classifier.weight"] = rng.normal(size=(14, width))
    return {name: np.asarray(array, np.float32) for name, array in tensors.items()}


def forward(tensors, images):
    """Return the last feature maps (n, channels, y, x) as PyTorch computes them."""

    def conv(x, name, stride=1, pad=0):
        kernel = tensors[f"features.{name}.weight"].astype(float)
        x = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
        windows = sliding_window_view(x, kernel.shape[2:], axis=(2, 3))
        return np.einsum("ncyxhw,ochw->noyx", windows[:, :, ::stride, ::stride], kernel)

    def norm_relu(x, name):
        scale, offset, mean, variance = (
            tensors[f"features.{name}.{part}"].astype(float)[:, None, None]
            for part in NORM
        )
        return np.maximum(0, (x - mean) / np.sqrt(variance + 1e-5) * scale + offset)

    x = norm_relu(conv(images, "conv0", stride=2, pad=3), "norm0")
    padding = [(0, 0), (0, 0), (1, 1), (1, 1)]
    x = np.pad(x, padding, constant_values=-np.inf)
    x = sliding_window_view(x, (3, 3), axis=(2, 3))[:, :, ::2, ::2].max(axis=(4, 5))
    for block, n_layers in enumerate(BLOCKS, start=1):
        for layer in range(1, n_layers + 1):
            place = f"denseblock{block}.denselayer{layer}"
            new = conv(norm_relu(x, f"{place}.norm1"), f"{place}.conv1")
            new = conv(norm_relu(new, f"{place}.norm2"), f"{place}.conv2", pad=1)
            x = np.concatenate([x, new], axis=1)
        if block < len(BLOCKS):
            x = norm_relu(x, f"transition{block}.norm")
            x = conv(x, f"transition{block}.conv")
            x = sliding_window_view(x, (2, 2), axis=(2, 3))[:, :, ::2, ::2]
            x = x.mean(axis=(4, 5))
    return norm_relu(x, "norm5")


def features(classifier, images):
    """Return our last feature maps in PyTorch's layout, for images (n, y, x)."""
    body = keras.Model(classifier.input, classifier.get_layer(FEATURES).output)
    maps = body(images[..., None].astype(np.float32), training=False)
    return keras.ops.convert_to_numpy(maps).transpose(0, 3, 1, 2)


def assert_equal_maps(found, expected):
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture
def images():
    return np.random.default_rng(5).normal(size=(2, 16, 16))


@pytest.fixture
def published(tmp_path):
    """Return a function that writes tensors to a file and names it."""

    def write(tensors, name="chest.safetensors"):
        file = tmp_path / name
        if file.suffix == ".npz":
            np.savez(file, **tensors)
        else:
            save_file(
                {name: np.ascontiguousarray(t) for name, t in tensors.items()}, file
            )
        return file

    return write


def test_a_network_of_pytorch_gives_its_own_activations(published, images):
    tensors = published_tensors()
    classifier = build_classifier(of_the_parameters(published(tensors)), 1)

    equal_channels = np.repeat(images[:, None], 3, axis=1)
    assert_equal_maps(features(classifier, images), forward(tensors, equal_channels))


def test_a_network_for_one_channel_gives_its_own_activations(published, images):
    tensors = published_tensors(n_channels=1)
    classifier = build_classifier(of_the_parameters(published(tensors)), 1)

    assert_equal_maps(features(classifier, images), forward(tensors, images[:, None]))


def test_weights_for_a_wider_range_of_pixels_are_scaled_to_ours(published, images):
    tensors = published_tensors(n_channels=1)
    network = of_the_parameters(published(tensors), weights_input_sd=512.0)

    assert_equal_maps(
        features(build_classifier(network, 1), images),
        forward(tensors, 512 * images[:, None]),
    )


def old_name(name):
    for kind in ("norm", "conv"):
        for number in "12":
            name = name.replace(f".{kind}{number}.", f".{kind}.{number}.")
    return f"module.densenet121.{name}"


@pytest.mark.parametrize(
    ("rename", "name"), [(old_name, "chexnet.safetensors"), (str, "chest.npz")]
)
def test_names_of_2017_and_npz_files_give_the_same_weights(published, rename, name):
    tensors = published_tensors()
    renamed = {rename(name): tensor for name, tensor in tensors.items()}
    plain, other = (
        build_classifier(of_the_parameters(file), 1).get_weights()
        for file in (published(tensors), published(renamed, name))
    )

    for weight, expected in zip(other, plain, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_training_that_starts_from_published_weights_keeps_the_body(
    published, images
):
    tensors = published_tensors()
    initial, _ = initialise(of_the_parameters(published(tensors)))
    equal_channels = np.repeat(images[:, None], 3, axis=1)

    assert_equal_maps(
        features(swap_head(initial, 14, seed=2), images),
        forward(tensors, equal_channels),
    )


def test_the_provenance_holds_the_kind_and_the_hash_of_the_file(published):
    file = published(published_tensors())
    _, provenance = initialise(of_the_parameters(file))
    record = provenance["network"]

    assert record["weights"] == "chest.safetensors"
    assert record["weights_kind"] == "imported"
    assert record["weights_file_sha256"] == (
        hashlib.sha256(file.read_bytes()).hexdigest()
    )
    assert str(file.parent) not in json.dumps(provenance)


def without(tensors, name):
    return {other: tensors[other] for other in tensors if other != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tensors: without(tensors, "features.norm5.bias"),
            r"lacks 1 tensors \(norm5\.bias\) and has 0",
        ),
        (
            lambda tensors: {
                **tensors,
                "features.denseblock3.denselayer1.conv1.weight": np.zeros(1),
            },
            r"has 1 that the network has not \(denseblock3\.denselayer1\.conv1",
        ),
        (
            lambda tensors: {**tensors, "features.norm5.bias": np.zeros(5)},
            r"norm5\.bias is \(5,\) in the layout of Keras, expected \(11,\) for bn",
        ),
        (
            lambda tensors: {**tensors, "features.norm5.bias": np.full(11, np.nan)},
            r"norm5\.bias holds numbers that are not finite",
        ),
        (
            lambda tensors: without(tensors, "features.conv0.weight"),
            r"holds 0 tensors 'features\.conv0\.weight' among",
        ),
        (
            lambda tensors: {**tensors, "teacher.features.conv0.weight": np.zeros(1)},
            r"holds 2 tensors 'features\.conv0\.weight' among",
        ),
    ],
)
def test_another_network_is_refused_and_the_tensor_named(published, change, message):
    file = published(change(published_tensors()))

    with pytest.raises(ValueError, match=rf"chest\.safetensors.*{message}"):
        build_classifier(of_the_parameters(file), 1)


@pytest.mark.parametrize("name", ["model.pth.tar", "xrv.pt", "pytorch_model.bin"])
def test_a_pickle_is_refused_before_anything_runs(name):
    with pytest.raises(ValueError, match=rf"{name}', a pickle.*published-weights\.md"):
        of_the_parameters(name)


class Spy:
    """An object that would be built if somebody unpickled it."""

    built = False

    def __reduce__(self):
        return (setattr, (Spy, "built", True))


def test_a_pickle_inside_an_npz_file_is_not_opened(tmp_path):
    file = tmp_path / "chest.npz"
    array = io.BytesIO()
    np.save(array, np.array([Spy()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("features.conv0.weight.npy", array.getvalue())

    with pytest.raises(ValueError, match=r"chest\.npz cannot be read \(Object arrays"):
        build_classifier(of_the_parameters(file), 1)
    assert not Spy.built


@pytest.mark.parametrize("name", ["chest.safetensors", "chest.npz"])
def test_a_damaged_or_missing_file_is_refused(tmp_path, name):
    file = tmp_path / name
    with pytest.raises(ValueError, match=rf"{name}', which is no file"):
        build_classifier(of_the_parameters(file), 1)
    file.write_bytes(b"PK\x03\x04 no weights")

    with pytest.raises(ValueError, match=rf"{name} cannot be read"):
        build_classifier(of_the_parameters(file), 1)


@pytest.mark.parametrize(("weights", "sd"), [("none", 512.0), ("a.npz", 0.0)])
def test_a_scale_that_means_nothing_is_refused(weights, sd):
    with pytest.raises(ValueError, match=r"network\.weights_input_sd must be above 0"):
        of_the_parameters(weights, weights_input_sd=sd)
