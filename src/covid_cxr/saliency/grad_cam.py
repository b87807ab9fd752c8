"""Where a classifier looks: Grad-CAM (Selvaraju et al., ICCV 2017) and its kin.

A map is the feature maps of a layer, summed with a weight per channel, rectified and
divided by its maximum. Grad-CAM's weight of a channel is the mean gradient of the
output in that channel. Where a layer is followed by global average pooling and one
sigmoid layer, that gradient is the sigmoid layer's weight times a positive factor of
the image, which the division removes: one forward pass then gives the same map, the
class activation map (Zhou et al., CVPR 2016).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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


def class_activation_map(classifier: Any, images: NDArray[np.float32]) -> Floats:
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
) -> Floats:
    """Return one map per image for one output, on [0, 1], shape (n, height, width).

    Args:
        classifier: A Keras model that ends in a dense layer.
        images: The network's input, shape (n, size, size, 1).
        layer: Name of a layer with feature maps (n, height, width, channels).
        output: Which of the classifier's outputs, from 0.

    Raises:
        ValueError: If there is no such layer.
    """
    feature_maps, gradients = _gradients(classifier, images, layer, output)
    weights = gradients.mean(axis=(1, 2), keepdims=True)  # (n, 1, 1, channels)
    return _rectified((weights * feature_maps).sum(axis=-1))


def grad_cam_plus_plus(
    classifier: Any, images: NDArray[np.float32], *, layer: str, output: int
) -> Floats:
    """Return the maps of Grad-CAM++ (Chattopadhay et al., WACV 2018), as `grad_cam`.

    A place counts the more, the fewer places of its channel raise the output, so that
    several small findings weigh as much as one large. The higher derivatives of the
    exponential of the log odds are powers of the gradient there (their Equation 19).
    """
    feature_maps, gradients = _gradients(classifier, images, layer, output)
    total = feature_maps.sum(axis=(1, 2), keepdims=True)
    squared = gradients**2
    below = 2 * squared + total * squared * gradients
    share = np.divide(squared, below, where=below != 0, out=np.zeros_like(below))
    raising = np.maximum(gradients, 0)
    weights = (share * raising).sum(axis=(1, 2), keepdims=True)
    return _rectified((weights * feature_maps).sum(axis=-1))


def hires_cam(
    classifier: Any, images: NDArray[np.float32], *, layer: str, output: int
) -> Floats:
    """Return the maps of HiResCAM (Draelos and Carin 2020), as `grad_cam`.

    Each place has its own gradient, so that a map never shows places that did not
    raise the output. Before global average pooling it is Grad-CAM.
    """
    feature_maps, gradients = _gradients(classifier, images, layer, output)
    return _rectified((gradients * feature_maps).sum(axis=-1))


METHODS: Mapping[str, Callable[..., Floats]] = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "hires_cam": hires_cam,
}


def explain(
    classifier: Any, images: NDArray[np.float32], *, method: str, layer: str | None
) -> Floats:
    """Return one map per image for the first output, shape (n, height, width).

    Grad-CAM of the layer before pooling takes one forward pass and no gradient.

    Args:
        classifier: A Keras model of this project.
        images: The network's input, shape (n, size, size, 1).
        method: One of `METHODS`.
        layer: Name of a layer with feature maps; None for the last before pooling.

    Raises:
        ValueError: If there is no such method or layer.
    """
    if method not in METHODS:
        raise ValueError(
            f"The method of saliency must be one of {', '.join(METHODS)}, got "
            f"{method!r}; correct it in parameters_phase3.yml."
        )
    if method == "grad_cam" and layer in {None, _pooled_layer(classifier)}:
        return class_activation_map(classifier, images)[..., 0]
    name = layer or explained_layer(classifier)
    return METHODS[method](classifier, images, layer=name, output=0)


def _pooled_layer(classifier: Any) -> str | None:
    """Return the layer that is pooled for the head, or None where there is none."""
    try:
        return explained_layer(classifier)
    except ValueError:
        return None


def _gradients(
    classifier: Any, images: NDArray[np.float32], layer: str, output: int
) -> tuple[Floats, Floats]:
    """Return a layer's feature maps and the gradient of an output in them.

    Both have the shape (n, height, width, channels). The gradient is of the log odds:
    that of a sure network's sigmoid is zero in single precision, and the two differ by
    a positive factor per image only.
    """
    import keras
    import tensorflow as tf

    head = classifier.layers[-1]
    feature_layer = classifier.get_layer(layer)
    both = keras.Model(classifier.input, [feature_layer.output, head.input])
    with tf.GradientTape() as tape:
        feature_maps, pooled = both(images, training=False)
        log_odds = tf.linalg.matvec(pooled, head.kernel.value[:, output])
    gradients = tape.gradient(log_odds, feature_maps)
    return (
        feature_maps.numpy().astype(np.float64),
        gradients.numpy().astype(np.float64),
    )


def _rectified(maps: Floats) -> Floats:
    """Return maps from 0 to 1, without what was negative.

    A map that is nowhere positive is all zero: nothing in the image speaks for a case.

    Args:
        maps: Shape (n, height, width), or one more axis for labels.
    """
    positive = np.maximum(maps, 0)
    largest = positive.max(axis=(1, 2), keepdims=True)
    return np.asarray(positive / np.where(largest > 0, largest, 1))
