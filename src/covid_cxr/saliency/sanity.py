"""Whether a saliency map deserves to be shown (Adebayo et al., NeurIPS 2018).

A map that stays as it is when the network forgets what it has learned shows the image,
not the network. Layers are randomised one after the other from the head down, and the
maps of every state are compared with those of the trained network by their structural
similarity. Where a map's energy lies is measured against regions of the image.
"""

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Explain = Callable[[Any, NDArray[np.float32]], Floats]

# Wang et al., IEEE Trans Image Process 2004;13:600: window and constants for [0, 1].
_WINDOW_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2
_SHOWN_PX = 64  # maps are compared at this size, whatever a layer's


def randomisation_test(
    classifier: Any, images: NDArray[np.float32], *, explain: Explain, seed: int
) -> pd.DataFrame:
    """Return how similar maps stay while layers are randomised, head first.

    Columns: `layer` (the last one that was randomised), `n_randomised`, `similarity`
    (mean over images of the structural similarity to the trained network's maps).

    Args:
        classifier: A Keras model. It stays as it is.
        images: The network's input, shape (n, size, size, 1).
        explain: Maps (n, height, width) of a classifier and images.
        seed: Of the random weights.
    """
    import keras

    trained = explain(classifier, images)
    forgetful = keras.models.clone_model(classifier)
    forgetful.set_weights(classifier.get_weights())
    rows = []
    for number, layer in enumerate(_randomised(forgetful, seed=seed), start=1):
        maps = explain(forgetful, images)
        rows.append(
            {
                "layer": layer,
                "n_randomised": number,
                "similarity": float(np.mean(similarities(trained, maps))),
            }
        )
    return pd.DataFrame(rows)


def similarities(first: Floats, second: Floats) -> Floats:
    """Return the structural similarity of each pair of maps, shape (n,).

    Args:
        first: On [0, 1], shape (n, height, width).
        second: Likewise.
    """
    return np.array([_similarity(a, b) for a, b in zip(first, second, strict=True)])


def energy_share(maps: Floats, region: NDArray[np.bool_]) -> Floats:
    """Return the share of each map's sum that lies in a region, shape (n,).

    NaN for a map that is zero everywhere.

    Args:
        maps: Not negative, shape (n, height, width).
        region: Shape (h, w) for all maps, or (n, h, w); brought to the maps' size.
    """
    height, width = maps.shape[1:]
    regions = (region[np.newaxis] if region.ndim == 2 else region).astype(np.float64)
    size = (width, height)
    inside = np.stack(
        [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in regions]
    )
    total = maps.sum(axis=(1, 2))
    share = (maps * inside).sum(axis=(1, 2))
    return np.asarray(
        np.divide(share, total, where=total > 0, out=np.full(len(maps), np.nan))
    )


def border(size_px: int, *, share: float) -> NDArray[np.bool_]:
    """Return the frame of an image, shape (size_px, size_px).

    Args:
        size_px: Of the image.
        share: Of the size, that the frame is wide.
    """
    width = round(size_px * share)
    region = np.ones((size_px, size_px), dtype=bool)
    region[width : size_px - width, width : size_px - width] = False
    return region


def corners(size_px: int, *, share: float) -> NDArray[np.bool_]:
    """Return the four corners of an image, where markers are, (size_px, size_px).

    Args:
        size_px: Of the image.
        share: Of the size, that a corner is wide and high.
    """
    width = round(size_px * share)
    is_outer = np.ones(size_px, dtype=bool)
    is_outer[width : size_px - width] = False
    return np.outer(is_outer, is_outer)


def points_into(
    maps: Floats, boxes: list[NDArray[np.float64]], *, size_px: int
) -> NDArray[np.bool_]:
    """Return whether each map's maximum lies in a box: the pointing game, shape (n,).

    Zhang et al., ECCV 2016. The centre of the map's largest element counts.

    Args:
        maps: Shape (n, height, width).
        boxes: Of each image: x, y, width, height in pixels, shape (boxes, 4).
        size_px: Height and width of the images that the boxes refer to.
    """
    height, width = maps.shape[1:]
    row, column = np.divmod(maps.reshape(len(maps), -1).argmax(axis=1), width)
    x = (column + 0.5) * size_px / width
    y = (row + 0.5) * size_px / height
    return np.array(
        [
            bool(
                np.any(
                    (b[:, 0] <= px)
                    & (px < b[:, 0] + b[:, 2])
                    & (b[:, 1] <= py)
                    & (py < b[:, 1] + b[:, 3])
                )
            )
            for b, px, py in zip(boxes, x, y, strict=True)
        ]
    )


def _randomised(model: Any, *, seed: int) -> Iterator[str]:
    """Yield the name of each layer with a kernel, from the head, after randomising it.

    A kernel's elements are exchanged at random, so that their distribution stays.
    """
    rng = np.random.default_rng(seed)
    for layer in reversed(model.layers):
        if not hasattr(layer, "kernel"):
            continue
        kernel = layer.kernel.numpy()
        layer.kernel.assign(rng.permutation(kernel.ravel()).reshape(kernel.shape))
        yield str(layer.name)


def _similarity(first: Floats, second: Floats) -> float:
    a, b = _at_shown_size(first), _at_shown_size(second)
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a = _blur(a * a) - mean_a**2
    variance_b = _blur(b * b) - mean_b**2
    covariance = _blur(a * b) - mean_a * mean_b
    above = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    below = (mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2)
    return float(np.mean(above / below))


def _at_shown_size(image: Floats) -> Floats:
    size = (_SHOWN_PX, _SHOWN_PX)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), float)


def _blur(image: Floats) -> Floats:
    return np.asarray(
        cv2.GaussianBlur(image, (11, 11), _WINDOW_SIGMA, borderType=cv2.BORDER_REFLECT)
    )
