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
from scipy.optimize import minimize
from scipy.special import expit, logit

from covid_cxr.statistics.auc import as_codes, as_probabilities, as_truth
from covid_cxr.statistics.proportion import clustered_share

Floats = NDArray[np.float64]

# A variance below this share of that of independent images is rounding error.
_ROUNDING = 1e-12
_TINY = 1e-12  # keeps the log odds of a probability of 0 or 1 finite
_FLAT = 1e-10  # norm of the mean gradient at which a fit has ended
_MANY_IMAGES = 50_000
_AT_ONCE = 4096  # images: of more, BLAS has threads that wait for each other
_MOST_STEPS = 50
_LONGEST_STEP = 2.0  # in log odds
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
        return np.asarray(expit(self.intercept + self.slope * _log_odds(probability)))


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
    intercept, slope = _fit_logistic(design, truth, np.zeros_like(log_odds))
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
    (slope,) = _fit_logistic(log_odds[:, np.newaxis], truth, np.zeros_like(log_odds))
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
    (shift,) = _fit_logistic(np.ones((len(truth), 1)), truth, log_odds)
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
        if len(truth) <= _MANY_IMAGES or not _is_straight(line, furthest):
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
    shift = _fit_logistic(level, truth, log_odds)
    (shift_error,) = _clustered_errors(level, truth, log_odds, shift, codes)
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
    coefficients = _fit_logistic(line, truth, nothing)
    errors = _clustered_errors(line, truth, nothing, coefficients, codes)
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
    return truth, _log_odds(values)


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


def _log_odds(probability: ArrayLike) -> Floats:
    values = np.asarray(probability, dtype=np.float64)
    return np.asarray(logit(np.clip(values, _TINY, 1 - _TINY)))


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


def _fit_logistic(design: Floats, truth: NDArray[np.bool_], offset: Floats) -> Floats:
    """Return the coefficients with the largest likelihood, shape (c,).

    Args:
        design: Shape (n, c), in which the classes are not separated.
        truth: Shape (n,).
        offset: Added to the log odds, shape (n,).
    """

    def loss(coefficients: Floats) -> float:
        log_odds = design @ coefficients + offset
        return float(np.mean(np.logaddexp(0, log_odds) - truth * log_odds))

    def gradient(coefficients: Floats) -> Floats:
        residuals = expit(design @ coefficients + offset) - truth
        return np.asarray(design.T @ residuals / len(truth))

    def curvature(coefficients: Floats) -> Floats:
        return _information(design, coefficients, offset) / len(truth)

    start = np.zeros(design.shape[1])
    if len(truth) > _MANY_IMAGES:
        found = _fit_by_newton(design, truth, offset)
        if found is not None:
            return found
    return np.asarray(
        minimize(
            loss,
            start,
            jac=gradient,
            hess=curvature,
            method="trust-exact",
            options={"gtol": _FLAT},
        ).x
    )


def _fit_by_newton(
    design: Floats, truth: NDArray[np.bool_], offset: Floats
) -> Floats | None:
    """Return what `_fit_logistic` does in a tenth of the time; None without an end.

    Steps of Newton, none of which moves log odds further than where the likelihood is
    like a parabola: a longer one may lead away from outputs that are far too certain.
    """
    furthest = np.abs(design).max(axis=0)
    found = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        slope, information = _derivatives(design, truth, found, offset)
        if np.linalg.norm(slope / len(truth)) < _FLAT:
            return found
        if not np.linalg.cond(information) < 1 / _FLAT:
            return None
        step = np.linalg.solve(information, slope)
        if furthest @ np.abs(step) > _LONGEST_STEP:
            step *= min(1, _LONGEST_STEP / np.abs(design @ step).max())
        found = found + step
    return None


def _derivatives(
    design: Floats, truth: NDArray[np.bool_], coefficients: Floats, offset: Floats
) -> tuple[Floats, Floats]:
    """Return the slope of the log likelihood and its information, (c,) and (c, c)."""
    slope = np.zeros(design.shape[1])
    information = np.zeros((design.shape[1], design.shape[1]))
    for piece in _pieces(len(truth)):
        rows = design[piece]
        expected = expit(rows @ coefficients + offset[piece])
        slope += rows.T @ (truth[piece] - expected)
        information += rows.T @ (rows * (expected * (1 - expected))[:, np.newaxis])
    return slope, information


def _pieces(n_images: int) -> list[slice]:
    """Return the images at once; of many, as many as stay in a processor's cache."""
    at_once = _AT_ONCE if n_images > _MANY_IMAGES else n_images
    return [slice(k, k + at_once) for k in range(0, n_images, at_once)]


def _clustered_errors(
    design: Floats,
    truth: NDArray[np.bool_],
    offset: Floats,
    coefficients: Floats,
    codes: NDArray[np.int64],
) -> Floats:
    """Return standard errors with patients as independent units (sandwich), (c,).

    NaN with one patient, and where every patient's residuals cancel, which says
    nothing.
    """
    residuals = truth - _expected(design, coefficients, offset)
    scores = np.stack([np.bincount(codes, weights=c * residuals) for c in design.T])
    n_clusters = scores.shape[1]
    if n_clusters < 2:
        return np.full(len(coefficients), np.nan)
    bread = np.linalg.inv(_information(design, coefficients, offset))
    meat = n_clusters / (n_clusters - 1) * scores @ scores.T
    variance = np.diag(bread @ meat @ bread)
    by_image = np.diag(bread)  # of independent images
    return np.sqrt(np.where(variance > _ROUNDING * by_image, variance, np.nan))


def _information(design: Floats, coefficients: Floats, offset: Floats) -> Floats:
    expected = _expected(design, coefficients, offset)
    weights = (expected * (1 - expected))[:, np.newaxis]
    pieces = _pieces(len(design))
    return np.asarray(sum(design[p].T @ (design[p] * weights[p]) for p in pieces))


def _expected(design: Floats, coefficients: Floats, offset: Floats) -> Floats:
    """Return the probabilities by the model, shape (n,)."""
    expected = np.empty(len(design))
    for piece in _pieces(len(design)):
        expected[piece] = expit(design[piece] @ coefficients + offset[piece])
    return expected
