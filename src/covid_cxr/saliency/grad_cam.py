"""Where a classifier looks: Grad-CAM (Selvaraju et al., ICCV 2017).

A map is the feature maps of a layer, summed with a weight per channel, rectified and
divided by its maximum. Grad-CAM's weight of a channel is the mean gradient of the
output in that channel. Where a layer is followed by global average pooling and one
sigmoid layer, that gradient is the sigmoid layer's weight times a positive factor of
the image, which the division removes: one forward pass then gives the same map, the
class activation map (Zhou et al., CVPR 2016).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def explained_layer(classifier: Any) -> str:
    """Return the name of the layer whose feature maps are pooled for the head.

    Raises:
        ValueError: If the Keras model does not end in global average pooling and one
            dense layer.
    """
    kinds = [type(layer).__name__ for layer in classifier.layers[-2:]]
    if kinds != ["GlobalAveragePooling2D", "Dense"]:
        raise ValueError(
            f"The classifier ends in {' and '.join(kinds)}, expected "
            "GlobalAveragePooling2D and Dense. Use grad_cam with a layer's name."
        )
    return str(classifier.layers[-3].name)


def class_activation_map(
    classifier: Any, images: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return one map per image and label, on [0, 1], shape (n, height, width, labels).

    Args:
        classifier: A Keras model that ends in global average pooling and a dense layer.
        images: The network's input, shape (n, size, size, 1).

    Raises:
        ValueError: If the model ends otherwise.
    """
    import keras

    layer = classifier.get_layer(explained_layer(classifier))
    feature_maps = keras.Model(classifier.input, layer.output)(images, training=False)
    weights = classifier.layers[-1].kernel.numpy().astype(np.float64)
    return _rectified(feature_maps.numpy().astype(np.float64) @ weights)


def grad_cam(
    classifier: Any, images: NDArray[np.float32], *, layer: str, output: int
) -> NDArray[np.float64]:
    """Return one map per image for one output, on [0, 1], shape (n, height, width).

    Args:
        classifier: A Keras model that ends in a dense layer.
        images: The network's input, shape (n, size, size, 1).
        layer: Name of a layer with feature maps (n, height, width, channels).
        output: Which of the classifier's outputs, from 0.

    Raises:
        ValueError: If there is no such layer.
    """
    import keras
    import tensorflow as tf

    head = classifier.layers[-1]
    feature_layer = classifier.get_layer(layer)
    both = keras.Model(classifier.input, [feature_layer.output, head.input])
    with tf.GradientTape() as tape:
        feature_maps, pooled = both(images, training=False)
        # Of the log odds: the gradient of a sure network's sigmoid is zero in single
        # precision, and the two differ by a positive factor per image only.
        log_odds = tf.linalg.matvec(pooled, head.kernel.value[:, output])
    gradients = tape.gradient(log_odds, feature_maps)
    weights = gradients.numpy().astype(np.float64).mean(axis=(1, 2))  # (n, channels)
    maps = np.einsum("nhwc,nc->nhw", feature_maps.numpy(), weights)
    return _rectified(maps[..., np.newaxis])[..., 0]


def _rectified(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return maps (n, height, width, labels) from 0 to 1, without what was negative.

    A map that is nowhere positive is all zero: nothing in the image speaks for a case.
    """
    positive = np.maximum(maps, 0)
    largest = positive.max(axis=(1, 2), keepdims=True)
    return positive / np.where(largest > 0, largest, 1)
