"""P values that account for how many hypotheses were tested.

A p value that is NaN, because its test could not be done, stays NaN and still counts
as one of the family: it was planned.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_DRAWS = 200_000  # of `max_t`: a p value of 0.05 is then known to 0.0005


@dataclass(frozen=True, kw_only=True)
class SimulatedPValues:
    """P values found by simulation, and how well they are known.

    Attributes:
        p_value: Shape (m,).
        monte_carlo_error: Standard error of each from the finite number of draws.
    """

    p_value: NDArray[np.float64]
    monte_carlo_error: NDArray[np.float64]


def bonferroni(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return every p value times their number, at most 1 (Table 5 of the paper).

    Args:
        p_values: Shape (m,).

    Raises:
        ValueError: If a p value lies outside [0, 1].
    """
    p = _as_p_values(p_values)
    return np.minimum(p * p.size, 1.0)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p values after Holm's step-down adjustment (Scand J Stat 1979;6:65).

    The family-wise error is kept as by `bonferroni`, and no p value is larger.

    Args:
        p_values: Shape (m,).

    Raises:
        ValueError: If a p value lies outside [0, 1].
    """
    return _adjust(p_values, method="holm")


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p values that keep the false discovery rate (J R Stat Soc B 1995;57:289).

    Args:
        p_values: Shape (m,).

    Raises:
        ValueError: If a p value lies outside [0, 1].
    """
    return _adjust(p_values, method="fdr_bh")


def max_t(
    z: ArrayLike, correlation: ArrayLike, *, seed: int, n_draws: int = N_DRAWS
) -> SimulatedPValues:
    """Return p values adjusted by the joint distribution of the test statistics.

    The step-down maxT procedure (Westfall and Young 1993, Algorithm 2.8) with the
    statistics jointly normal under the null hypotheses: correlated tests, such as all
    pairs of a few models, are adjusted less than by Bonferroni.

    Args:
        z: The test statistics, shape (m,); NaN where a test could not be done.
        correlation: Of the statistics, shape (m, m), possibly singular; ignored where
            z is NaN.
        seed: Of the simulation.
        n_draws: Simulated families.

    Raises:
        ValueError: If the shapes do not fit, or the correlation of tests that were
            done is no correlation matrix.
    """
    statistics = np.abs(np.asarray(z, dtype=np.float64))
    is_done = np.isfinite(statistics)
    matrix = _as_correlation(correlation, is_done)
    order = np.argsort(-statistics[is_done], kind="stable")
    ordered = statistics[is_done][order]
    draws = _draw_normal(matrix[np.ix_(order, order)], seed=seed, n_draws=n_draws)
    # Largest of the hypotheses that are not rejected before this one: from the right.
    largest = np.maximum.accumulate(np.abs(draws)[:, ::-1], axis=1)[:, ::-1]
    # The observed family is one more draw, so that no p value is 0.
    reached = ((largest >= ordered).sum(axis=0) + 1) / (n_draws + 1)
    adjusted = np.full(statistics.shape, np.nan)
    adjusted[np.flatnonzero(is_done)[order]] = np.maximum.accumulate(reached)
    return SimulatedPValues(
        p_value=adjusted,
        monte_carlo_error=np.sqrt(adjusted * (1 - adjusted) / n_draws),
    )


def _as_p_values(p_values: ArrayLike) -> NDArray[np.float64]:
    p = np.asarray(p_values, dtype=np.float64)
    outside = p[(p < 0) | (p > 1)]
    if outside.size:
        raise ValueError(
            f"P values lie in [0, 1], got {outside[0]}; pass them unadjusted."
        )
    return p


def _adjust(p_values: ArrayLike, *, method: str) -> NDArray[np.float64]:
    # Imported here, because statsmodels takes as long to import as Kedro.
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415

    p = _as_p_values(p_values)
    if not p.size:
        return p
    # A test that could not be done stands last in the order, as if its p were 1.
    adjusted = multipletests(np.where(np.isnan(p), 1.0, p), method=method)[1]
    return np.where(np.isnan(p), np.nan, adjusted)


def _as_correlation(
    correlation: ArrayLike, is_done: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the correlation of the tests that were done."""
    matrix = np.asarray(correlation, dtype=np.float64)
    if matrix.shape != (is_done.size, is_done.size):
        raise ValueError(
            f"The correlation has shape {matrix.shape} for {is_done.size} tests; "
            f"expected one row and one column per test."
        )
    matrix = matrix[np.ix_(is_done, is_done)]
    is_unit = np.allclose(np.diag(matrix), 1) and np.allclose(matrix, matrix.T)
    if not is_unit or (matrix.size and np.linalg.eigvalsh(matrix).min() < -1e-6):
        raise ValueError(
            "The correlation of the tests must be symmetric with ones on its diagonal "
            "and no negative eigenvalue; pass that of the estimated differences."
        )
    return matrix


def _draw_normal(
    correlation: NDArray[np.float64], *, seed: int, n_draws: int
) -> NDArray[np.float64]:
    """Return draws, shape (n_draws, m), of a possibly singular distribution."""
    values, vectors = np.linalg.eigh(correlation)
    factor = vectors * np.sqrt(np.clip(values, 0, None))  # (m, m)
    rng = np.random.default_rng(seed)
    return np.asarray(rng.standard_normal((n_draws, len(correlation))) @ factor.T)
