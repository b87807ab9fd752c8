"""All pairs of several models compared: one family of correlated tests."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from covid_cxr.statistics.auc import AucDifference, AucEstimates
from covid_cxr.statistics.multiplicity import (
    SimulatedPValues,
    benjamini_hochberg,
    bonferroni,
    holm,
    max_t,
)

# Of which the normal quantile is still finite.
_SMALLEST = np.finfo(np.float64).tiny


@dataclass(frozen=True, kw_only=True)
class PairComparisons:
    """The differences of all m = k(k-1)/2 pairs of k AUCs.

    Attributes:
        pairs: Names of the first and the second model of each pair, m of them.
        differences: First minus second, m of them.
        correlation: Of the estimated differences, shape (m, m); NaN where a standard
            error is 0 or unknown.
    """

    pairs: tuple[tuple[str, str], ...]
    differences: tuple[AucDifference, ...]
    correlation: NDArray[np.float64]

    @property
    def p_value(self) -> NDArray[np.float64]:
        """The p values as they are, shape (m,)."""
        return np.array([difference.p_value for difference in self.differences])

    @property
    def bonferroni(self) -> NDArray[np.float64]:
        """The p values times m, at most 1."""
        return bonferroni(self.p_value)

    @property
    def holm(self) -> NDArray[np.float64]:
        """The p values after Holm's adjustment."""
        return holm(self.p_value)

    @property
    def benjamini_hochberg(self) -> NDArray[np.float64]:
        """The p values that keep the false discovery rate."""
        return benjamini_hochberg(self.p_value)

    def max_t(self, *, seed: int) -> SimulatedPValues:
        """Return the p values adjusted by the joint covariance of the differences.

        What is compared with jointly normal draws are the normal quantiles of the p
        values: where these are Student's, the statistics themselves would say too much.
        Models that rank alike have a p value of 1, whatever the others do.
        """
        has_error = np.array([d.standard_error > 0 for d in self.differences])
        tail = np.maximum(self.p_value / 2, _SMALLEST)
        z = np.where(has_error, -ndtri(tail), np.nan)
        simulated = max_t(z, self.correlation, seed=seed)
        is_same = ~has_error & (self.p_value == 1)
        return SimulatedPValues(
            p_value=np.where(is_same, 1.0, simulated.p_value),
            monte_carlo_error=np.where(is_same, 0.0, simulated.monte_carlo_error),
        )


def compare_all_pairs(estimates: AucEstimates) -> PairComparisons:
    """Return the comparison of each model with each later one, in their order."""
    positions = list(itertools.combinations(range(len(estimates.names)), 2))
    contrasts = np.zeros((len(positions), len(estimates.names)))
    for row, (first, second) in zip(contrasts, positions, strict=True):
        row[[first, second]] = 1, -1
    differences = tuple(estimates.compare(i, j) for i, j in positions)
    errors = np.array([difference.standard_error for difference in differences])
    covariance = contrasts @ estimates.covariance @ contrasts.T
    errors = np.where(errors > 0, errors, np.nan)
    return PairComparisons(
        pairs=tuple((estimates.names[i], estimates.names[j]) for i, j in positions),
        differences=differences,
        correlation=covariance / np.outer(errors, errors),
    )
