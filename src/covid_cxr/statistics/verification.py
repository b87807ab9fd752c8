"""Sensitivity and specificity where the reference is known of some images only.

Who is called is more often sent for the reference, so that the verified alone show a
sensitivity too high and a specificity too low (verification bias). If verification
depends on nothing but the call, and on what else is named, the unverified are as the
verified of the same kind (Begg and Greenes, Biometrics 1983;39:207). Weighting each
verified image by one over its kind's share of verified ones gives the same numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from covid_cxr.statistics.auc import as_codes, as_truth
from covid_cxr.statistics.clustered_mean import ClusteredMean, clustered_mean

Floats = NDArray[np.float64]
_NO_STRATUM = ""


@dataclass(frozen=True, kw_only=True)
class VerifiedPerformance:
    """What calls are worth among all images, verified or not.

    Attributes:
        sensitivity: With its error by patient, that of the unknown labels included.
        specificity: Likewise.
        n_verified: Images whose label is known.
    """

    sensitivity: ClusteredMean
    specificity: ClusteredMean
    n_verified: int

    def intervals(self, level: float = 0.95) -> Floats:
        """Return bounds of both, on the log odds as Begg and Greenes' are, (2, 2).

        NaN where a share is 0 or 1, or its error is unknown.
        """
        return np.array(
            [_on_log_odds(one, level) for one in (self.sensitivity, self.specificity)]
        )


def correct_for_verification(
    is_case: ArrayLike,
    is_verified: ArrayLike,
    is_called: ArrayLike,
    *,
    cluster: Any,
    stratum: ArrayLike | None = None,
) -> VerifiedPerformance:
    """Return sensitivity and specificity as if every image had been verified.

    Args:
        is_case: By the reference, boolean, shape (n,); unverified ones do not count.
        is_verified: Whether the reference is known, boolean, shape (n,).
        is_called: By the classifier, boolean, shape (n,).
        cluster: Patient of each image, shape (n,); None takes every image as one.
        stratum: What else verification depends on, as the site, shape (n,).

    Raises:
        ValueError: If lengths differ, values are no booleans, a kind of image (called
            or not, in a stratum) has none verified, or no case or control is.
    """
    truth, verified, called = map(as_truth, (is_case, is_verified, is_called))
    if not len(truth) == len(verified) == len(called):
        raise ValueError(
            f"{len(truth)} labels, {len(verified)} verifications and {len(called)} "
            f"calls were given; expected one of each per image."
        )
    kinds = pd.DataFrame({"called": called})
    own = _NO_STRATUM if stratum is None else np.asarray(stratum)
    kinds = kinds.assign(stratum=own)
    if len(set(truth[verified])) < 2:
        raise ValueError(
            f"Of {verified.sum()} verified images all are of one class; sensitivity "
            f"and specificity need both."
        )
    labels = _completed(truth, verified, kinds)
    codes = as_codes(cluster, len(truth))
    return VerifiedPerformance(
        sensitivity=_ratio(called * labels, labels, codes),
        specificity=_ratio(~called * (1 - labels), 1 - labels, codes),
        n_verified=int(verified.sum()),
    )


def _on_log_odds(share: ClusteredMean, level: float) -> tuple[float, float]:
    lower, upper = share.interval(level)
    spread = share.estimate * (1 - share.estimate)
    if not spread > 0 or np.isnan(upper):
        return np.nan, np.nan
    margin = (upper - lower) / 2 / spread
    centre = logit(share.estimate)
    return float(expit(centre - margin)), float(expit(centre + margin))


def _completed(
    truth: NDArray[np.bool_], verified: NDArray[np.bool_], kinds: pd.DataFrame
) -> Floats:
    """Return a label per image whose means are those of all images, as of verified.

    The share of cases of its kind, and of a verified image what it differs from that,
    weighted by one over the kind's share of verified ones: its influence.
    """
    grouped = kinds.assign(case=np.where(verified, truth, np.nan), known=verified)
    by_kind = grouped.groupby(["called", "stratum"])
    share = by_kind["case"].transform("mean").to_numpy(np.float64)
    if np.isnan(share).any():
        kind = kinds[np.isnan(share)].iloc[0]
        what = "called" if kind["called"] else "not called"
        where, remedy = f" in the stratum {kind['stratum']}", "join it with another"
        if kind["stratum"] == _NO_STRATUM:
            where, remedy = "", "have some of them verified"
        raise ValueError(
            f"No image that is {what} is verified{where}: nothing tells how many of "
            f"these are cases; {remedy}."
        )
    weight = 1 / by_kind["known"].transform("mean").to_numpy(np.float64)
    return np.asarray(share + np.where(verified, weight * (truth - share), 0.0))


def _ratio(found: Floats, whole: Floats, codes: NDArray[np.int64]) -> ClusteredMean:
    """Return a ratio of two means with the error of its linear part, by patient."""
    share = found.mean() / whole.mean()
    return clustered_mean(share + (found - share * whole) / whole.mean(), codes)
