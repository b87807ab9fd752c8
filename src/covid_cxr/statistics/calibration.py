"""Whether a probability means what it says, and the maps that make it do so.

Recalibration (Platt 1999; temperature: Guo et al. 2017) is fitted on the validation
part and measured on the test part: calibration slope and intercept (Cox, Biometrika
1958;45:562), Brier score and a reliability curve, with patients as the independent
units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from covid_cxr.statistics import logistic
from covid_cxr.statistics.auc import as_codes, as_probabilities, as_truth
from covid_cxr.statistics.logistic import (
    as_log_odds,
    clustered_errors,
    fit_logistic,
)
from covid_cxr.statistics.proportion import clustered_share

Floats = NDArray[np.float64]

_STRAIGHT = 20.0  # log odds up to which probabilities know them to seven digits


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """A straight line from a model's log odds to better ones.

    Attributes:
        slope: Temperature scaling has 1/temperature here.
        intercept: 0 for temperature scaling.
    """

    slope: float
    intercept: float

    def apply(self, probability: ArrayLike) -> Floats:
        """Return recalibrated probabilities, in the shape given."""
        return np.asarray(expit(self.intercept + self.slope * as_log_odds(probability)))


@dataclass(frozen=True, kw_only=True)
class CalibrationEstimates:
    """How well probabilities agree with what happened.

    Attributes:
        brier: Mean squared error, 0 is best.
        slope: 1 is best; below 1 the probabilities are too extreme. NaN where the
            probabilities separate the classes.
        slope_error: Clustered standard error of the slope.
        intercept: Calibration in the large: log odds by which the probabilities are
            too low on average, the slope held at 1. 0 is best.
        intercept_error: Clustered standard error of the intercept.
        n_certain: Images whose probability is 0 or 1. Their log odds are infinite and
            are held at those of 1e-12, which then decides slope and intercept.
    """

    brier: float
    slope: float
    slope_error: float
    intercept: float
    intercept_error: float
    n_certain: int = 0


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Images of similar probability.

    Attributes:
        n_images: How many.
        mean_probability: What the model says.
        share_of_cases: What happened.
        lower: Of the share's interval, clustered (Wilson).
        upper: Likewise.
    """

    n_images: int
    mean_probability: float
    share_of_cases: float
    lower: float
    upper: float


def fit_platt(is_case: ArrayLike, probability: ArrayLike) -> Recalibration:
    """Return the line with the largest likelihood.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).

    Raises:
        ValueError: If a class is missing, or the probabilities separate the classes,
            so that no line is best.
    """
    truth, log_odds = _checked(is_case, probability)
    _refuse_separation(truth, log_odds)
    design = np.stack([np.ones_like(log_odds), log_odds], axis=1)
    intercept, slope = fit_logistic(design, truth, np.zeros_like(log_odds))
    return Recalibration(slope=float(slope), intercept=float(intercept))


def fit_temperature(is_case: ArrayLike, probability: ArrayLike) -> Recalibration:
    """Return the best line through the origin: temperature scaling.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).

    Raises:
        ValueError: If a class is missing, or every probability is on the right side
            of 1/2, so that no temperature is best.
    """
    truth, log_odds = _checked(is_case, probability)
    towards_truth = np.where(truth, log_odds, -log_odds)
    if not towards_truth.min() < 0 < towards_truth.max():
        raise ValueError(
            f"No temperature is best for {len(truth)} images whose probabilities are "
            f"all on one side of the truth; fit on a larger part."
        )
    (slope,) = fit_logistic(log_odds[:, np.newaxis], truth, np.zeros_like(log_odds))
    return Recalibration(slope=float(slope), intercept=0.0)


def fit_in_the_large(is_case: ArrayLike, probability: ArrayLike) -> Recalibration:
    """Return the best shift of the log odds: recalibration in the large.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).

    Raises:
        ValueError: If a class is missing, so that no shift is best.
    """
    truth, log_odds = _checked(is_case, probability)
    (shift,) = fit_logistic(np.ones((len(truth), 1)), truth, log_odds)
    return Recalibration(slope=1.0, intercept=float(shift))


def estimate_calibration(
    is_case: ArrayLike, probability: ArrayLike, *, cluster: Any
) -> CalibrationEstimates:
    """Return Brier score, calibration slope and calibration in the large.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If a class is missing or a probability is none.
    """
    truth, log_odds = _checked(is_case, probability)
    codes = as_codes(cluster, len(truth))
    return _estimates(
        truth,
        log_odds,
        codes,
        slope=_estimate_slope(truth, log_odds, codes),
        n_certain=int(np.isin(np.asarray(probability, np.float64), (0, 1)).sum()),
    )


