"""Parts of the area under ROC curves, and single points of them, by patient.

Each is a share of pairs or of cases whose error is a sum over patients, as for whole
areas (`auc`): what an image adds is the derivative of the estimate by its weight. With
R(t) the sensitivity at a false-positive rate t, a case adds how long it is called in
the range; a control moves the threshold of each rate by where it lies among the
controls. Joint covariances, intervals, paired tests and adjustments are those of
`AucEstimates`, but for the exact bound at 0 and 1: there the logit interval is unknown.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from covid_cxr.statistics.auc import (
    AucEstimates,
    as_codes,
    as_matrix,
    as_truth,
    check_classes,
    estimates_from,
    sum_by_patient,
)
from covid_cxr.statistics.roc import RocCurve, trace_roc
from covid_cxr.statistics.threads import in_threads

Floats = NDArray[np.float64]

_REACH = 0.5  # probits to either side, with up to so many controls:
_MANY_CONTROLS = 100


def estimate_partial_aucs(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    false_positive_rates: tuple[float, float],
    is_corrected: bool,
    cluster: Any,
) -> AucEstimates:
    """Return the areas between two false-positive rates, with their joint covariance.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        false_positive_rates: From and to, in [0, 1].
        is_corrected: McClish's, so that chance is 1/2 and a perfect model 1; otherwise
            the area over the width of the range, which is the mean sensitivity there.
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If the range is none, lengths differ, a class is missing, a score
            is not finite or a cluster is not named.
    """
    low, high = false_positive_rates
    if not 0 <= low < high <= 1:
        raise ValueError(
            f"A range of false-positive rates rises in [0, 1], got {low} to {high}."
        )
    width = high - low
    chance = (high + low) / 2  # of the area over the width

    def part(truth: NDArray[np.bool_], values: Floats) -> tuple[float, Floats]:
        curve = trace_roc(truth, values)
        area, added = _added_to_area(curve, truth, values, (low, high))
        share, added = area / width, added / width
        if is_corrected:
            return (1 + (share - chance) / (1 - chance)) / 2, added / (1 - chance) / 2
        return share, added

    return _estimate(is_case, scores, part, cluster)


def with_correction(mean: AucEstimates, *, width: float) -> AucEstimates:
    """Return McClish's of the areas over the width of a range that begins at 0.

    What `is_corrected` does, without sorting again.

    Args:
        mean: From `estimate_partial_aucs` from a rate of 0 on, or from
            `estimate_specificity_parts` up to a sensitivity of 1, not corrected.
        width: Of the range, in (0, 1].
    """
    chance = width / 2
    scale = 1 / (2 * (1 - chance))
    return replace(
        mean,
        auc=0.5 + (mean.auc - chance) * scale,
        covariance=mean.covariance * scale**2,
        variance_parts=tuple(
            replace(part, covariance=part.covariance * scale**2)
            for part in mean.variance_parts
        ),
    )


def estimate_specificity_parts(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    sensitivities: tuple[float, float],
    is_corrected: bool,
    cluster: Any,
) -> AucEstimates:
    """Return the areas between two sensitivities: of the specificity over that range.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        sensitivities: From and to, in [0, 1].
        is_corrected: As for `estimate_partial_aucs`.
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: As `estimate_partial_aucs`.
    """
    truth = as_truth(is_case)
    matrix, names = as_matrix(scores, n_images=len(truth))
    low, high = sensitivities
    return estimate_partial_aucs(
        ~truth,
        pd.DataFrame(-matrix, columns=list(names)),
        false_positive_rates=(1 - high, 1 - low),
        is_corrected=is_corrected,
        cluster=cluster,
    )


def estimate_sensitivities(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    specificity: float,
    cluster: Any,
) -> AucEstimates:
    """Return the sensitivities at one specificity that is kept in these images.

    The threshold follows from the controls and varies with them; how much that moves
    the sensitivity is the slope of the ROC curve there.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        specificity: In (0, 1).
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If the specificity is none; otherwise as `estimate_partial_aucs`.
    """
    if not 0 < specificity < 1:
        raise ValueError(f"A specificity lies between 0 and 1, got {specificity}")
    rate = 1 - specificity

    def point(truth: NDArray[np.bool_], values: Floats) -> tuple[float, Floats]:
        curve = trace_roc(truth, values)
        sensitivity = float(_sensitivity(curve, np.array(rate)))
        slope = _slope(curve, rate, truth)
        start, end = _steps(truth, values)
        # How much of its step on the axis of rates is called at this one.
        is_called = np.clip((rate - start) / np.maximum(end - start, 1e-12), 0, 1)
        is_called = np.where(end <= start, rate >= end, is_called)
        moved = -slope * (is_called - rate)
        return sensitivity, np.where(truth, is_called - sensitivity, moved)

    return _estimate(is_case, scores, point, cluster)


def _estimate(
    is_case: ArrayLike, scores: ArrayLike | pd.DataFrame, measure: Any, cluster: Any
) -> AucEstimates:
    """Return the estimates by `measure(truth, values)`: one, and what images add."""
    truth = as_truth(is_case)
    check_classes(truth)
    matrix, names = as_matrix(scores, n_images=len(truth))
    codes = as_codes(cluster, len(truth))

    def measure_sorted(column: Floats) -> tuple[float, Floats]:
        order = np.argsort(column)  # what ascends is looked up several times faster
        one, each = measure(truth[order], column[order])
        added = np.empty(len(order))
        added[order] = each
        return one, added

    found = in_threads(measure_sorted, matrix.T, n_images=len(truth))
    added = np.stack([each for _, each in found])
    aucs = np.array([one for one, _ in found])
    sums = sum_by_patient(added, truth, codes)
    # Pairs in order bound the whole area, but hardly a part that few controls are in.
    return replace(estimates_from(names, aucs, sums), n_independent_pairs=0)


def _steps(truth: NDArray[np.bool_], values: Floats) -> tuple[Floats, Floats]:
    """Return the false-positive rates between which each value begins to be called.

    Both are alike for a value that no control shares. Values ascend.
    """
    is_last = np.append(values[1:] != values[:-1], True)  # of equal ones
    up_to = np.cumsum(~truth)
    n = up_to[-1]
    step = np.cumsum(is_last) - is_last
    ends = up_to[is_last]
    below = np.append(0, ends[:-1])
    return (n - ends[step]) / n, (n - below[step]) / n


def _sensitivity(curve: RocCurve, rates: Floats) -> Floats:
    """Return R at the rates; where the curve is vertical, its upper end."""
    return np.asarray(np.interp(rates, curve.false_positive_rate, curve.sensitivity))


def _slope(curve: RocCurve, rate: float, truth: NDArray[np.bool_]) -> float:
    """Return the slope of the curve at a rate, from points on either side of it.

    On probits both ways, where the curve of normal scores is straight: the points may
    then be so far apart that chance between them says little.
    """
    n_cases, n_controls = np.count_nonzero(truth), np.count_nonzero(~truth)
    reach = _REACH * min(1, (_MANY_CONTROLS / n_controls) ** 0.2)
    there = ndtri(rate)
    rates = ndtr(there + reach * np.array([-1, 0, 1]))
    # As far from 0 and 1 as half a case.
    least = 1 / (2 * n_cases)
    low, middle, high = ndtri(np.clip(_sensitivity(curve, rates), least, 1 - least))
    steepness = (high - low) / (2 * reach)
    return float(steepness * np.exp((there**2 - middle**2) / 2))


def _area_up_to(curve: RocCurve, rates: Floats) -> Floats:
    """Return the area under the curve from 0 to each rate."""
    x, y = curve.false_positive_rate, curve.sensitivity
    areas = np.append(0, np.cumsum(np.diff(x) * (y[1:] + y[:-1]) / 2))
    place = np.searchsorted(x, rates, side="right") - 1
    rest = (rates - x[place]) * (y[place] + _sensitivity(curve, rates)) / 2
    return np.asarray(areas[place] + np.where(rates > x[place], rest, 0))


def _added_to_area(
    curve: RocCurve,
    truth: NDArray[np.bool_],
    values: Floats,
    rates: tuple[float, float],
) -> tuple[float, Floats]:
    """Return the area between two rates, and what each image adds, shape (n,)."""
    low, high = rates
    areas = _area_up_to(curve, np.array([low, high]))
    area = float(areas[1] - areas[0])
    start, end = _steps(truth, values)
    added = np.empty(len(truth))
    added[truth] = _called_between(start[truth], end[truth], rates) - area
    # By parts: minus the integral of how much of a control lies below t, times dR(t).
    start, end = start[~truth], end[~truth]
    width = np.maximum(end - start, 1e-12)
    below = [np.clip((rate - start) / width, 0, 1) for rate in rates]
    sensitivity = _sensitivity(curve, np.array(rates))
    inside = np.zeros(len(start))
    is_between = (end > low) & (start < high)  # few controls, or most of them
    edges = np.clip([start[is_between], end[is_between]], low, high)
    inside[is_between] = np.diff(_area_up_to(curve, edges), axis=0)[0]
    at_ends = below[1] * sensitivity[1] - below[0] * sensitivity[0]
    mean = high * sensitivity[1] - low * sensitivity[0] - area
    added[~truth] = -at_ends + inside / width + mean
    return area, added


def _called_between(start: Floats, end: Floats, rates: tuple[float, float]) -> Floats:
    """Return for how long images are called between two rates, shape (n,)."""
    width = np.maximum(end - start, 1e-12)

    def up_to(rate: float) -> Floats:
        inside = np.clip(rate - start, 0, end - start) ** 2 / (2 * width)
        return np.asarray(inside + np.maximum(rate - end, 0))

    return up_to(rates[1]) - up_to(rates[0])
