"""What a test set of this size can and cannot show."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri


@dataclass(frozen=True, kw_only=True)
class PlannedTestSet:
    """The size of a test set, and how alike the images of one patient are.

    Attributes:
        n_cases: Images with the finding.
        n_controls: Images without it.
        images_per_patient: On average, at least 1.
        within_patient_correlation: Of the scores, in [0, 1].
    """

    n_cases: int
    n_controls: int
    images_per_patient: float = 1.0
    within_patient_correlation: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no test set."""
        if min(self.n_cases, self.n_controls) < 2 or self.images_per_patient < 1:
            raise ValueError(
                f"A test set has at least 2 cases, 2 controls and 1 image per patient, "
                f"got {self.n_cases}, {self.n_controls} and {self.images_per_patient}."
            )
        if not 0 <= self.within_patient_correlation <= 1:
            raise ValueError(
                f"The correlation within patients lies in [0, 1], got "
                f"{self.within_patient_correlation}."
            )

    @property
    def design_effect(self) -> float:
        """How much larger a variance is than with independent images."""
        return 1 + (self.images_per_patient - 1) * self.within_patient_correlation

    def standard_error(self, auc: float) -> float:
        """Return the expected standard error of an AUC (Hanley and McNeil 1982).

        Args:
            auc: In (0, 1).
        """
        if not 0 < auc < 1:
            raise ValueError(f"A planned AUC lies between 0 and 1, got {auc}.")
        q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
        m, n = self.n_cases, self.n_controls
        spread = (
            auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)
        ) / (m * n)
        return float(np.sqrt(spread * self.design_effect))

    def standard_error_of_difference(self, auc: float, correlation: float) -> float:
        """Return that of a difference of two AUCs about `auc`.

        Args:
            auc: In (0, 1).
            correlation: Of the two estimates, in [-1, 1); 0.5 is common for models
                that read the same images.
        """
        if not -1 <= correlation < 1:
            raise ValueError(
                f"The correlation of two AUCs lies in [-1, 1), got {correlation}."
            )
        return self.standard_error(auc) * float(np.sqrt(2 * (1 - correlation)))


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
    _check_share("significance", significance)
    _check_share("power", power)
    if not standard_error > 0:
        return np.nan
    return float((ndtri(1 - significance / 2) + ndtri(power)) * standard_error)


def power_to_detect(
    difference: float, standard_error: float, *, significance: float = 0.05
) -> float:
    """Return the probability that a two-sided test finds a true difference.

    Args:
        difference: Of the AUCs.
        standard_error: Of the estimated difference, above 0.
        significance: Largest p value that is called significant.
    """
    _check_share("significance", significance)
    limit, shift = ndtri(1 - significance / 2), abs(difference) / standard_error
    return float(ndtr(shift - limit) + ndtr(-shift - limit))


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")
