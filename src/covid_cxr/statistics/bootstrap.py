"""AUCs of resampled patients: the cross-check of the closed formulas.

Whole patients are drawn with replacement, so that images of one patient stay together,
and within strata of the patients' labels (only cases, only controls, both), so that
every replicate has both classes in about the observed numbers. Intervals are those of
percentiles, or bias-corrected and accelerated (BCa; Efron, JASA 1987;82:171), whose
jackknife leaves out whole patients in closed form: an AUC less the pairs they are in.

Of very many images replicates and jackknife are linear (`LinearAucs`) in a tenth of the
time, unless what that leaves out could be seen.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from covid_cxr.statistics.auc import as_codes, as_matrix, as_truth, placements
from covid_cxr.statistics.linear_aucs import LinearAucs

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Fewer patients of a class than this: with 20 patients in all, BCa intervals of 95 %
# covered 87 to 93 % (benchmarks/coverage.py).
_FEW_PATIENTS = 30
_SECONDS_BETWEEN_WORDS = 5.0
_MANY_IMAGES = 100_000
_MOST_LEFT_OUT = 0.03  # of the standard error: 500 replicates know that to 0.032 of it


@dataclass(frozen=True, kw_only=True)
class BootstrapInterval:
    """Bounds found by resampling, and how well each is known.

    Attributes:
        bounds: Lower and upper, shape (k, 2).
        monte_carlo_error: Standard error of each bound from the finite number of
            replicates, shape (k, 2).
    """

    bounds: Floats
    monte_carlo_error: Floats


@dataclass(frozen=True, kw_only=True)
class BootstrapAucs:
    """AUCs of k models in resampled data.

    Attributes:
        names: The models.
        auc: In the data themselves, shape (k,).
        replicates: Shape (replicates that had both classes, k).
        n_skipped: Replicates that had one class only: none, since patients with images
            of both classes are a stratum of their own.
        jackknife: AUCs with one patient left out in turn, shape (patients, k); NaN
            where that leaves one class.
        n_patients_of_rarer_class: Patients with a case or with a control, whichever
            are fewer.
        left_out: What linear replicates leave out, about, as a share of each standard
            error, shape (k,); None where nothing is.
    """

    names: tuple[str, ...]
    auc: Floats
    replicates: Floats
    n_skipped: int
    jackknife: Floats
    n_patients_of_rarer_class: int = 0
    left_out: Floats | None = None

    @property
    def has_few_patients(self) -> bool:
        """Whether intervals may cover less than they say."""
        return self.n_patients_of_rarer_class < _FEW_PATIENTS

    @property
    def is_degenerate(self) -> NDArray[np.bool_]:
        """Where every replicate is alike, so that its interval says nothing, (k,)."""
        return np.asarray(np.ptp(self.replicates, axis=0) == 0)

    @property
    def standard_error(self) -> Floats:
        """The standard deviation of the replicates, shape (k,)."""
        return np.asarray(self.replicates.std(axis=0, ddof=1))

    def interval(
        self, level: float = 0.95, method: Literal["percentile", "bca"] = "percentile"
    ) -> BootstrapInterval:
        """Return the interval of each AUC.

        Args:
            level: Coverage, between 0 and 1.
            method: `percentile` or `bca`.

        NaN where every replicate is alike, as of a constant or perfect score.

        Raises:
            ValueError: If the level or the method is none of these.
        """
        tails = _tails(level)
        if method not in {"percentile", "bca"}:
            raise ValueError(
                f"The method must be 'percentile' or 'bca', got {method!r}"
            )
        shares = np.tile(tails, (len(self.auc), 1))
        if method == "bca":
            shares = np.stack(
                [self._bca_shares(tails, k) for k in range(len(self.auc))]
            )
        return _unknown_where(self.is_degenerate, _quantiles(self.replicates, shares))

    def compare(
        self, first: str, second: str, *, level: float = 0.95
    ) -> tuple[BootstrapInterval, float]:
        """Return the interval of a difference of AUCs, and its two-sided p value.

        The p value is twice the smaller share of replicates on one side of 0, the
        observed data counted as one of them. Both are NaN where all replicates are
        alike and not 0, as of a perfect and a constant score.

        Args:
            first: A name.
            second: A name; its AUC is taken away.
            level: Coverage of the percentile interval.

        Raises:
            ValueError: If there is no such model.
        """
        i, j = self._position(first), self._position(second)
        differences = (self.replicates[:, i] - self.replicates[:, j])[:, np.newaxis]
        shares = _tails(level)[np.newaxis]
        n_below = int((differences <= 0).sum())
        n_above = int((differences >= 0).sum())
        p_value = min(1.0, 2 * (min(n_below, n_above) + 1) / (len(differences) + 1))
        is_alike = (np.ptp(differences, axis=0) == 0) & (differences[0] != 0)
        found = _unknown_where(is_alike, _quantiles(differences, shares))
        return found, np.nan if is_alike[0] else p_value

    def _bca_shares(self, tails: Floats, k: int) -> Floats:
        """Return which quantiles of the replicates bound the k-th AUC."""
        replicates, auc = self.replicates[:, k], self.auc[k]
        below = (replicates < auc).mean() + (replicates == auc).mean() / 2
        if not 0 < below < 1:  # every replicate on one side: no correction is defined
            return tails
        bias = ndtri(below)
        left_out = self.jackknife[:, k]
        influence = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
        spread = (influence**2).sum()
        acceleration = (influence**3).sum() / (6 * spread**1.5) if spread else 0.0
        moved = bias + ndtri(tails)
        return np.asarray(ndtr(bias + moved / (1 - acceleration * moved)))

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise ValueError(
                f"There is no model {name!r}; expected one of {', '.join(self.names)}"
            )
        return self.names.index(name)


def bootstrap_aucs(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    cluster: Any,
    n_replicates: int = 2000,
    seed: int,
) -> BootstrapAucs:
    """Return the AUC of each model in `n_replicates` resampled sets of patients.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        cluster: Patient of each image, shape (n,); None takes every image as one.
        n_replicates: At least 2.
        seed: Of the draws.

    Raises:
        ValueError: If lengths differ, a class is missing, a score is not finite, a
            cluster is not named, or there are too few replicates.
    """
    truth = as_truth(is_case)
    matrix, names = as_matrix(scores, n_images=len(truth))
    codes = as_codes(cluster, len(truth))
    _check(truth, n_replicates)
    linear = _linear_aucs(truth, matrix, codes)
    models = linear or _WholeAucs(truth, matrix, codes)
    draws = _draw_counts(truth, codes, n_replicates=n_replicates, seed=seed)
    replicates = models.weighted(_with_progress(draws, n_replicates))
    has_both = ~np.isnan(replicates).any(axis=1)
    return BootstrapAucs(
        names=names,
        auc=models.auc,
        replicates=replicates[has_both],
        n_skipped=int((~has_both).sum()),
        jackknife=models.jackknife(),
        n_patients_of_rarer_class=min(
            len(np.unique(codes[truth])), len(np.unique(codes[~truth]))
        ),
        left_out=linear.left_out if linear else None,
    )


def jackknife_aucs(
    is_case: ArrayLike, scores: ArrayLike | pd.DataFrame, *, cluster: Any
) -> Floats:
    """Return the AUC of each model with one patient left out in turn, (patients, k).

    NaN where that leaves one class.

    Args:
        is_case: As for `bootstrap_aucs`.
        scores: Likewise.
        cluster: Likewise.
    """
    truth = as_truth(is_case)
    matrix, _ = as_matrix(scores, n_images=len(truth))
    return _WholeAucs(truth, matrix, as_codes(cluster, len(truth))).jackknife()


def _linear_aucs(
    truth: NDArray[np.bool_], scores: Floats, codes: Integers
) -> LinearAucs | None:
    """Return the AUCs as sums over very many patients; None where that would show."""
    if len(truth) <= _MANY_IMAGES:
        return None
    linear = LinearAucs(truth, scores, codes)
    return linear if linear.left_out.max() <= _MOST_LEFT_OUT else None


class _WholeAucs:
    """The AUCs of k models in patients with weights, from every pair of images."""

    def __init__(
        self, truth: NDArray[np.bool_], scores: Floats, codes: Integers
    ) -> None:
        self._data = truth, scores, codes
        self._models = [_SortedScores(truth, column, codes) for column in scores.T]
        everything = np.ones(int(codes.max()) + 1, dtype=np.uint32)
        self.auc = self.weighted([everything])[0]

    def weighted(self, weights: Iterable[NDArray[np.uint32]]) -> Floats:
        """Return the AUCs with each of the weights, shape (sets, k); NaN for one class.

        Args:
            weights: Each of shape (patients,).
        """
        return np.array(
            [[model.auc(counts) for model in self._models] for counts in weights]
        )

    def jackknife(self) -> Floats:
        """Return the AUCs without each patient in turn, shape (patients, k)."""
        truth, scores, codes = self._data
        left_out = [_leave_one_out(truth, column, codes) for column in scores.T]
        return np.stack(left_out, axis=1)


class _SortedScores:
    """One model's scores, sorted once, so that a resampled AUC takes linear time.

    Whole numbers throughout, up to the last division: the order of sums does not show.
    """

    def __init__(
        self, truth: NDArray[np.bool_], scores: Floats, codes: Integers
    ) -> None:
        order = np.argsort(scores, kind="stable")
        ordered = scores[order]
        # Equal scores form one step of the ROC curve.
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        ends = np.append(starts[1:], len(ordered))
        is_case = truth[order]
        cases = np.flatnonzero(is_case)
        step = np.searchsorted(starts, cases, side="right") - 1
        controls_before = np.append(0, np.cumsum(~is_case))
        # Half of the controls with a case's own score count as below it.
        self._from = controls_before[starts[step]].astype(np.int32)
        self._to = controls_before[ends[step]].astype(np.int32)
        self._has_ties = bool((self._from != self._to).any())
        self._cases = codes[order[cases]].astype(np.int32)
        self._controls = codes[order[~is_case]].astype(np.int32)

    def auc(self, counts: NDArray[np.uint32]) -> float:
        """Return the AUC with every patient counted so often; NaN for one class.

        Args:
            counts: Shape (patients,).
        """
        smallest = np.min_scalar_type(int(counts.max()))  # the faster to look up
        counts = counts.astype(smallest)
        cases = counts[self._cases].astype(np.int64)
        below = np.zeros(len(self._controls) + 1, dtype=np.int64)
        np.cumsum(counts[self._controls], dtype=np.int64, out=below[1:])
        n_pairs = int(cases.sum()) * int(below[-1])
        if n_pairs == 0:
            return float("nan")
        first = below[self._from]
        last = below[self._to] if self._has_ties else first
        return float(int(cases @ first + cases @ last) / 2 / n_pairs)


def _leave_one_out(truth: NDArray[np.bool_], scores: Floats, codes: Integers) -> Floats:
    """Return the AUC without each patient in turn; NaN where that leaves one class.

    Args:
        truth: Shape (n,).
        scores: Of one model, shape (n,).
        codes: Patient of each image as 0, 1, …, shape (n,).
    """
    m, n = int(truth.sum()), int((~truth).sum())
    # Pairs of the image in which the case scores higher.
    won = np.where(truth, n, m) * placements(truth, scores)
    lost = np.bincount(codes, weights=won) - _won_within(truth, scores, codes)
    m_left = m - np.bincount(codes, weights=truth)
    n_left = n - np.bincount(codes, weights=~truth)
    n_pairs = m_left * n_left
    left_out = np.full(len(lost), np.nan)
    np.divide(won[truth].sum() - lost, n_pairs, out=left_out, where=n_pairs > 0)
    return left_out


def _won_within(truth: NDArray[np.bool_], scores: Floats, codes: Integers) -> Floats:
    """Return how many pairs of a patient's own images are in order, ties as half."""
    order = np.lexsort((scores, codes))
    is_case, patient, ordered = truth[order], codes[order], scores[order]
    is_new = np.append(False, (np.diff(patient) != 0) | (np.diff(ordered) != 0))
    step = np.cumsum(is_new)
    cases, controls = (np.bincount(step, weights=kind) for kind in (is_case, ~is_case))
    owner = patient[np.append(True, is_new[1:])]
    below = np.cumsum(controls) - controls / 2
    others = np.cumsum(np.bincount(owner, weights=controls))  # of patients up to this
    before = np.append(0, others)[owner]
    return np.asarray(np.bincount(owner, weights=cases * (below - before)), np.float64)