def estimate_recalibrated(
    is_case: ArrayLike,
    probability: ArrayLike,
    lines: Sequence[Recalibration],
    *,
    cluster: Any,
) -> Iterator[CalibrationEstimates]:
    """Yield what `estimate_calibration` says of probabilities after each map.

    Where a line of slope s made log odds, a slope and its error are those from before
    over s. Of many images that is used, unless the line leads to where log odds are
    held or rounded.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,), before the maps.
        lines: The maps.
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: As `estimate_calibration`.
    """
    truth, log_odds = _checked(is_case, probability)
    codes = as_codes(cluster, len(truth))
    furthest = float(np.abs(log_odds).max())
    before: tuple[float, float] | None = None
    for line in lines:
        if len(truth) <= logistic.MANY_IMAGES or not _is_straight(line, furthest):
            yield estimate_calibration(truth, line.apply(probability), cluster=codes)
            continue
        before = before or _estimate_slope(truth, log_odds, codes)
        yield _estimates(
            truth,
            line.intercept + line.slope * log_odds,
            codes,
            slope=(before[0] / line.slope, before[1] / abs(line.slope)),
            n_certain=0,
        )


def reliability_curve(
    is_case: ArrayLike,
    probability: ArrayLike,
    *,
    cluster: Any,
    n_bins: int,
    level: float = 0.95,
) -> list[ReliabilityBin]:
    """Return bins of about equally many images, from low to high probability.

    Equal probabilities stay in one bin, so there may be fewer bins than asked for.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).
        cluster: Patient of each image, shape (n,); None takes every image as one.
        n_bins: At least 1.
        level: Coverage of the intervals.

    Raises:
        ValueError: If a class is missing, a probability is none, or there is no bin.
    """
    truth, values = _checked_probabilities(is_case, probability)
    codes = as_codes(cluster, len(truth))
    if n_bins < 1:
        raise ValueError(f"A reliability curve has at least 1 bin, got {n_bins}")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
    number = np.searchsorted(edges, values, side="left")
    small = number.astype(np.min_scalar_type(n_bins))  # the faster to sort
    order = np.argsort(small, kind="stable")  # images of a bin in their order
    ends = np.flatnonzero(np.diff(number[order])) + 1
    return [
        _reliability_bin(truth[inside], values[inside], codes[inside], level)
        for inside in np.split(order, ends)
    ]


def _is_straight(line: Recalibration, furthest: float) -> bool:
    """Return whether a line takes log odds up to `furthest` to ones that are known."""
    reach = max(furthest, abs(line.intercept) + abs(line.slope) * furthest)
    return reach < _STRAIGHT and line.slope != 0


def _estimates(
    truth: NDArray[np.bool_],
    log_odds: Floats,
    codes: NDArray[np.int64],
    *,
    slope: tuple[float, float],
    n_certain: int,
) -> CalibrationEstimates:
    level = np.ones((len(truth), 1))
    shift = fit_logistic(level, truth, log_odds)
    (shift_error,) = clustered_errors(level, truth, log_odds, shift, codes)
    return CalibrationEstimates(
        brier=float(np.mean((expit(log_odds) - truth) ** 2)),
        slope=slope[0],
        slope_error=slope[1],
        intercept=float(shift[0]),
        intercept_error=float(shift_error),
        n_certain=n_certain,
    )


def _estimate_slope(
    truth: NDArray[np.bool_], log_odds: Floats, codes: NDArray[np.int64]
) -> tuple[float, float]:
    if _is_separated(truth, log_odds):
        return np.nan, np.nan
    line = np.stack([np.ones_like(log_odds), log_odds], axis=1)
    nothing = np.zeros_like(log_odds)
    coefficients = fit_logistic(line, truth, nothing)
    errors = clustered_errors(line, truth, nothing, coefficients, codes)
    return float(coefficients[1]), float(errors[1])


def _reliability_bin(
    truth: NDArray[np.bool_], values: Floats, codes: NDArray[np.int64], level: float
) -> ReliabilityBin:
    share, _ = clustered_share(truth, np.ones_like(truth), codes)
    lower, upper = share.interval(level)
    return ReliabilityBin(
        n_images=len(truth),
        mean_probability=float(values.mean()),
        share_of_cases=share.estimate,
        lower=lower,
        upper=upper,
    )


def _checked(
    is_case: ArrayLike, probability: ArrayLike
) -> tuple[NDArray[np.bool_], Floats]:
    """Return labels and log odds, or refuse what is no calibration problem."""
    truth, values = _checked_probabilities(is_case, probability)
    return truth, as_log_odds(values)


def _checked_probabilities(
    is_case: ArrayLike, probability: ArrayLike
) -> tuple[NDArray[np.bool_], Floats]:
    truth = as_truth(is_case)
    values = as_probabilities(probability, n_images=len(truth))
    if truth.all() or not truth.any():
        raise ValueError(
            f"Calibration needs cases and controls, got {truth.sum()} cases and "
            f"{(~truth).sum()} controls; take a larger part."
        )
    return truth, values


def _refuse_separation(truth: NDArray[np.bool_], log_odds: Floats) -> None:
    """Refuse log odds of which no multiple is best: an ever larger one would be."""
    if _is_separated(truth, log_odds):
        raise ValueError(
            f"No map is best for {truth.sum()} cases and {(~truth).sum()} controls, "
            f"whose probabilities are all alike or wholly separated; fit on a larger "
            f"part."
        )


def _is_separated(truth: NDArray[np.bool_], log_odds: Floats) -> bool:
    cases, controls = log_odds[truth], log_odds[~truth]
    return bool(controls.max() <= cases.min() or cases.max() <= controls.min())
