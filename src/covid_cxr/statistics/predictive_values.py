"""Predictive values of classifiers at a stated prevalence, with their covariance.

At a prevalence with the odds o, and with r the sensitivity and w one minus the
specificity, PPV = ro / (ro + w); NPV likewise with the classes exchanged. What an
image adds is the derivative by its weight, summed by patient as for areas (`auc`), so
that intervals (on log odds: Mercaldo et al., Stat Med 2007;26:2170), paired tests and
tests against a margin are those of `AucEstimates`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import (
    AucEstimates,
    as_codes,
    as_truth,
    check_classes,
    estimates_from,
    sum_by_patient,
)

Floats = NDArray[np.float64]


def estimate_predictive_values(
    is_case: ArrayLike, is_called: ArrayLike, *, prevalence: float, cluster: Any
) -> tuple[AucEstimates, AucEstimates]:
    """Return the positive and the negative predictive values of k classifiers.

    NaN where a classifier calls nothing, or everything.

    Args:
        is_case: Boolean, shape (n,).
        is_called: Whether each classifier calls the image positive, shape (n, k).
        prevalence: Of cases where the classifiers are to be used, in (0, 1).
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If the prevalence is none, a class is missing, or lengths differ.
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"The prevalence must lie between 0 and 1, got {prevalence}")
    truth = as_truth(is_case)
    check_classes(truth)
    called = np.asarray(is_called)
    if called.ndim != 2 or len(called) != len(truth) or called.dtype != np.bool_:
        raise ValueError(
            f"is_called must be one boolean per image and classifier, for "
            f"{len(truth)} images; got shape {called.shape} of {called.dtype}."
        )
    codes = as_codes(cluster, len(truth))
    odds = prevalence / (1 - prevalence)
    return (
        _estimate(truth, called.T, odds, codes),
        _estimate(~truth, ~called.T, 1 / odds, codes),
    )


def _estimate(
    truth: NDArray[np.bool_],
    called: NDArray[np.bool_],
    odds: float,
    codes: NDArray[np.int64],
) -> AucEstimates:
    """Return the share of `truth` among the `called`, shape (k, n), at its odds."""
    right = called[:, truth].mean(axis=1)[:, np.newaxis]
    wrong = called[:, ~truth].mean(axis=1)[:, np.newaxis]
    whole = right * odds + wrong
    whole = np.where(whole > 0, whole, np.nan)
    added = np.where(
        truth,
        odds * wrong / whole**2 * (called - right),
        -odds * right / whole**2 * (called - wrong),
    )
    names = tuple(f"model {k + 1}" for k in range(len(called)))
    share = (right * odds / whole)[:, 0]
    sums = sum_by_patient(added, truth, codes)
    # Pairs in order bound an area, but no predictive value.
    return replace(estimates_from(names, share, sums), n_independent_pairs=0)
