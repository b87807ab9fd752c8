"""Shares of images, with patients as the independent units.

A share is a ratio of sums over patients, whose variance follows from the patients'
residuals (Rao and Scott, Biometrics 1992;48:577); Wilson's interval then takes the
number of independent images that would have the same variance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import normal_quantile

Floats = NDArray[np.float64]

# A variance below this share of that of one image is rounding error.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """A share of images, and what is known of it.

    Attributes:
        estimate: On [0, 1].
        variance: Clustered; 0 where the estimate is 0 or 1, or all patients have the
            same share, which says nothing.
        n_images: The whole.
        n_clusters: Patients among them.
    """

    estimate: float
    variance: float
    n_images: int
    n_clusters: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Wilson's interval for the effective number of images.

        With one image a patient it is Wilson's own interval: the variance has the
        number of patients less one below, which is turned back here. Where the variance
        is 0 every patient counts as one image.
        """
        p, n = self.estimate, float(self.n_clusters)
        if self.variance > 0:
            n = p * (1 - p) / self.variance * n / (n - 1)
        n = min(n, self.n_images)
        lower, upper = wilson_bounds(p, n, normal_quantile(level))
        return float(lower), float(upper)


def wilson_bounds(
    share: ArrayLike, n: ArrayLike, quantile: ArrayLike
) -> tuple[Floats, Floats]:
    """Return Wilson's bounds of shares of `n` images, all of one shape, on [0, 1].

    Args:
        share: On [0, 1].
        n: Images, not necessarily whole; above 0.
        quantile: Standard errors that the interval reaches, not negative.
    """
    p, n, quantile = (np.asarray(v, dtype=np.float64) for v in (share, n, quantile))
    centre = (p + quantile**2 / (2 * n)) / (1 + quantile**2 / n)
    spread = np.sqrt(p * (1 - p) / n + quantile**2 / (4 * n**2))
    margin = quantile / (1 + quantile**2 / n) * spread
    return np.maximum(0.0, centre - margin), np.minimum(1.0, centre + margin)


def clustered_share(
    is_hit: NDArray[np.bool_], is_counted: NDArray[np.bool_], codes: NDArray[np.int64]
) -> tuple[Proportion, Floats]:
    """Return the share of hits among the counted images, and its error by patient.

    Args:
        is_hit: Shape (n,).
        is_counted: At least one is, shape (n,).
        codes: Patient of each image as 0, 1, …, shape (n,).

    Returns:
        The share; and each patient's part in its error, shape (patients,), of which
        variances and covariances are made.
    """
    size = int(codes.max()) + 1
    hits = np.bincount(codes, weights=is_hit & is_counted, minlength=size)
    counted = np.bincount(codes, weights=is_counted, minlength=size)
    n_images, n_clusters = int(counted.sum()), int((counted > 0).sum())
    estimate = float(hits.sum() / n_images)
    residuals = (hits - estimate * counted) / n_images
    scale = n_clusters / (n_clusters - 1) if n_clusters > 1 else np.nan
    variance = float(scale * (residuals @ residuals))
    is_nothing = variance <= _ROUNDING * estimate * (1 - estimate) / n_images
    proportion = Proportion(
        estimate=estimate,
        variance=0.0 if is_nothing else variance,
        n_images=n_images,
        n_clusters=n_clusters,
    )
    return proportion, residuals
