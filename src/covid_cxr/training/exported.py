"""A classifier for others: as ONNX and safetensors, and as it is, called alike."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from covid_cxr.devices.backend import deterministic_tensorflow
from covid_cxr.prediction.network import FEATURE_MAPS, LOG_ODDS
from covid_cxr.training.traced import traced_network

Floats = NDArray[np.float64]

_POOL, _HEAD = "GlobalAveragePooling2D", "Dense"


class KerasNetwork:
    """A classifier of one label as `prediction.Network`: the numbers of a study."""

    def __init__(self, classifier: Any) -> None:
        """Take the Keras model `classifier`, which stays as it is.

        Raises:
            ValueError: If it does not end in global average pooling and one output.
        """
        self._classifier = classifier
        self._maps = _feature_maps(classifier)

    def __call__(self, images: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return log odds (n,) and the last feature maps (n, height, width, channels).

        Args:
            images: The network's input, shape (n, size, size, 1).
        """
        network = traced_network(self._classifier)
        with network.lock:
            network.put(self._classifier.get_weights())
            log_odds = network.predict([(images, None)])[:, 0]
        maps = self._maps(images, training=False).numpy()
        return log_odds, maps.astype(np.float64)


def as_onnx(classifier: Any) -> bytes:
    """Return the network as ONNX: images to log odds and the last feature maps.

    Log odds and not the sigmoid, so that images of which the classifier is very sure
    are still told apart.

    Args:
        classifier: A Keras model of this project, of one label.

    Raises:
        ValueError: If it does not end in global average pooling and one output.
        ImportError: If tf2onnx and onnx are not installed.
    """
    deterministic_tensorflow()
    import keras
    import onnx  # noqa: PLC0415 - of the extra `study`

    head = classifier.layers[-1]
    linear = keras.layers.Dense(1, name=LOG_ODDS)
    outputs = [linear(head.input), _feature_maps(classifier).output]
    exported = keras.Model(classifier.input, outputs)
    linear.set_weights(head.get_weights())
    exported(np.zeros((1, *classifier.input_shape[1:]), np.float32))
    with (
        tempfile.TemporaryDirectory(prefix="covid_cxr_") as folder,
        warnings.catch_warnings(),
    ):
        # Keras asks NumPy for a name that tf2onnx used to need.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        place = Path(folder) / "model.onnx"
        exported.export(place, format="onnx", verbose=False)
        model = onnx.load(place)
    _rename_outputs(model.graph)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def as_safetensors(classifier: Any) -> bytes:
    """Return the weights by their paths in the Keras model, as "findings/kernel"."""
    weights = {
        one.path: np.ascontiguousarray(one.numpy()) for one in classifier.weights
    }
    return bytes(save(weights))


def _feature_maps(classifier: Any) -> Any:
    """Return the Keras model from images to what is pooled for the head."""
    import keras

    kinds = [type(layer).__name__ for layer in classifier.layers[-2:]]
    if kinds != [_POOL, _HEAD] or classifier.output_shape[-1] != 1:
        raise ValueError(
            f"The classifier ends in {' and '.join(kinds)} with "
            f"{classifier.output_shape[-1]} outputs, expected {_POOL} and {_HEAD} with "
            f"one; a bundle is made of such a classifier only."
        )
    return keras.Model(classifier.input, classifier.layers[-2].input)


def _rename_outputs(graph: Any) -> None:
    """Name outputs by what they are, and leave out numbers that Keras counts up."""
    for output, name in zip(graph.output, (LOG_ODDS, FEATURE_MAPS), strict=True):
        for node in graph.node:
            node.output[:] = [name if o == output.name else o for o in node.output]
            node.input[:] = [name if i == output.name else i for i in node.input]
        output.name = name
    for end in (*graph.input, *graph.output):
        end.type.tensor_type.shape.dim[0].dim_param = "n_images"
