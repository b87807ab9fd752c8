"""The network of a bundle: images to log odds and feature maps, by onnxruntime."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOG_ODDS, FEATURE_MAPS = "log_odds", "feature_maps"


class Network(Protocol):
    """What gives the log odds of images: ours, or the Keras model that it was made of.

    Called with the network's input (n, size, size, 1), float32, it returns log odds
    (n,) and the last feature maps (n, height, width, channels).
    """

    def __call__(self, images: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return log odds and feature maps."""
        ...


class OnnxNetwork:
    """A network in the Open Neural Network Exchange format."""

    def __init__(self, content: bytes) -> None:
        """Prepare the network; it computes in one thread.

        Args:
            content: Of the .onnx file; its outputs are LOG_ODDS and FEATURE_MAPS.
        """
        import onnxruntime  # noqa: PLC0415 - takes longer than all else here

        onnxruntime.disable_telemetry_events()  # where patients are, nothing calls home
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        self._session: Any = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, images: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return log odds (n,) and feature maps (n, height, width, channels).

        One image after the other: no number depends on what stands beside it, and a
        core takes longer for the images of a batch (`benchmarks/prediction_speed.py`).
        """
        told = [
            self._session.run([LOG_ODDS, FEATURE_MAPS], {self._input: one[np.newaxis]})
            for one in images
        ]
        log_odds, maps = (
            np.concatenate(part, dtype=np.float64) for part in zip(*told, strict=True)
        )
        return log_odds[:, 0], maps


def pooled(feature_maps: Floats) -> Floats:
    """Return the features (n, channels) that the head takes."""
    return np.asarray(feature_maps.mean(axis=(1, 2)))


def activation_maps(feature_maps: Floats, kernel: NDArray[np.floating]) -> Floats:
    """Return the class activation maps (n, height, width) on [0, 1].

    They are Grad-CAM's of the last feature maps (`saliency.grad_cam`): the head takes
    their means, so that its kernel is the gradient.

    Args:
        feature_maps: Shape (n, height, width, channels).
        kernel: Of the head, shape (channels, 1).
    """
    positive = np.maximum(feature_maps @ np.asarray(kernel, np.float64)[:, 0], 0)
    largest = positive.max(axis=(1, 2), keepdims=True)
    return np.asarray(positive / np.where(largest > 0, largest, 1))
