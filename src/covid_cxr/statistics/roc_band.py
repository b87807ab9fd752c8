"""A band about a ROC curve that holds at each false-positive rate, with few patients.

At each cut point the sensitivity and the false-positive rate are shares of images with
an error of their own, by patient. A point of the plane agrees with a cut point if both
errors together, as Wilson's score statistics on the effective numbers of images, are
not larger than the normal quantile; the band is what agrees with some cut point. Where
the curve is straight, the error across it is one normal variable at any slope, so that
the band covers at its level (ellipse envelopes; Ma and Hall, Med Decis Making
1993;13:191). The rectangles of two whole intervals (Campbell, Stat Med 1994;13:499)
are about a quarter wider for nothing (docs/decisions/0028).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.special import stdtrit

from covid_cxr.statistics.auc import as_codes, as_matrix, as_truth, normal_quantile
from covid_cxr.statistics.proportion import wilson_bounds

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_STEPS = 100  # of the band between the rates 0 and 1
_MOST_POINTS = 1000  # of the curve: neighbours then differ by a fifth of a step
# Rates that differ by less are equal, and so are sums by less than this share of them.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class RocBand:
    """Pointwise bounds of a ROC curve's sensitivity, each of shape (points,).

    Steps: rates inside stand twice, with the bounds before and after the step.

    Attributes:
        false_positive_rate: From 0 to 1.
        lower: Of the sensitivity there, never falling.
        upper: Likewise.
    """

    false_positive_rate: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True, kw_only=True)
class _Shares:
    """The share of one class that is called, along the cut points, (points,).

    Attributes:
        estimate: Rising from 0 to 1.
        n_effective: Independent images that would know the share as well, at least 1.
    """

    estimate: Floats
    n_effective: Floats

    def at(self, left: Integers, right: Integers, weight: Floats) -> "_Shares":
        """Return the shares between two cut points, known as the worse of both."""
        first, second = self.estimate[left], self.estimate[right]
        return _Shares(
            estimate=first + weight * (second - first),
            n_effective=np.minimum(self.n_effective[left], self.n_effective[right]),
        )


def roc_band(
    is_case: ArrayLike, scores: ArrayLike, *, cluster: Any, level: float = 0.95
) -> RocBand:
    """Return the band of the empirical ROC curve, which always lies inside.

    It is for each false-positive rate by itself, not for the whole curve at once. Steps
    are rounded outwards.

    Args:
        is_case: Boolean, shape (n,).
        scores: Of one model, shape (n,).
        cluster: Patient of each image, shape (n,); None takes every image as one.
        level: Coverage at each rate.

    Raises:
        ValueError: If lengths differ, a class is missing, a score is not finite, a
            cluster is not named or the level is none.
    """
    truth = as_truth(is_case)
    matrix, _ = as_matrix(scores, n_images=len(truth))
    codes = as_codes(cluster, len(truth))
    normal_quantile(level)  # refuses what is no level
    if truth.all() or not truth.any():
        raise ValueError(
            f"A ROC band needs cases and controls, got {truth.sum()} and "
            f"{(~truth).sum()}; take a larger part."
        )
    order = np.argsort(-matrix[:, 0], kind="stable")
    is_last_of_tie = np.append(np.diff(matrix[order, 0]) != 0, True)
    sensitivity, alarms = (
        _shares_along(kind[order], codes[order], is_last_of_tie, level)
        for kind in (truth, ~truth)
    )
    rates = np.linspace(0, 1, _STEPS + 1)
    lower, upper = _agreeing(*_points(sensitivity, alarms, rates), rates, level)
    lower = np.minimum.accumulate(lower[::-1])[::-1]
    upper = np.maximum.accumulate(upper)
    return RocBand(
        false_positive_rate=np.repeat(rates, 2)[1:-1],
        lower=np.repeat(lower[:-1], 2),
        upper=np.repeat(upper[1:], 2),
    )


def _points(
    sensitivity: _Shares, alarms: _Shares, rates: Floats
) -> tuple[_Shares, _Shares]:
    """Return points of the curve: cut points, and where it crosses each of the rates.

    Equal scores make long straight pieces, which two cut points alone would leave bare.
    Of many cut points those at even steps are enough, with both neighbours of a rate.
    """
    rate = alarms.estimate
    first = np.searchsorted(rate, rates - _ROUNDING, side="left")  # not below
    last = np.searchsorted(rate, rates + _ROUNDING, side="right") - 1  # not above
    kept = np.arange(len(rate))
    if len(kept) > _MOST_POINTS:
        along = sensitivity.estimate + rate  # rises from 0 to 2
        kept = np.searchsorted(along, np.linspace(0, 2, _MOST_POINTS))
    kept = np.concatenate([kept, first, last])
    before, after = last[first > last], first[first > last]
    way = (rates[first > last] - rate[before]) / (rate[after] - rate[before])
    left, right = np.append(kept, before), np.append(kept, after)
    weight = np.append(np.zeros(len(kept)), way)
    return sensitivity.at(left, right, weight), alarms.at(left, right, weight)


def _agreeing(
    sensitivity: _Shares, alarms: _Shares, rates: Floats, level: float
) -> tuple[Floats, Floats]:
    """Return the lowest and the highest sensitivity that agree with some point.

    Args:
        sensitivity: At the points, which cross every rate.
        alarms: Likewise.
        rates: Shape (rates,).
        level: Coverage.
    """
    quantile = normal_quantile(level)
    rate = rates[:, np.newaxis]
    distance = (alarms.estimate - rate) ** 2 * alarms.n_effective
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.where(distance > 0, distance / (rate * (1 - rate)), 0)
    left = np.sqrt(np.maximum(quantile**2 - used, 0))  # for the sensitivity's error
    lower, upper = wilson_bounds(sensitivity.estimate, sensitivity.n_effective, left)
    agrees = used <= quantile**2
    return (
        np.min(lower, axis=1, where=agrees, initial=1),
        np.max(upper, axis=1, where=agrees, initial=0),
    )


def _shares_along(
    is_counted: Booleans, codes: Integers, is_last_of_tie: Booleans, level: float
) -> _Shares:
    """Return the share of one class that is called, from no image to all of them.

    Args:
        is_counted: Images of the class, from the highest score down, shape (n,).
        codes: Patient of each, shape (n,).
        is_last_of_tie: Where a cut point is, shape (n,).
        level: Coverage.
    """
    called = np.append(0, np.cumsum(is_counted)[is_last_of_tie])
    owners = codes[is_counted]
    sizes = np.bincount(owners)
    # Sums over patients of calls x calls and of calls x images, one image at a time.
    squares = np.append(0.0, np.cumsum(2 * _rank_within(owners) + 1.0))[called]
    products = np.append(0.0, np.cumsum(sizes[owners].astype(np.float64)))[called]
    share = called / len(owners)
    whole = float(sizes @ sizes)
    residuals = squares - 2 * share * products + share**2 * whole
    is_known = residuals > _ROUNDING * whole
    variance = np.where(is_known, residuals, np.nan) / len(owners) ** 2
    return _Shares(
        estimate=share, n_effective=_effective_images(share, variance, sizes, level)
    )


def _effective_images(
    share: Floats, variance: Floats, sizes: Integers, level: float
) -> Floats:
    """Return how many independent images would know each share as well.

    Korn and Graubard (Surv Methodol 1998;24:193): the variance itself is known from so
    many patients only, which Student's quantile pays for. Patients of unequal sizes
    count as (sum of sizes)^2 / (sum of squares) (Carter, Schnepel and Steigerwald, Rev
    Econ Stat 2017;99:698). Where the variance says nothing, as where nothing is called,
    every patient is one image.

    Args:
        share: Shape (points,).
        variance: Sum of the patients' squared residuals; NaN where that says nothing.
        sizes: Images of each patient; 0 for patients of the other class.
        level: Coverage.
    """
    n_images, n_clusters = float(sizes.sum()), float(np.count_nonzero(sizes))
    if n_images == n_clusters:
        return np.full(len(share), n_images)
    equal = n_images**2 / float(sizes @ sizes)  # patients, if they were alike
    freedom = max(equal - 1, 0.1)  # where Student's quantile is beyond all shares
    shrunk = (normal_quantile(level) / stdtrit(freedom, (1 + level) / 2)) ** 2
    n = share * (1 - share) / variance * (equal - 1) / equal * shrunk
    return np.asarray(np.clip(np.where(np.isnan(n), n_clusters, n), 1, n_images))


def _rank_within(codes: Integers) -> Integers:
    """Return how many images of the same patient stand before each, shape (n,)."""
    images = np.arange(len(codes))
    # Rows of a sparse matrix are found by counting, not by sorting; images in order.
    rows = coo_array((np.ones(len(codes), dtype=bool), (codes, images))).tocsr()
    rank = np.empty(len(codes), dtype=np.int64)
    rank[rows.indices] = images - np.repeat(rows.indptr[:-1], np.diff(rows.indptr))
    return rank
