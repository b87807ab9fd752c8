"""What a classifier does at one threshold, frozen before the test part is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, stdtrit

from covid_cxr.statistics.auc import as_codes, as_truth, normal_quantile
from covid_cxr.statistics.proportion import Proportion, clustered_share
from covid_cxr.statistics.roc import trace_roc

# A variance below this share of its terms is rounding error.
_ROUNDING = 1e-12
_MOST_TRIED, _FEWEST_TRIED = 400, 50  # thresholds, of an interval
_MOST_LOOKED_AT = 4_000_000  # images, of all that are tried together


@dataclass(frozen=True, kw_only=True)
class OperatingPerformance:
    """Sensitivity and specificity at a threshold.

    Attributes:
        threshold: An image is called positive from it on.
        sensitivity: Share of the cases that are called positive.
        specificity: Share of the controls that are not.
        covariance: Of the two, from patients with images of both classes.
    """

    threshold: float
    sensitivity: Proportion
    specificity: Proportion
    covariance: float

    def positive_predictive_value(
        self, prevalence: float, level: float = 0.95
    ) -> tuple[float, float, float]:
        """Return the share of cases among the images that are called positive.

        With its interval on the scale of log odds (Mercaldo et al., Stat Med
        2007;26:2170): estimate, lower and upper bound. The bounds are NaN where
        sensitivity or specificity is 0 or 1 or has no variance, or both cancel in every
        patient; the estimate is NaN where nothing is called.

        Args:
            prevalence: Of cases where the classifier is to be used, in (0, 1).
            level: Coverage.

        Raises:
            ValueError: If the prevalence or the level is not between 0 and 1.
        """
        odds = _odds(prevalence)
        return self._predictive_value(self.sensitivity, self.specificity, odds, level)

    def negative_predictive_value(
        self, prevalence: float, level: float = 0.95
    ) -> tuple[float, float, float]:
        """Return the share of controls among the images that are called negative.

        Args:
            prevalence: Of cases; as for `positive_predictive_value`.
            level: Coverage.

        Raises:
            ValueError: If the prevalence or the level is not between 0 and 1.
        """
        odds = 1 / _odds(prevalence)
        return self._predictive_value(self.specificity, self.sensitivity, odds, level)

    def _predictive_value(
        self, called: Proportion, other: Proportion, odds: float, level: float
    ) -> tuple[float, float, float]:
        """Return a predictive value: odds times the shares rightly and wrongly called.

        Args:
            called: The rightly called share of the class that is looked for.
            other: The rightly called share of the other class.
            odds: Of the class that is looked for.
            level: Coverage.
        """
        right, wrong = called.estimate, 1 - other.estimate
        if right + wrong == 0:
            return np.nan, np.nan, np.nan
        estimate = right * odds / (right * odds + wrong)
        if not (called.variance > 0 and other.variance > 0):
            return estimate, np.nan, np.nan
        # Of log(right) - log(wrong); wrong falls where the other share rises.
        alone = called.variance / right**2 + other.variance / wrong**2
        variance = alone + 2 * self.covariance / (right * wrong)
        if not variance > _ROUNDING * alone:  # they cancel in every patient
            return estimate, np.nan, np.nan
        margin = normal_quantile(level) * np.sqrt(variance)
        centre = logit(estimate)
        return estimate, float(expit(centre - margin)), float(expit(centre + margin))


def perform_at(
    is_case: ArrayLike, scores: ArrayLike, *, threshold: float, cluster: Any
) -> OperatingPerformance:
    """Return how a classifier performs at a threshold that was chosen elsewhere.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n,).
        threshold: An image is called positive from it on.
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If a class is missing, a score is not finite or lengths differ.
    """
    truth = as_truth(is_case)
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != truth.shape or not np.isfinite(values).all():
        raise ValueError(
            f"Expected {len(truth)} finite scores, one per image, got shape "
            f"{values.shape} with {np.count_nonzero(~np.isfinite(values))} that are no "
            f"number."
        )
    if truth.all() or not truth.any():
        raise ValueError(
            f"Sensitivity and specificity need cases and controls, got {truth.sum()} "
            f"and {(~truth).sum()}; evaluate on a larger part."
        )
    codes = as_codes(cluster, len(truth))
    is_called = values >= threshold
    sensitivity, case_residuals = clustered_share(is_called, truth, codes)
    specificity, control_residuals = clustered_share(~is_called, ~truth, codes)
    n_clusters = len(case_residuals)
    scale = n_clusters / (n_clusters - 1) if n_clusters > 1 else np.nan
    return OperatingPerformance(
        threshold=float(threshold),
        sensitivity=sensitivity,
        specificity=specificity,
        covariance=float(scale * (case_residuals @ control_residuals)),
    )


@dataclass(frozen=True, kw_only=True)
class ChosenThreshold:
    """A threshold chosen by a rule, and how well that is known.

    Attributes:
        threshold: Highest one whose sensitivity reaches the target, or the lowest of
            the largest Youden index.
        lower: Bound of the threshold that is so in all such patients; minus infinity
            where these patients do not bound it.
        upper: Likewise.
    """

    threshold: float
    lower: float
    upper: float


def choose_threshold(
    is_case: ArrayLike,
    scores: ArrayLike,
    *,
    sensitivity: float,
    cluster: Any,
    level: float = 0.95,
) -> ChosenThreshold:
    """Return the threshold of a target sensitivity with its interval.

    Woodruff's (J Am Stat Assoc 1952;47:635): the thresholds whose observed sensitivity
    is as near the target as that of so many patients is to the true one. With few cases
    it is wide: a threshold is chosen by chance, and so is what it does elsewhere. It
    has no bounds where every case is called, or the patients are alike.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n,).
        sensitivity: The target, in (0, 1).
        cluster: Patient of each image, shape (n,); None takes every image as one.
        level: Coverage.

    Raises:
        ValueError: If the target is none, a class is missing, a score is not finite or
            lengths differ.
    """
    if not 0 < sensitivity < 1:
        raise ValueError(f"A target sensitivity lies in (0, 1), got {sensitivity}")
    curve = trace_roc(is_case, scores)
    threshold = curve.threshold_of_sensitivity(sensitivity)
    there = perform_at(is_case, scores, threshold=threshold, cluster=cluster)
    known = there.sensitivity
    normal_quantile(level)  # refuses what is no level
    if not known.variance > 0:
        return ChosenThreshold(threshold=threshold, lower=-np.inf, upper=np.inf)
    quantile = stdtrit(known.n_clusters - 1, (1 + level) / 2)
    margin = float(quantile * np.sqrt(known.variance))
    fewest, most = sensitivity - margin, sensitivity + margin
    return ChosenThreshold(
        threshold=threshold,
        lower=curve.threshold_of_sensitivity(most) if most < 1 else -np.inf,
        upper=curve.threshold_of_sensitivity(fewest) if fewest > 0 else np.inf,
    )


def choose_youden_threshold(
    is_case: ArrayLike, scores: ArrayLike, *, cluster: Any, level: float = 0.95
) -> ChosenThreshold:
    """Return the threshold of the largest Youden index with its interval.

    From the lowest to the highest threshold whose index is not below the largest one by
    the paired test, by patient, at one minus the level. It is wide where the index is
    flat, and without an end where no threshold on that side is worse.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n,).
        cluster: Patient of each image, shape (n,); None takes every image as one.
        level: Coverage.

    Raises:
        ValueError: If a class is missing, a score is not finite or lengths differ.
    """
    normal_quantile(level)  # refuses what is no level
    curve = trace_roc(is_case, scores)
    threshold = curve.youden_threshold()
    truth, values = as_truth(is_case), np.asarray(scores, dtype=np.float64)
    codes = as_codes(cluster, len(truth))
    n_tried = np.clip(_MOST_LOOKED_AT // len(truth), _FEWEST_TRIED, _MOST_TRIED)
    places = np.linspace(0, len(curve.thresholds) - 1, n_tried).round()
    tried = curve.thresholds[np.unique(places.astype(np.int64))]  # falling
    n = 1 + int(codes.max())
    by_class = [
        (kind, np.bincount(codes[kind], minlength=n)) for kind in (truth, ~truth)
    ]
    is_as_good = np.array(
        [_is_as_good(by_class, values, codes, (threshold, o), level) for o in tried]
    )
    good = np.append(tried[is_as_good], threshold)
    return ChosenThreshold(
        threshold=threshold,
        lower=-np.inf if is_as_good[-1] else float(good.min()),
        upper=float(good.max()),
    )


def _is_as_good(
    by_class: Sequence[tuple[NDArray[np.bool_], NDArray[np.int64]]],
    values: NDArray[np.float64],
    codes: NDArray[np.int64],
    thresholds: tuple[float, float],
    level: float,
) -> bool:
    """Return whether another threshold's Youden index is not told from the best's.

    Args:
        by_class: Of cases and of controls, which images these are, shape (n,), and how
            many each patient has.
        values: Shape (n,).
        codes: Patient of each image as 0, 1, …, shape (n,).
        thresholds: The best one and the other.
        level: Coverage.
    """
    best, other = thresholds
    inside = np.flatnonzero((values >= min(thresholds)) & (values < max(thresholds)))
    # The lower threshold calls what lies between: cases rightly, controls wrongly.
    sign = 1 if best < other else -1
    n = len(by_class[0][1])
    lost, residuals = 0.0, np.zeros(n)
    for (kind, sizes), side in zip(by_class, (sign, -sign), strict=True):
        own, n_images = codes[inside[kind[inside]]], int(sizes.sum())
        total = side * len(own) / n_images
        lost += total
        residuals += side * np.bincount(own, minlength=n) / n_images
        residuals -= total * sizes / n_images
    if n < 2:
        return True
    error = np.sqrt(n / (n - 1) * (residuals @ residuals))
    return bool(lost <= stdtrit(n - 1, (1 + level) / 2) * error)


def _odds(prevalence: float) -> float:
    if not 0 < prevalence < 1:
        raise ValueError(f"The prevalence must lie between 0 and 1, got {prevalence}")
    return prevalence / (1 - prevalence)
