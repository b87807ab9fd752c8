"""Where a classifier looks: Grad-CAM (Selvaraju et al., ICCV 2017) and its kin.

A map is the feature maps of a layer, summed with a weight per channel, rectified and
divided by its maximum. Grad-CAM's weight of a channel is the mean gradient of the
output in that channel. Where a layer is followed by global average pooling and one
sigmoid layer, that gradient is the sigmoid layer's weight times a positive factor of
the image, which the division removes: one forward pass then gives the same map, the
class activation map (Zhou et al., CVPR 2016).

The network is called as it is, layer by layer: to trace it takes as long as the maps of
a whole test part of small images, and no time is won on large ones.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from covid_cxr.checks import check_word

Floats = NDArray[np.float64]
Images = NDArray[np.float32]
Explain = Callable[[Images], Floats]  # (n, size, size, 1) to maps (n, height, width)


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
            "GlobalAveragePooling2D and Dense. Name a layer with feature maps in "
            "saliency.layer."
        )
    return str(classifier.layers[-3].name)


def class_activation_map(classifier: Any, images: Images) -> Floats:
    """Return one map per image and label, on [0, 1], shape (n, height, width, labels).

    Args:
        classifier: A Keras model that ends in global average pooling and a dense layer.
        images: The network's input, shape (n, size, size, 1).

    Raises:
        ValueError: If the model ends otherwise.
    """
    features = _features(classifier, explained_layer(classifier))
    return _activation(classifier, features, images)


def grad_cam(feature_maps: Floats, gradients: Floats) -> Floats:
    """Return Grad-CAM's maps before they are rectified, shape (n, height, width).

    Args:
        feature_maps: Of a layer, shape (n, height, width, channels).
        gradients: Of the log odds in them, the same shape.
    """
    weights = gradients.mean(axis=(1, 2), keepdims=True)  # (n, 1, 1, channels)
    return np.asarray((weights * feature_maps).sum(axis=-1))


def grad_cam_plus_plus(feature_maps: Floats, gradients: Floats) -> Floats:
    """Return the maps of Grad-CAM++ (Chattopadhay et al., WACV 2018), as `grad_cam`.

    A place counts the more, the fewer places of its channel raise the output, so that
    several small findings weigh as much as one large. The higher derivatives of the
    exponential of the log odds are powers of the gradient there (their Equation 19).
    """
    total = feature_maps.sum(axis=(1, 2), keepdims=True)
    squared = gradients**2
    below = 2 * squared + total * squared * gradients
    share = np.divide(squared, below, where=below != 0, out=np.zeros_like(below))
    raising = np.maximum(gradients, 0)
    weights = (share * raising).sum(axis=(1, 2), keepdims=True)
    return np.asarray((weights * feature_maps).sum(axis=-1))


def hires_cam(feature_maps: Floats, gradients: Floats) -> Floats:
    """Return the maps of HiResCAM (Draelos and Carin 2020), as `grad_cam`.

    Each place has its own gradient, so that a map never shows places that did not
    raise the output. Before global average pooling it is Grad-CAM.
    """
    return np.asarray((gradients * feature_maps).sum(axis=-1))


METHODS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "hires_cam": hires_cam,
}


def explainer(
    classifier: Any, *, method: str, layer: str | None, output: int = 0
) -> Explain:
    """Return the function from images to their maps on [0, 1], for one output.

    The part of the network that it needs is built once, here. It reads the weights
    each time it is called, so that it follows a classifier whose weights change.
    Grad-CAM of the layer before pooling takes one forward pass and no gradient.

    Args:
        classifier: A Keras model of this project.
        method: One of `METHODS`.
        layer: Name of a layer with feature maps; None for the last before pooling.
        output: Which of the classifier's outputs, from 0.

    Raises:
        ValueError: If there is no such method, or no such layer with feature maps.
    """
    check_word("method", method, METHODS, place="`pointing` or `saliency` of the phase")
    name = layer or explained_layer(classifier)
    if method == "grad_cam" and name == _pooled_layer(classifier):
        features = _features(classifier, name)
        return lambda images: _activation(classifier, features, images)[..., output]
    combine, differentiate = METHODS[method], _differentiator(classifier, name, output)
    return lambda images: _rectified(combine(*differentiate(images)))


def _pooled_layer(classifier: Any) -> str | None:
    """Return the layer that is pooled for the head, or None where there is none."""
    try:
        return explained_layer(classifier)
    except ValueError:
        return None


def _features(classifier: Any, layer: str) -> Any:
    """Return the Keras model from images to the feature maps of a layer."""
    import keras

    return keras.Model(classifier.input, classifier.get_layer(layer).output)


def _activation(classifier: Any, features: Any, images: Images) -> Floats:
    """Return the class activation maps (n, height, width, labels)."""
    weights = classifier.layers[-1].kernel.numpy().astype(np.float64)
    return _rectified(_as_array(features(images, training=False)) @ weights)


def _differentiator(
    classifier: Any, layer: str, output: int
) -> Callable[[Images], tuple[Floats, Floats]]:
    """Return the function to a layer's feature maps and an output's gradient in them.

    Both have the shape (n, height, width, channels). The gradient is of the log odds:
    that of a sure network's sigmoid is zero in single precision, and the two differ by
    a positive factor per image only.
    """
    import keras
    import tensorflow as tf

    head = classifier.layers[-1]
    feature_layer = _feature_layer(classifier, layer)
    both = keras.Model(classifier.input, [feature_layer.output, head.input])

    def differentiate(images: Images) -> tuple[Floats, Floats]:
        with tf.GradientTape() as tape:
            feature_maps, pooled = both(images, training=False)
            log_odds = tf.linalg.matvec(pooled, head.kernel.value[:, output])
        gradients = tape.gradient(log_odds, feature_maps)
        return _as_array(feature_maps), _as_array(gradients)

    return differentiate


def _feature_layer(classifier: Any, name: str) -> Any:
    """Return a layer that has feature maps.

    Raises:
        ValueError: If there is none of this name.
    """
    layers = {
        layer.name: layer
        for layer in classifier.layers[1:]
        if len(layer.output.shape) == 4
    }
    if name not in layers:
        raise ValueError(
            f"The classifier has no layer {name!r} with feature maps; its last ones "
            f"are {', '.join(list(layers)[-5:])}. Correct saliency.layer."
        )
    return layers[name]


def _as_array(tensor: Any) -> Floats:
    return np.asarray(tensor.numpy(), dtype=np.float64)


def _rectified(maps: Floats) -> Floats:
    """Return maps from 0 to 1, without what was negative.

    A map that is nowhere positive is all zero: nothing in the image speaks for a case.

    Args:
        maps: Shape (n, height, width), or one more axis for labels.
    """
    positive = np.maximum(maps, 0)
    largest = positive.max(axis=(1, 2), keepdims=True)
    return np.asarray(positive / np.where(largest > 0, largest, 1))