def _draw_counts(
    truth: NDArray[np.bool_], codes: Integers, *, n_replicates: int, seed: int
) -> Iterator[NDArray[np.uint32]]:
    """Yield how often each patient is drawn, shape (patients,); in one array."""
    n_clusters = int(codes.max()) + 1
    with_case = np.bincount(codes, weights=truth, minlength=n_clusters) > 0
    with_control = np.bincount(codes, weights=~truth, minlength=n_clusters) > 0
    stratum = with_case + 2 * with_control
    rng = np.random.default_rng(seed)
    strata = [np.flatnonzero(stratum == kind) for kind in np.unique(stratum)]
    counts = np.zeros(n_clusters, dtype=np.uint32)
    for _ in range(n_replicates):
        for patients in strata:
            drawn = rng.integers(0, len(patients), size=len(patients))
            counts[patients] = np.bincount(drawn, minlength=len(patients))
        yield counts


def _with_progress(
    draws: Iterator[NDArray[np.uint32]], n_replicates: int
) -> Iterator[NDArray[np.uint32]]:
    """Yield the draws; where they take long, say now and then how many are done."""
    said = time.monotonic()
    for done, counts in enumerate(draws):
        if time.monotonic() - said > _SECONDS_BETWEEN_WORDS:
            said = time.monotonic()
            logger.info("Bootstrap: %d of %d replicates", done, n_replicates)
        yield counts


