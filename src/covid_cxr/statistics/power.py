"""How many patients a test set needs, and what one of this size can show.

Variances are those of independent images times a design effect for images of one
patient. Intervals and tests take the normal approximation: with 7 to 26 patients in
the rarer class planned widths were met within 3 %, and a planned power of 0.8 was 0.78
to 0.91 (benchmarks/planning.py, AUCs of 0.65 and 0.85).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri, owens_t

from covid_cxr.statistics.auc import (
    as_matrix,
    as_truth,
    estimate_aucs,
    normal_quantile,
)

_FEWEST_IMAGES = 10  # of a class: with fewer no approximation holds
_MOST_PATIENTS = 10_000_000


def _binormal(auc: float, n_cases: float, n_controls: float) -> float:
    """Of the empirical AUC of normal scores with one variance.

    That two cases score above one control has the probability of two normal variables
    with a correlation of 1/2; so have two controls below one case.
    """
    z = ndtri(auc)
    twice = auc - 2 * owens_t(z, 1 / np.sqrt(3))
    return _variance_of_pairs(auc, (twice, twice), (n_cases, n_controls))


def _hanley_mcneil(auc: float, n_cases: float, n_controls: float) -> float:
    """Of exponential scores (Hanley and McNeil, Radiology 1982;143:29)."""
    twice = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    return _variance_of_pairs(auc, twice, (n_cases, n_controls))


def _obuchowski(auc: float, n_cases: float, n_controls: float) -> float:
    """Of an AUC fitted to ratings (Obuchowski, Acad Radiol 1994;1:22), as in pROC."""
    a, ratio = 1.414 * ndtri(auc), n_controls / n_cases
    spread = (5 * a**2 + 8) + (a**2 + 8) / ratio
    return float(0.0099 * np.exp(-(a**2) / 2) * spread / n_cases)


def _variance_of_pairs(
    auc: float, twice: tuple[float, float], n_images: tuple[float, float]
) -> float:
    """Return the variance of a share of pairs in order.

    Args:
        auc: That share.
        twice: Probability that two cases score above one control, and that one case
            scores above two controls.
        n_images: Cases and controls.
    """
    shared = sum((n - 1) * (q - auc**2) for q, n in zip(twice, n_images, strict=True))
    return float((auc * (1 - auc) + shared) / np.prod(n_images))


VARIANCES: Mapping[str, Callable[[float, float, float], float]] = {
    "binormal": _binormal,
    "hanley_mcneil": _hanley_mcneil,
    "obuchowski": _obuchowski,
}


def design_effect(
    *, images_per_patient: float, standard_deviation: float, correlation: float
) -> float:
    """Return how much larger a variance is than with independent images.

    1 + (m' - 1) correlation, where m' is the mean number of images weighted by
    itself: a patient with many images has more of them (Kish, Survey Sampling, 1965).

    Args:
        images_per_patient: Mean, at least 1.
        standard_deviation: Of the number of images.
        correlation: Of the scores of two images of a patient, in [0, 1].

    Raises:
        ValueError: If one of them is none.
    """
    if not (images_per_patient >= 1 and standard_deviation >= 0):
        raise ValueError(
            f"A patient has at least 1 image on average, with a standard deviation of "
            f"at least 0, got {images_per_patient} and {standard_deviation}."
        )
    if not 0 <= correlation <= 1:
        raise ValueError(
            f"The correlation within patients lies in [0, 1], got {correlation}."
        )
    weighted = images_per_patient + standard_deviation**2 / images_per_patient
    return 1 + (weighted - 1) * correlation


@dataclass(frozen=True, kw_only=True)
class PlannedTestSet:
    """What is expected of a test set, whatever the number of patients.

    Attributes:
        share_of_cases: Of the images, in (0, 1).
        images_per_patient: On average, at least 1.
        design_effect: How much larger variances are than with independent images.
        variance: One of `VARIANCES`.
    """

    share_of_cases: float
    images_per_patient: float = 1.0
    design_effect: float = 1.0
    variance: str = "binormal"

    def __post_init__(self) -> None:
        """Refuse what is no test set."""
        _check_shares(share_of_cases=self.share_of_cases)
        if not (self.images_per_patient >= 1 and self.design_effect > 0):
            raise ValueError(
                f"A test set has at least 1 image per patient and a design effect "
                f"above 0, got {self.images_per_patient} and {self.design_effect}."
            )
        if self.variance not in VARIANCES:
            raise ValueError(
                f"The variance must be one of {', '.join(VARIANCES)}, got "
                f"{self.variance!r}."
            )

    def sizes(self, n_patients: float) -> tuple[float, float]:
        """Return the expected images with and without the finding."""
        n_images = n_patients * self.images_per_patient
        n_cases = n_images * self.share_of_cases
        return n_cases, n_images - n_cases

    def error_of_auc(self, auc: float, n_patients: float) -> float:
        """Return the expected standard error of an AUC in (0, 1)."""
        _check_shares(auc=auc)
        variance = VARIANCES[self.variance](auc, *self.sizes(n_patients))
        return float(np.sqrt(variance * self.design_effect))

    def error_of_difference(
        self, aucs: tuple[float, float], correlation: float, n_patients: float
    ) -> float:
        """Return that of the difference of two AUCs of the same images.

        Args:
            aucs: Both in (0, 1).
            correlation: Of the two estimates, in [-1, 1).
            n_patients: Of the test set.
        """
        if not -1 <= correlation < 1:
            raise ValueError(
                f"The correlation of two AUCs lies in [-1, 1), got {correlation}."
            )
        first, second = (self.error_of_auc(auc, n_patients) for auc in aucs)
        variance = first**2 + second**2 - 2 * correlation * first * second
        return float(np.sqrt(variance))

    def error_of_sensitivity(
        self, sensitivity: float, specificity: float, n_patients: float
    ) -> float:
        """Return that of a sensitivity at a specificity that is kept in these images.

        Of normal scores with one variance. The threshold follows from the controls and
        varies with them, by the slope of the ROC curve there.
        """
        _check_shares(sensitivity=sensitivity, specificity=specificity)
        n_cases, n_controls = self.sizes(n_patients)
        slope = np.exp((ndtri(specificity) ** 2 - ndtri(sensitivity) ** 2) / 2)
        variance = sensitivity * (1 - sensitivity) / n_cases
        variance += slope**2 * specificity * (1 - specificity) / n_controls
        return float(np.sqrt(variance * self.design_effect))


class Question(Protocol):
    """What a test set is to tell."""

    def reached(self, test_set: PlannedTestSet, n_patients: float) -> float:
        """Return how wide an interval or how great the power is with that many."""

    def is_met(self, reached: float) -> bool:
        """Return whether that is enough."""


@dataclass(frozen=True, kw_only=True)
class WidthOfAuc:
    """The interval of an AUC, on the logit scale, is at most so wide."""

    auc: float
    width: float
    level: float

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        _check_shares(auc=self.auc, width=self.width, level=self.level)

    def reached(self, test_set: PlannedTestSet, n_patients: float) -> float:
        """Return the expected width."""
        error = test_set.error_of_auc(self.auc, n_patients)
        return _logit_width(self.auc, error, self.level)

    def is_met(self, reached: float) -> bool:
        """Return whether it is narrow enough."""
        return reached <= self.width


@dataclass(frozen=True, kw_only=True)
class WidthOfSensitivity:
    """The interval of a sensitivity at a fixed specificity is at most so wide."""

    sensitivity: float
    specificity: float
    width: float
    level: float

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        _check_shares(**vars(self))

    def reached(self, test_set: PlannedTestSet, n_patients: float) -> float:
        """Return the expected width."""
        error = test_set.error_of_sensitivity(
            self.sensitivity, self.specificity, n_patients
        )
        return _logit_width(self.sensitivity, error, self.level)

    def is_met(self, reached: float) -> bool:
        """Return whether it is narrow enough."""
        return reached <= self.width


@dataclass(frozen=True, kw_only=True)
class PowerOfDifference:
    """A paired two-sided test finds a true difference of two AUCs.

    Attributes:
        auc: The smaller one.
        difference: To the greater one.
        correlation: Of the two estimates.
        significance: Largest p value that is called significant.
        power: Probability of finding it.
    """

    auc: float
    difference: float
    correlation: float
    significance: float
    power: float

    def __post_init__(self) -> None:
        """Refuse what is no share, and an AUC beyond 1."""
        greater = self.auc + self.difference
        shares = {name: v for name, v in vars(self).items() if name != "correlation"}
        _check_shares(**shares, greater_auc=greater)

    def reached(self, test_set: PlannedTestSet, n_patients: float) -> float:
        """Return the power of the test whose error is estimated, as ours is.

        Hanley and McNeil, and pROC, judge by the error under equality, where both have
        the smaller AUC: they plan for more patients.
        """
        aucs = self.auc, self.auc + self.difference
        error = test_set.error_of_difference(aucs, self.correlation, n_patients)
        return float(ndtr(self.difference / error - ndtri(1 - self.significance / 2)))

    def is_met(self, reached: float) -> bool:
        """Return whether it is enough."""
        return reached >= self.power


@dataclass(frozen=True, kw_only=True)
class PowerOfNonInferiority:
    """A one-sided test rejects that an equally good model is worse by the margin.

    Attributes:
        auc: Of both models.
        margin: Loss of AUC that would still be accepted.
        correlation: Of the two estimates.
        significance: Of the one-sided test: half of a two-sided one's.
        power: Probability of rejecting.
    """

    auc: float
    margin: float
    correlation: float
    significance: float
    power: float

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        shares = {name: v for name, v in vars(self).items() if name != "correlation"}
        _check_shares(**shares)

    def reached(self, test_set: PlannedTestSet, n_patients: float) -> float:
        """Return the power."""
        both = self.auc, self.auc
        error = test_set.error_of_difference(both, self.correlation, n_patients)
        return float(ndtr(self.margin / error - ndtri(1 - self.significance)))

    def is_met(self, reached: float) -> bool:
        """Return whether it is enough."""
        return reached >= self.power


def fewest_patients(question: Question, test_set: PlannedTestSet) -> int:
    """Return the smallest number of patients that answers the question.

    With at least ten images of either class.

    Raises:
        ValueError: If ten million do not.
    """
    rarer = min(test_set.sizes(1.0))
    low, high = int(np.ceil(_FEWEST_IMAGES / rarer)) - 1, _MOST_PATIENTS
    if not question.is_met(question.reached(test_set, high)):
        raise ValueError(
            f"Not even {high:,} patients are enough for {question}; ask for less."
        )
    while high - low > 1:
        middle = (low + high) // 2
        if question.is_met(question.reached(test_set, middle)):
            high = middle
        else:
            low = middle
    return high


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """What a pilot study tells of a test set to come.

    Attributes:
        auc: Of the first model.
        correlation: Of the AUCs of the first two models; NaN of one.
        share_of_cases: Of the images.
        images_per_patient: On average.
        design_effect: The variance of the first model's AUC by patient over that of
            independent images by the formula that plans.
        n_patients: That it tells this from.
    """

    auc: float
    correlation: float
    share_of_cases: float
    images_per_patient: float
    design_effect: float
    n_patients: int


def learn_from_pilot(
    is_case: ArrayLike, scores: ArrayLike, *, cluster: Any, variance: str
) -> Pilot:
    """Return what a table of scores tells of a test set like it.

    Args:
        is_case: Boolean, shape (n,).
        scores: Of one model or several, shape (n, k).
        cluster: Patient of each image, shape (n,).
        variance: One of `VARIANCES`, with which the test set will be planned.

    Raises:
        ValueError: As `estimate_aucs`, and where the variance says nothing.
    """
    truth = as_truth(is_case)
    matrix, _ = as_matrix(scores, n_images=len(truth))
    estimates = estimate_aucs(truth, matrix[:, :2], cluster=cluster)
    if not estimates.has_variance.all():
        raise ValueError(
            "The pilot's AUC is 0 or 1, or its variance unknown: it does not tell how "
            "many patients are needed. Leave that classifier out, or state what is "
            "expected."
        )
    auc, error = float(estimates.auc[0]), estimates.standard_error
    independent = VARIANCES[variance](auc, estimates.n_cases, estimates.n_controls)
    is_paired = len(error) > 1
    return Pilot(
        auc=auc,
        correlation=float(estimates.covariance[0, 1] / error.prod())
        if is_paired
        else np.nan,
        share_of_cases=float(truth.mean()),
        images_per_patient=len(truth) / estimates.n_clusters,
        design_effect=float(error[0] ** 2 / independent),
        n_patients=estimates.n_clusters,
    )


def smallest_detectable_difference(
    standard_error: float, *, significance: float = 0.05, power: float = 0.8
) -> float:
    """Return the true difference that a two-sided test finds with that power.

    NaN for a standard error of 0, which says nothing.

    Args:
        standard_error: Of the estimated difference.
        significance: Largest p value that is called significant; divide it by the
            number of tests for Bonferroni's.
        power: Probability of finding it.
    """
    _check_shares(significance=significance, power=power)
    if not standard_error > 0:
        return np.nan
    return float((ndtri(1 - significance / 2) + ndtri(power)) * standard_error)


def _logit_width(share: float, error: float, level: float) -> float:
    margin = normal_quantile(level) * error / (share * (1 - share))
    return float(expit(logit(share) + margin) - expit(logit(share) - margin))


def _check_shares(**shares: float) -> None:
    for name, value in shares.items():
        if not 0 < value < 1:
            raise ValueError(
                f"{name.replace('_', ' ')} must lie between 0 and 1, got {value}"
            )
