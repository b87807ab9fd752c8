"""Networks of Keras applications as bodies of a classifier: one channel, one floor.

Our own DenseNet (`training/network.py`) is the paper's, of any size. The others are
those of `keras.applications`, layer by layer, so that their weight files fit, with
three changes: the input is one normalised radiograph in place of three colours
(`weights/channels.py`); models within the model are taken apart, since a classifier
is one layer after the other; and layers that drop at random keep everything, since a
training that goes on after a crash must end as if nothing had happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from covid_cxr.weights.channels import CHANNEL_SCALE, CHANNELS, fold_channels
from covid_cxr.weights.initial_weights import load_file

# Of ImageNet's pixels on [0, 1], the mean of the channels (0.229, 0.224, 0.225); as
# Keras applications state it for their mode "torch".
_IMAGENET_SD = 0.226
_SIGNED = 2 * _IMAGENET_SD  # where pixels were taken from -1 to 1, their mode "tf"


@dataclass(frozen=True, kw_only=True)
class Application:
    """How a network of Keras applications takes its input.

    Attributes:
        input_sd: Standard deviation of the pixels that its weights were trained with:
            1 where they were normalised, as ours are.
        options: Further arguments of its function in `keras.applications`.
    """

    input_sd: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)


_UNSCALED = {"include_preprocessing": False}

# By the name in keras.applications; another one is a line here.
APPLICATIONS: Mapping[str, Application] = {
    "DenseNet169": Application(),
    "DenseNet201": Application(),
    "ResNet50V2": Application(input_sd=_SIGNED),
    "ResNet101V2": Application(input_sd=_SIGNED),
    "EfficientNetV2B0": Application(options=_UNSCALED),
    "EfficientNetV2B1": Application(options=_UNSCALED),
    "EfficientNetV2S": Application(input_sd=_SIGNED, options=_UNSCALED),
    "ConvNeXtTiny": Application(options=_UNSCALED),
    "ConvNeXtSmall": Application(options=_UNSCALED),
    "MobileNetV2": Application(input_sd=_SIGNED),
}


def application_body(name: str, *, size_px: int, weights: str) -> Any:
    """Return the layers until the feature maps, (n, size, size, 1) to four axes.

    Args:
        name: One of `APPLICATIONS`.
        size_px: Height and width of the input.
        weights: "imagenet", "none" or a file of Keras applications without its top.

    Raises:
        ValueError: If the images are too small, or a file is missing or holds another
            network.
        OSError: If the ImageNet weights cannot be downloaded.
    """
    empty = _build(name, size_px=size_px, n_channels=1, weights=None)
    if weights == "none":
        return _flat(empty, input_scale=None)
    scale = CHANNEL_SCALE * APPLICATIONS[name].input_sd
    body = _flat(empty, input_scale=scale)
    trained = _trained(name, size_px, weights)
    # By place: Keras numbers layers without a name of their own through all networks.
    for own, theirs in zip(_layers(empty), _layers(trained), strict=True):
        arrays = theirs.get_weights()
        if hasattr(theirs, "kernel") and own.kernel.shape != theirs.kernel.shape:
            arrays[0] = fold_channels(arrays[0])  # the first
        if arrays:
            body.get_layer(own.name).set_weights(arrays)
    return body


def _build(name: str, *, size_px: int, n_channels: int, weights: str | None) -> Any:
    import keras

    try:
        return getattr(keras.applications, name)(
            include_top=False,
            weights=weights,
            input_shape=(size_px, size_px, n_channels),
            **APPLICATIONS[name].options,
        )
    except ValueError as error:
        raise ValueError(
            f"{name} cannot be built for images of {size_px} px: {error}. Enlarge "
            "network.size_px and curation.size_px."
        ) from error


def _trained(name: str, size_px: int, weights: str) -> Any:
    """Return the network for three channels with its trained weights."""
    if weights != "imagenet":
        trained = _build(name, size_px=size_px, n_channels=CHANNELS, weights=None)
        load_file(trained, Path(weights))
        return trained
    try:
        return _build(name, size_px=size_px, n_channels=CHANNELS, weights="imagenet")
    except ValueError:
        raise
    except Exception as error:  # Keras raises a bare Exception when the network fails
        raise OSError(
            f"The ImageNet weights of {name} could not be downloaded ({error}). Allow "
            "the download, give network.weights a file in the Keras applications "
            "format (without its top), or set it to none."
        ) from error


def _flat(model: Any, *, input_scale: float | None) -> Any:
    """Return the same layers, without models among them and without random drops.

    Args:
        model: Of Keras applications.
        input_scale: What the first convolution's input is multiplied by; None: 1.
    """
    import keras

    first = next(layer.name for layer in _layers(model) if hasattr(layer, "kernel"))

    def rebuild(layer: Any) -> Any:
        config = layer.get_config()
        if isinstance(layer, keras.layers.Dropout):
            config["rate"] = 0.0
        return type(layer).from_config(config)

    def call(layer: Any, *inputs: Any, **_: Any) -> Any:  # a mask, always None
        members = layer.layers if isinstance(layer, keras.Sequential) else [layer]
        members = [m for m in members if not isinstance(m, keras.layers.InputLayer)]
        for member in members:
            if member.name == first and input_scale is not None:
                scale = keras.layers.Rescaling(input_scale, name="as_three_channels")
                inputs = (scale(*inputs),)
            inputs = (member(*inputs),)
        return inputs[0]

    flat = keras.models.clone_model(model, clone_function=rebuild, call_function=call)
    return keras.Model(flat.input, flat.output, name="body")


def _layers(model: Any) -> list[Any]:
    """Return the layers of a model, those of models within it in their place."""
    import keras

    found = []
    for layer in model.layers:
        found += _layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found