def _quantiles(replicates: Floats, shares: Floats) -> BootstrapInterval:
    """Return quantiles of each column with their binomial standard errors.

    Args:
        replicates: Shape (b, k).
        shares: Which quantiles, shape (k, 2).
    """
    spread = np.sqrt(shares * (1 - shares) / len(replicates))

    def at(moved: Floats) -> Floats:
        inside = np.clip(moved, 0, 1)
        columns = zip(replicates.T, inside, strict=True)
        return np.array([np.quantile(column, share) for column, share in columns])

    return BootstrapInterval(
        bounds=at(shares),
        monte_carlo_error=(at(shares + spread) - at(shares - spread)) / 2,
    )


def _unknown_where(
    is_unknown: NDArray[np.bool_], found: BootstrapInterval
) -> BootstrapInterval:
    """Return the intervals with NaN where replicates that are all alike say nothing."""
    rows = is_unknown[:, np.newaxis]
    return BootstrapInterval(
        bounds=np.where(rows, np.nan, found.bounds),
        monte_carlo_error=np.where(rows, np.nan, found.monte_carlo_error),
    )


def _tails(level: float) -> Floats:
    """Return the shares below the lower and below the upper bound."""
    if not 0 < level < 1:
        raise ValueError(f"The level must lie between 0 and 1, as in 0.95, got {level}")
    return np.array([(1 - level) / 2, (1 + level) / 2])


def _check(truth: NDArray[np.bool_], n_replicates: int) -> None:
    if n_replicates < 2 or truth.all() or not truth.any():
        raise ValueError(
            f"A bootstrap needs cases, controls and at least 2 replicates, got "
            f"{truth.sum()} cases, {(~truth).sum()} controls and {n_replicates} "
            f"replicates."
        )
