"""How alike maps are: their structural similarity, 1 for the same map.

Wang et al., IEEE Trans Image Process 2004;13:600. Smooth maps of few elements are never
quite unlike; so a similarity is to be held against that of maps of different images.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Their window and their constants for values on [0, 1].
_WINDOW_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2
_SHOWN_PX = 64  # maps are compared at this size, whatever a layer's


def similarities(first: Floats, second: Floats) -> Floats:
    """Return the structural similarity of each pair of maps, shape (n,).

    Args:
        first: On [0, 1], shape (n, height, width).
        second: Likewise.
    """
    return np.array([_similarity(a, b) for a, b in zip(first, second, strict=True)])


def similarity_between_images(maps: Floats) -> float:
    """Return the mean similarity of each image's map and the next image's.

    NaN for fewer than two images.

    Args:
        maps: On [0, 1], in random order, shape (n, height, width).
    """
    if len(maps) < 2:
        return float("nan")
    return float(similarities(maps, np.roll(maps, 1, axis=0)).mean())


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
