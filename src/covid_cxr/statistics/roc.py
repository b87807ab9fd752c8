"""Receiver operating characteristic curves and the operating points on them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import as_truth
from covid_cxr.statistics.threads import in_threads

# Two shares that differ by less are equal but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class RocCurve:
    """The points of an empirical ROC curve, from (0, 0) to (1, 1), one per score.

    Thresholds are sought among all of them: where several cases score above the next
    control, a corner says only where the stretch ends.

    Attributes:
        thresholds: Falling; an image is called positive from the threshold on. The
            first is infinite: nothing is called positive. The others are the scores
            that occur.
        sensitivity: Shape of the thresholds.
        false_positive_rate: 1 - specificity, same shape.
    """

    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    false_positive_rate: NDArray[np.float64]

    @property
    def corners(self) -> "RocCurve":
        """The points where the curve turns: enough to draw it."""
        up, right = np.diff(self.sensitivity), np.diff(self.false_positive_rate)
        turns = np.abs(up[:-1] * right[1:] - up[1:] * right[:-1]) > _ROUNDING**2
        return self.take(np.flatnonzero(np.r_[True, turns, True]))

    def take(self, places: NDArray[np.int64]) -> "RocCurve":
        """Return the points at `places`, rising."""
        return RocCurve(
            thresholds=self.thresholds[places],
            sensitivity=self.sensitivity[places],
            false_positive_rate=self.false_positive_rate[places],
        )

    def youden_threshold(self) -> float:
        """Return the threshold with the largest sensitivity + specificity.

        Of equally good ones the lowest, which is the most sensitive.
        """
        index = self.sensitivity - self.false_positive_rate
        is_best = index >= index.max() - _ROUNDING
        return float(self.thresholds[is_best][-1])

    def threshold_of_sensitivity(self, target: float) -> float:
        """Return the highest threshold whose sensitivity is at least `target`.

        Args:
            target: In (0, 1].

        Raises:
            ValueError: If no threshold can have that sensitivity.
        """
        if not 0 < target <= 1:
            raise ValueError(f"A target sensitivity lies in (0, 1], got {target}")
        reaches = self.sensitivity >= target - _ROUNDING
        return float(self.thresholds[reaches][0])

    def partial_area(self, max_false_positive_rate: float) -> float:
        """Return the area under the curve's left part, scaled so that chance is 1/2.

        McClish (Med Decis Making 1989;9:190): 1 for a perfect model, and the whole AUC
        for a rate of 1.

        Args:
            max_false_positive_rate: Where the part ends, in (0, 1].

        Raises:
            ValueError: If it ends elsewhere.
        """
        end = max_false_positive_rate
        if not 0 < end <= 1:
            raise ValueError(f"A false-positive rate lies in (0, 1], got {end}")
        inside = self.false_positive_rate <= end
        rate = np.append(self.false_positive_rate[inside], end)
        sensitivity = np.append(
            self.sensitivity[inside],
            np.interp(end, self.false_positive_rate, self.sensitivity),
        )
        area = float(np.trapezoid(sensitivity, rate))
        return (1 + (area - end**2 / 2) / (end - end**2 / 2)) / 2


def trace_rocs(is_case: ArrayLike, scores: pd.DataFrame) -> dict[str, RocCurve]:
    """Return the ROC curve of each model, by its name.

    Args:
        is_case: Boolean, shape (n,).
        scores: A column per model.

    Raises:
        ValueError: As `trace_roc`.
    """
    models = [scores[name] for name in scores]
    curves = in_threads(
        lambda model: trace_roc(is_case, model), models, n_images=len(scores)
    )
    return dict(zip(map(str, scores), curves, strict=True))


def trace_roc(is_case: ArrayLike, scores: ArrayLike) -> RocCurve:
    """Return the ROC curve of one model.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n,); equal scores make one point.

    Raises:
        ValueError: If lengths differ, a label is no boolean, a class is missing or a
            score is not finite.
    """
    truth = as_truth(is_case)
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != truth.shape:
        raise ValueError(
            f"A ROC curve has one score per image, got scores of shape "
            f"{values.shape} for labels of shape {truth.shape}."
        )
    n_cases, n_controls = int(truth.sum()), int((~truth).sum())
    if min(n_cases, n_controls) == 0 or not np.isfinite(values).all():
        raise ValueError(
            "A ROC curve needs cases, controls and finite scores, got "
            f"{n_cases} cases, {n_controls} controls and "
            f"{np.count_nonzero(~np.isfinite(values))} scores that are no number."
        )
    is_ascending = bool((values[1:] >= values[:-1]).all())
    order = np.arange(len(values))[::-1] if is_ascending else np.argsort(-values)
    is_last_of_tie = np.append(np.diff(values[order]) != 0, True)
    hits = np.cumsum(truth[order])[is_last_of_tie]
    alarms = np.cumsum(~truth[order])[is_last_of_tie]
    return RocCurve(
        thresholds=np.append(np.inf, values[order][is_last_of_tie]),
        sensitivity=np.append(0, hits / n_cases),
        false_positive_rate=np.append(0, alarms / n_controls),
    )
