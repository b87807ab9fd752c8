"""Sensitivity and specificity where the reference is itself a test that errs.

RT-PCR misses patients with COVID-19, and the finding of a report is somebody's reading.
With the reference's own sensitivity and specificity from elsewhere, the classifier's
follow if both err independently given the truth (Staquet et al., J Chronic Dis
1981;34:599). If they may err together, no more than bounds follow.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import as_codes, as_truth
from covid_cxr.statistics.clustered_mean import ClusteredMean, clustered_mean

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What is known of the reference test.

    Attributes:
        sensitivity: Share of patients with the disease whom it finds, in (0, 1].
        specificity: Share of the others whom it leaves, in (0, 1].
    """

    sensitivity: float
    specificity: float

    def __post_init__(self) -> None:
        """Refuse what is no test."""
        shares = self.sensitivity, self.specificity
        if not all(0 < share <= 1 for share in shares) or sum(shares) <= 1:
            raise ValueError(
                f"A reference has a sensitivity and a specificity in (0, 1] that are "
                f"together more than 1, got {shares[0]} and {shares[1]}."
            )

    def prevalence(self, share_positive: float) -> float:
        """Return the share with the disease (Rogan and Gladen 1978).

        Args:
            share_positive: By the reference.

        Raises:
            ValueError: If so many positives do not agree with the reference.
        """
        found = (share_positive + self.specificity - 1) / (
            self.sensitivity + self.specificity - 1
        )
        if not 0 < found < 1:
            raise ValueError(
                f"{100 * share_positive:.3g} % are positive by the reference, which "
                f"does not agree with its sensitivity of {self.sensitivity} and "
                f"specificity of {self.specificity}; correct these."
            )
        return found


@dataclass(frozen=True, kw_only=True)
class CorrectedPerformance:
    """Sensitivity and specificity for the disease, not for the reference.

    Attributes:
        sensitivity: If classifier and reference err independently; it leaves [0, 1]
            where the data speak against that.
        specificity: Likewise.
        sensitivity_bounds: However they err, in these images; without sampling error.
        specificity_bounds: Likewise.
        prevalence: Of the disease among the images.
    """

    sensitivity: ClusteredMean
    specificity: ClusteredMean
    sensitivity_bounds: tuple[float, float]
    specificity_bounds: tuple[float, float]
    prevalence: float


def correct_for_reference(
    is_case: ArrayLike, is_called: ArrayLike, *, reference: Reference, cluster: Any
) -> CorrectedPerformance:
    """Return what a classifier's calls are worth against the truth.

    Intervals take the reference's own sensitivity and specificity for known.

    Args:
        is_case: By the reference, shape (n,), boolean.
        is_called: By the classifier, shape (n,), boolean.
        reference: What is known of it.
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If lengths differ, values are no booleans, or the positives do not
            agree with the reference.
    """
    positive, called = as_truth(is_case), as_truth(is_called)
    if positive.shape != called.shape:
        raise ValueError(f"{len(called)} calls were given for {len(positive)} images.")
    codes = as_codes(cluster, len(positive))
    prevalence = reference.prevalence(float(positive.mean()))
    mirrored = Reference(
        sensitivity=reference.specificity, specificity=reference.sensitivity
    )
    return CorrectedPerformance(
        sensitivity=_corrected(positive, called, reference, codes),
        specificity=_corrected(~positive, ~called, mirrored, codes),
        sensitivity_bounds=_bounds(positive, called, reference, prevalence),
        specificity_bounds=_bounds(~positive, ~called, mirrored, 1 - prevalence),
        prevalence=prevalence,
    )


def _corrected(
    positive: NDArray[np.bool_],
    called: NDArray[np.bool_],
    reference: Reference,
    codes: NDArray[np.int64],
) -> ClusteredMean:
    """Return a ratio of two means with the error of its linear part, by patient."""
    found = called * (reference.specificity - ~positive)
    whole = positive - (1 - reference.specificity)
    share = found.mean() / whole.mean()
    return clustered_mean(share + (found - share * whole) / whole.mean(), codes)


def _bounds(
    positive: NDArray[np.bool_],
    called: NDArray[np.bool_],
    reference: Reference,
    diseased: float,
) -> tuple[float, float]:
    """Return the least and greatest share of the diseased who may be called."""
    both = float((positive & called).mean())
    only_called = float((~positive & called).mean())
    found = reference.sensitivity * diseased
    missed = diseased - found
    least = max(0.0, both - (float(positive.mean()) - found))
    least += max(0.0, only_called - (float((~positive).mean()) - missed))
    most = min(both, found) + min(only_called, missed)
    return least / diseased, most / diseased
