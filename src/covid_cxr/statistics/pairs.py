"""All pairs of several models compared: one family of correlated tests."""

import itertools
from collections.abc import Sequence
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
    return compare_pairs_of_sets([estimates], estimates.covariance)


def compare_pairs_of_sets(
    sets: Sequence[AucEstimates], covariance: NDArray[np.float64]
) -> PairComparisons:
    """Return every pair of models in each of several sets of AUCs, set after set.

    Args:
        sets: Of k models each, such as for several findings.
        covariance: Of all AUCs, set after set, shape (sets k, sets k).
    """
    pairs, differences, contrasts, start = [], [], [], 0
    for estimates in sets:
        for i, j in itertools.combinations(range(len(estimates.names)), 2):
            contrast = np.zeros(len(covariance))
            contrast[[start + i, start + j]] = 1, -1
            contrasts.append(contrast)
            pairs.append((estimates.names[i], estimates.names[j]))
            differences.append(estimates.compare(i, j))
        start += len(estimates.names)
    errors = np.array([difference.standard_error for difference in differences])
    errors = np.where(errors > 0, errors, np.nan)
    rows = np.reshape(contrasts, (-1, len(covariance)))
    # Elsewhere an unknown covariance would spread: zero times unknown is unknown.
    spread = rows @ np.nan_to_num(covariance, nan=0.0) @ rows.T
    return PairComparisons(
        pairs=tuple(pairs),
        differences=tuple(differences),
        correlation=spread / np.outer(errors, errors),
    )
