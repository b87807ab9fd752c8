"""What probabilities are worth as means over images, so that patients give their error.

Each function returns one value per image, whose mean is the estimate: `clustered_mean`
of the values has its interval, and of two classifiers' differences the paired test.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import as_probabilities, as_truth

Floats = NDArray[np.float64]


def brier_values(is_case: ArrayLike, probability: ArrayLike) -> Floats:
    """Return squared errors, shape (n,), whose mean is the Brier score.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).

    Raises:
        ValueError: If lengths differ or a probability is none.
    """
    truth, values = _checked(is_case, probability)
    return (values - truth) ** 2


def net_benefit_values(
    is_case: ArrayLike, probability: ArrayLike, *, threshold: float
) -> Floats:
    """Return what calling each image gains, shape (n,); the mean is the net benefit.

    At the share of cases among these images, which varies with them.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).
        threshold: Probability from which an image is called, in (0, 1).

    Raises:
        ValueError: If lengths differ, or a probability or the threshold is none.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"A threshold probability lies in (0, 1), got {threshold}")
    truth, values = _checked(is_case, probability)
    price = threshold / (1 - threshold)
    return np.where(values >= threshold, np.where(truth, 1.0, -price), 0.0)


def calibration_error_values(
    is_case: ArrayLike, probability: ArrayLike, *, n_bins: int
) -> Floats:
    """Return errors with the sign of their bin, shape (n,); the mean is the ECE.

    The expected calibration error over bins of equal width (Naeini et al., AAAI 2015).
    It is never below 0 and so too high where calibration is good, and its interval says
    little there: a mean of squares or absolute values has no error at its edge.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).
        n_bins: At least 1.

    Raises:
        ValueError: If lengths differ, a probability is none or there is no bin.
    """
    if n_bins < 1:
        raise ValueError(f"A calibration error needs at least 1 bin, got {n_bins}")
    truth, values = _checked(is_case, probability)
    bins = np.minimum((values * n_bins).astype(np.int64), n_bins - 1)
    excess = values - truth
    signs = np.sign(np.bincount(bins, weights=excess, minlength=n_bins))
    return np.asarray(signs[bins] * excess)


def _checked(
    is_case: ArrayLike, probability: ArrayLike
) -> tuple[NDArray[np.bool_], Floats]:
    truth = as_truth(is_case)
    return truth, as_probabilities(probability, n_images=len(truth))
