"""Decision curves: is anybody better off for the classifier?

Vickers and Elkin, Med Decis Making 2006;26:565. The threshold probability says how
many false alarms a found case is worth; net benefit counts both in found cases.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import as_probabilities, as_truth

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class DecisionCurve:
    """Net benefit per image at several threshold probabilities, each of shape (t,).

    Attributes:
        thresholds: Probabilities from which a patient is called positive.
        model: Net benefit of calling whom the model calls.
        everybody: Net benefit of calling everybody; that of calling nobody is 0.
    """

    thresholds: Floats
    model: Floats
    everybody: Floats


def trace_decision_curve(
    is_case: ArrayLike,
    probability: ArrayLike,
    *,
    thresholds: ArrayLike,
    prevalence: float | None = None,
) -> DecisionCurve:
    """Return the net benefit of a classifier.

    Args:
        is_case: Boolean, shape (n,).
        probability: Calibrated, on [0, 1], shape (n,).
        thresholds: In (0, 1), shape (t,).
        prevalence: Of cases where it is to be used; None takes that of the images.

    Raises:
        ValueError: If a class is missing, lengths differ, or a threshold, probability
            or prevalence is none.
    """
    truth = as_truth(is_case)
    values = as_probabilities(probability, n_images=len(truth))
    limits = np.asarray(thresholds, dtype=np.float64)
    share = float(truth.mean()) if prevalence is None else prevalence
    _check(truth, limits, share)
    hits = share * _share_from(values[truth], limits)
    alarms = (1 - share) * _share_from(values[~truth], limits)
    price = limits / (1 - limits)
    return DecisionCurve(
        thresholds=limits,
        model=hits - alarms * price,
        everybody=share - (1 - share) * price,
    )


def _share_from(values: Floats, limits: Floats) -> Floats:
    """Return the share of values that are not below each limit."""
    below = np.searchsorted(np.sort(values), limits, side="left")
    return np.asarray((len(values) - below) / len(values))


def _check(truth: NDArray[np.bool_], limits: Floats, share: float) -> None:
    if truth.all() or not truth.any():
        raise ValueError(
            f"A decision curve needs cases and controls, got {truth.sum()} and "
            f"{(~truth).sum()}; take a larger part."
        )
    if not ((limits > 0) & (limits < 1)).all() or not 0 < share < 1:
        raise ValueError(
            f"Thresholds and prevalence lie between 0 and 1, got {limits.min():g} to "
            f"{limits.max():g} and {share:g}."
        )
