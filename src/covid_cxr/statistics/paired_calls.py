"""Two classifiers at thresholds chosen elsewhere, compared on the same images.

McNemar's test (Psychometrika 1947;12:153) asks whether those images that only one of
the two calls rightly are as often the first's as the second's. Here a patient's images
are counted together, so that patients are the independent units; with one image per
patient it is McNemar's test without continuity correction.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from covid_cxr.statistics.auc import as_codes, as_matrix, as_truth, normal_quantile

# A variance below this share of that of one image is rounding error.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class ShareDifference:
    """A difference of two shares of the same images, and what is known of it.

    Attributes:
        estimate: Share that the first calls rightly minus that of the second.
        standard_error: Clustered; NaN with one patient, 0 where all patients differ
            alike.
        p_value: Two-sided; 1 where no patient's images are called differently.
        n_images: In the class.
        n_clusters: Patients among them.
    """

    estimate: float
    standard_error: float
    p_value: float
    n_images: int
    n_clusters: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the symmetric interval with Student's quantile.

        NaN where the standard error is 0, which says nothing.
        """
        normal_quantile(level)  # refuses what is no level
        if not self.standard_error > 0:
            return np.nan, np.nan
        quantile = float(stdtrit(self.n_clusters - 1, (1 + level) / 2))
        margin = quantile * self.standard_error
        return self.estimate - margin, self.estimate + margin


@dataclass(frozen=True, kw_only=True)
class PairedPerformance:
    """The first classifier's sensitivity and specificity minus the second's."""

    sensitivity: ShareDifference
    specificity: ShareDifference


@dataclass(frozen=True, kw_only=True)
class CalledCounts:
    """How many images of each patient k classifiers call positive.

    Attributes:
        cases: Of patients with cases, shape (k, patients).
        n_cases: Of each of these patients.
        controls: Of patients with controls, shape (k, patients).
        n_controls: Of each of these patients.
    """

    cases: NDArray[np.float64]
    n_cases: NDArray[np.int64]
    controls: NDArray[np.float64]
    n_controls: NDArray[np.int64]

    def compare(self, i: int, j: int) -> PairedPerformance:
        """Return how one classifier differs from another.

        Args:
            i: Position of the first.
            j: Of the second.
        """
        return PairedPerformance(
            sensitivity=_compare(self.cases[i] - self.cases[j], self.n_cases),
            specificity=_compare(self.controls[j] - self.controls[i], self.n_controls),
        )


def count_called(
    is_case: ArrayLike, is_called: ArrayLike, *, cluster: Any
) -> CalledCounts:
    """Return what is called, for comparisons of every pair of classifiers.

    Args:
        is_case: Boolean, shape (n,).
        is_called: Whether each classifier calls the image positive, shape (n, k).
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If a class is missing, lengths differ or calls are no booleans.
    """
    truth = as_truth(is_case)
    if truth.all() or not truth.any():
        raise ValueError(
            f"Sensitivity and specificity need cases and controls, got {truth.sum()} "
            f"and {(~truth).sum()}; evaluate on a larger part."
        )
    called, codes = as_calls(is_called, len(truth)), as_codes(cluster, len(truth))
    cases, n_cases = _count(called[truth], codes[truth])
    controls, n_controls = _count(called[~truth], codes[~truth])
    return CalledCounts(
        cases=cases, n_cases=n_cases, controls=controls, n_controls=n_controls
    )


def as_calls(is_called: ArrayLike, n_images: int) -> NDArray[np.bool_]:
    """Return what classifiers call positive, shape (n, k).

    Args:
        is_called: As given.
        n_images: How many images there are.

    Raises:
        ValueError: If it is not one boolean per image and classifier.
    """
    called = np.asarray(is_called)
    if called.ndim != 2 or len(called) != n_images or called.dtype != np.bool_:
        raise ValueError(
            f"is_called must be one boolean per image and classifier, for "
            f"{n_images} images; got shape {called.shape} of {called.dtype}."
        )
    return called


def compare_at(
    is_case: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    thresholds: tuple[float, float],
    cluster: Any,
) -> PairedPerformance:
    """Return how two classifiers differ at their own thresholds.

    Args:
        is_case: Boolean, shape (n,).
        first: Scores, shape (n,).
        second: Of the other classifier for the same images.
        thresholds: Of the first and the second; an image is called positive from it on.
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If a class is missing, a score is not finite or lengths differ.
    """
    truth = as_truth(is_case)
    scores, _ = as_matrix(np.stack([first, second], axis=1), n_images=len(truth))
    return count_called(truth, scores >= thresholds, cluster=cluster).compare(0, 1)


def _count(
    called: NDArray[np.bool_], codes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the called images of each patient of a class, and how many there are."""
    n_images = np.bincount(codes)
    is_there = n_images > 0
    sums = np.array([np.bincount(codes, weights=one) for one in called.T], np.float64)
    return sums[:, is_there], n_images[is_there].astype(np.int64)


def _compare(sums: NDArray[np.float64], n_images: NDArray[np.int64]) -> ShareDifference:
    """Return the mean of what images gain, -1, 0 or 1, from its sums by patient."""
    n, n_clusters = int(n_images.sum()), len(sums)
    estimate = float(sums.sum() / n)
    residuals = (sums - estimate * n_images) / n
    scale = n_clusters / (n_clusters - 1) if n_clusters > 1 else np.nan
    spread = float(sums @ sums)  # the variance of the total if neither is better
    z = float(sums.sum()) / np.sqrt(spread) if spread else 0.0
    variance = float(scale * (residuals @ residuals))
    is_nothing = variance <= _ROUNDING * spread / n**2
    return ShareDifference(
        estimate=estimate,
        standard_error=0.0 if is_nothing else float(np.sqrt(variance)),
        p_value=float(2 * ndtr(-abs(z))),
        n_images=n,
        n_clusters=n_clusters,
    )
