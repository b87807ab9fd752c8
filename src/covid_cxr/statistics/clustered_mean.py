"""Means over images, with patients as the independent units.

A mean is a ratio of sums over patients, whose variance follows from the patients'
residuals, as for shares (`proportion`). Quantiles are Student's with one degree of
freedom less than there are patients (docs/decisions/0015).
"""

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
    array = np.asarray(values, dtype=np.float64)
    if not len(array) or not np.isfinite(array).all():
        raise ValueError(
            f"A mean needs values, all of them finite; got {len(array)} with "
            f"{np.count_nonzero(~np.isfinite(array))} that are not. Leave those out."
        )
    codes = as_codes(cluster, len(array))
    estimate = float(array.mean())
    residuals = np.bincount(codes, weights=array - estimate) / len(array)
    n_clusters = len(residuals)
    scale = n_clusters / (n_clusters - 1) if n_clusters > 1 else np.nan
    variance = float(scale * (residuals @ residuals))
    is_nothing = variance <= _ROUNDING * float(array @ array) / len(array) ** 2
    return ClusteredMean(
        estimate=estimate,
        standard_error=0.0 if is_nothing else float(np.sqrt(variance)),
        n_images=len(array),
        n_clusters=n_clusters,
    )
