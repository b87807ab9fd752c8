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
    if truth.all() or not truth.any():
        raise ValueError(
            f"Sensitivity and specificity need cases and controls, got {truth.sum()} "
            f"and {(~truth).sum()}; evaluate on a larger part."
        )
    codes = as_codes(cluster, len(truth))
    called = (scores >= thresholds).astype(np.int64)
    more = called[:, 0] - called[:, 1]  # 1 where only the first calls it positive
    return PairedPerformance(
        sensitivity=_compare(more[truth], codes[truth]),
        specificity=_compare(-more[~truth], codes[~truth]),
    )


def _compare(gained: NDArray[np.int64], codes: NDArray[np.int64]) -> ShareDifference:
    """Return the mean of what each image gains, -1, 0 or 1, by patient."""
    n_images = np.bincount(codes)
    is_there = n_images > 0
    sums = np.bincount(codes, weights=gained)[is_there]
    n, n_clusters = len(gained), len(sums)
    estimate = float(gained.mean())
    residuals = (sums - estimate * n_images[is_there]) / n
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
