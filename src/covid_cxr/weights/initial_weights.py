"""The trained weights that a network starts from: of ImageNet, or of a file."""

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from covid_cxr.weights.channels import CHANNELS, fold_channels
from covid_cxr.weights.imported_weights import imported_weights, is_imported

FIRST_CONVOLUTION = "conv1_conv"

IMAGENET_NETWORKS: dict[tuple[int, ...], str] = {
    (6, 12, 24, 16): "DenseNet121",
    (6, 12, 32, 32): "DenseNet169",
    (6, 12, 48, 32): "DenseNet201",
}


def imagenet_weights(blocks: list[int]) -> list[Any]:
    """Return the weights of ImageNet for a body of `blocks`, its first kernel folded.

    Keras downloads them or takes its copy, and checks either by the published hash.

    Raises:
        OSError: If they cannot be downloaded.
    """
    import keras

    name = IMAGENET_NETWORKS[tuple(blocks)]
    try:
        trained = getattr(keras.applications, name)(
            include_top=False, weights="imagenet", input_shape=(32, 32, CHANNELS)
        )
    except Exception as error:  # Keras raises a bare Exception when the network fails
        raise OSError(
            f"The ImageNet weights of {name} could not be downloaded ({error}). Allow "
            "the download, give network.weights a file in the Keras applications "
            "format (without its top), or set it to none."
        ) from error
    return _folded(trained)


def applications_weights(body: Any, file: Path) -> list[Any]:
    """Return the weights in a file of keras.applications, the first kernel folded.

    Args:
        body: A Keras model with the layers in the file, for three channels.
        file: Without its top.

    Raises:
        ValueError: If the file is missing or holds another network.
    """
    load_file(body, file)
    return _folded(body)


def load_file(model: Any, file: Path) -> None:
    """Give a Keras model the weights in a file of keras.applications.

    Raises:
        ValueError: If the file is missing or holds another network.
    """
    if not file.is_file():
        raise ValueError(
            f"network.weights is {str(file)!r}, which is no file. Give imagenet, none, "
            "a file in the Keras applications format (without its top), or published "
            "weights as .safetensors or .npz."
        )
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers without weights in the file.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(file)
    except (ValueError, KeyError, OSError, UserWarning) as error:
        raise ValueError(
            f"{file.name} does not hold the weights of this network ({error}). Give "
            "the Keras applications file without its top, for the same network."
        ) from error


def fill_imported(body: Any, file: Path, *, input_sd: float) -> None:
    """Give the layers of `body` the published weights in a file.

    Args:
        body: A Keras model with layers named as in keras.applications.
        file: As `imported_weights` takes it.
        input_sd: Standard deviation of the pixels that the weights were trained with.

    Raises:
        ValueError: If the file cannot be read or holds another network.
    """
    shapes = {
        layer.name: [weight.shape for weight in layer.weights]
        for layer in body.layers
        if layer.weights
    }
    weights = imported_weights(file, shapes)
    # The kernel saw pixels input_sd times as far from their mean as ours.
    weights[FIRST_CONVOLUTION][0] *= np.float32(input_sd)
    for name, arrays in weights.items():
        body.get_layer(name).set_weights(arrays)


def describe_weights(weights: str) -> dict[str, str]:
    """Return what the provenance says of the initial weights: no place on a disk.

    `weights` is the file's name, "imagenet" or "none"; `weights_kind` is "imagenet",
    "none", "keras_applications" or "imported"; files also have `weights_file_sha256`.
    """
    if weights in {"imagenet", "none"}:
        return {"weights": weights, "weights_kind": weights}
    file = Path(weights)
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return {
        "weights": file.name,
        "weights_kind": "imported" if is_imported(weights) else "keras_applications",
        "weights_file_sha256": digest,
    }


def _folded(body: Any) -> list[Any]:
    first, *others = body.get_weights()
    return [fold_channels(first), *others]
