"""Predictive values of classifiers at a stated prevalence, with their covariance.

At a prevalence with the odds o, and with r the sensitivity and w one minus the
specificity, PPV = ro / (ro + w); NPV likewise with the classes exchanged. What an
image adds is the derivative by its weight, summed by patient as for areas (`auc`), so
that intervals (on log odds: Mercaldo et al., Stat Med 2007;26:2170), paired tests and
tests against a margin are those of `AucEstimates`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import (
    AucDifference,
    AucEstimates,
    PlacementSums,
    as_codes,
    as_truth,
    check_classes,
    estimates_from,
    sum_by_patient,
)
from covid_cxr.statistics.paired_calls import as_calls

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PredictiveValues(AucEstimates):
    """Predictive values of k classifiers, as `AucEstimates`."""

    def compare(self, first: str | int, second: str | int) -> AucDifference:
        """Return a paired difference, without an error where one value is 0 or 1.

        No called image of the other class varies there, and what is left of the error
        is the other classifier's alone (benchmarks/margins.py).

        Args:
            first: A name, or a position among the names.
            second: Likewise; its value is taken away.
        """
        found = super().compare(first, second)
        is_sure = self.is_at_boundary[[self._position(k) for k in (first, second)]]
        if is_sure[0] == is_sure[1]:
            return found
        return replace(found, standard_error=np.nan)


@dataclass(frozen=True, kw_only=True)
class CalledImages:
    """What k classifiers call positive, summed by patient.

    Attributes:
        right: Share of the cases that each calls, shape (k,).
        wrong: Share of the controls, shape (k,).
        sums: Of called less `right` over a patient's cases, and less `wrong` over the
            controls.
    """

    right: Floats
    wrong: Floats
    sums: PlacementSums

    def predictive_values(
        self, prevalence: float
    ) -> tuple[PredictiveValues, PredictiveValues]:
        """Return the positive and the negative predictive values.

        NaN where a classifier calls nothing, or everything.

        Args:
            prevalence: Of cases where the classifiers are to be used, in (0, 1).

        Raises:
            ValueError: If the prevalence is none.
        """
        if not 0 < prevalence < 1:
            raise ValueError(
                f"The prevalence must lie between 0 and 1, got {prevalence}"
            )
        odds = prevalence / (1 - prevalence)
        sums = self.sums
        turned = replace(
            sums,
            cases=-sums.controls,
            controls=-sums.cases,
            n_cases=sums.n_controls,
            n_controls=sums.n_cases,
            n_with_case=sums.n_with_control,
            n_with_control=sums.n_with_case,
        )
        return (
            _estimate(self.right, self.wrong, odds, sums),
            _estimate(1 - self.wrong, 1 - self.right, 1 / odds, turned),
        )


def sum_calls(
    is_case: ArrayLike, is_called: ArrayLike, *, cluster: Any
) -> CalledImages:
    """Return what is called, for predictive values at any prevalence.

    Args:
        is_case: Boolean, shape (n,).
        is_called: Whether each classifier calls the image positive, shape (n, k).
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If a class is missing, or lengths differ.
    """
    truth = as_truth(is_case)
    check_classes(truth)
    called = as_calls(is_called, len(truth)).T
    right, wrong = called[:, truth].mean(axis=1), called[:, ~truth].mean(axis=1)
    added = called - np.where(truth, right[:, np.newaxis], wrong[:, np.newaxis])
    sums = sum_by_patient(added, truth, as_codes(cluster, len(truth)))
    return CalledImages(right=right, wrong=wrong, sums=sums)


def _estimate(
    right: Floats, wrong: Floats, odds: float, sums: PlacementSums
) -> PredictiveValues:
    """Return the share of a class among what is called, at its odds."""
    whole = right * odds + wrong
    whole = np.where(whole > 0, whole, np.nan)
    of_right, of_wrong = odds * wrong / whole**2, -odds * right / whole**2
    moved = replace(
        sums,
        cases=sums.cases * of_right[:, np.newaxis],
        controls=sums.controls * of_wrong[:, np.newaxis],
    )
    names = tuple(f"model {k + 1}" for k in range(len(right)))
    # Pairs in order bound an area, but no predictive value.
    found = estimates_from(names, right * odds / whole, moved)
    return PredictiveValues(**vars(replace(found, n_independent_pairs=0)))
