"""Means over images, with patients as the independent units.

A mean is a ratio of sums over patients, whose variance follows from the patients'
residuals, as for shares (`proportion`). Quantiles are Student's with one degree of
freedom less than there are patients (docs/decisions/0015).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from covid_cxr.statistics.auc import as_codes

# A variance below this share of the values' squares is rounding error.
_ROUNDING = 1e-24


@dataclass(frozen=True, kw_only=True)
class ClusteredMean:
    """A mean over images, and what is known of it.

    Attributes:
        estimate: The mean.
        standard_error: Clustered; NaN for a single patient, 0 where patients are alike.
        n_images: How many it is over.
        n_clusters: Patients among them.
    """

    estimate: float
    standard_error: float
    n_images: int
    n_clusters: int

    @property
    def p_value(self) -> float:
        """Two-sided, of "the mean is 0"; 1 where every value is 0, else NaN likewise.

        For paired differences.
        """
        if not self.standard_error > 0:
            is_zero = self.standard_error == 0 and self.estimate == 0
            return 1.0 if is_zero else np.nan
        t = abs(self.estimate) / self.standard_error
        return float(2 * stdtr(self.n_clusters - 1, -t))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval that covers at `level`.

        NaN for a single patient, and where the standard error is 0: values that are
        all alike do not say how much others would differ.
        """
        if self.standard_error == 0:
            return np.nan, np.nan
        quantile = float(stdtrit(self.n_clusters - 1, (1 + level) / 2))
        margin = quantile * self.standard_error
        return self.estimate - margin, self.estimate + margin


@dataclass(frozen=True, kw_only=True)
class ClusteredMeans:
    """Means of k values of the same images, each pair of which may be compared.

    Attributes:
        estimates: Shape (k,).
        residuals: What each patient adds to their errors, shape (k, patients).
        squares: Mean square of the values over the number of images, shape (k,); what
            rounding is told by.
        n_images: How many they are over.
    """

    estimates: NDArray[np.float64]
    residuals: NDArray[np.float64]
    squares: NDArray[np.float64]
    n_images: int

    def mean(self, k: int) -> ClusteredMean:
        """Return one of them, as `clustered_mean` of its values."""
        return self._of(self.estimates[k], self.residuals[k], self.squares[k])

    def compare(self, i: int, j: int) -> ClusteredMean:
        """Return one minus another, as `clustered_mean` of their differences."""
        # No more than the squares of the differences; of what is alike, exactly 0.
        residuals = self.residuals[i] - self.residuals[j]
        estimate = self.estimates[i] - self.estimates[j]
        return self._of(estimate, residuals, self.squares[i] + self.squares[j])

    def _of(
        self, estimate: float, residuals: NDArray[np.float64], squares: float
    ) -> ClusteredMean:
        n_clusters = len(residuals)
        scale = n_clusters / (n_clusters - 1) if n_clusters > 1 else np.nan
        # Not `@`, whose threads wait for each other where others work, too.
        variance = float(scale * np.einsum("i,i->", residuals, residuals))
        is_nothing = variance <= _ROUNDING * squares
        return ClusteredMean(
            estimate=float(estimate),
            standard_error=0.0 if is_nothing else float(np.sqrt(variance)),
            n_images=self.n_images,
            n_clusters=n_clusters,
        )


def clustered_means(
    values: Sequence[ArrayLike], cluster: NDArray[Any] | pd.Series
) -> ClusteredMeans:
    """Return means of several values of each image, with patients as the unit.

    Args:
        values: k times finite values, at least one, shape (n,) each.
        cluster: Patient of each image, shape (n,).

    Raises:
        ValueError: If there is no value, one is not finite, or lengths differ.
    """
    arrays = np.stack([np.asarray(one, dtype=np.float64) for one in values])
    n_images = arrays.shape[1]
    if not n_images or not np.isfinite(arrays).all():
        raise ValueError(
            f"A mean needs values, all of them finite; got {n_images} with "
            f"{np.count_nonzero(~np.isfinite(arrays))} that are not. Leave those out."
        )
    codes = as_codes(cluster, n_images)
    estimates = arrays.mean(axis=1)
    residuals = [
        np.bincount(codes, weights=one - estimate) / n_images
        for one, estimate in zip(arrays, estimates, strict=True)
    ]
    return ClusteredMeans(
        estimates=estimates,
        residuals=np.stack(residuals),
        squares=np.einsum("kn,kn->k", arrays, arrays) / n_images**2,
        n_images=n_images,
    )


def clustered_mean(
    values: ArrayLike, cluster: NDArray[Any] | pd.Series
) -> ClusteredMean:
    """Return the mean of `values`, with images of one patient taken together.

    Args:
        values: Finite, at least one, shape (n,).
        cluster: Patient of each image, shape (n,).

    Raises:
        ValueError: If there is no value, one is not finite, or lengths differ.
    """
    return clustered_means([values], cluster).mean(0)
