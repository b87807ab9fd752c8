"""Areas under ROC curves with their joint covariance, by image or by patient.

Notation of DeLong et al. 1988: the placement V10 of a case is the share of controls
with a lower score, the placement V01 of a control the share of cases with a higher
score; a tie counts one half. The AUC is the mean of either. Without clusters the
covariance is DeLong's, from sorted scores as in Sun and Xu 2014 (O(n log n)); with
clusters it is Obuchowski's (Biometrics 1997;53:567), who sums placements per patient.
Quantiles are normal for independent images, as in the paper. With clusters they are
Student's, with the degrees of freedom of Satterthwaite (Biometrics Bulletin 1946;2:110)
for the patients with cases and those with controls: twenty patients say less of a
variance than two hundred (benchmarks/coverage.py).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

# Not scipy.stats: importing it takes as long as Kedro's whole start.
from scipy.special import expit, logit, ndtri, stdtr, stdtrit

# A variance below this share of its terms is rounding error, not information.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class VarianceParts:
    """What the variances of clustered AUCs are made of.

    Attributes:
        of_cases: Covariance from the patients' sums over cases, shape (k, k).
        of_controls: Likewise over controls.
        n_case_clusters: Patients with a case.
        n_control_clusters: Patients with a control.
    """

    of_cases: NDArray[np.float64]
    of_controls: NDArray[np.float64]
    n_case_clusters: int
    n_control_clusters: int

    def degrees_of_freedom(
        self, contrast: NDArray[np.float64], variance: float
    ) -> float:
        """Return Satterthwaite's degrees of freedom for a sum of AUCs.

        Args:
            contrast: What each AUC is multiplied by, shape (k,).
            variance: Of the sum.
        """
        cases = float(contrast @ self.of_cases @ contrast)
        controls = float(contrast @ self.of_controls @ contrast)
        spread = cases**2 / (self.n_case_clusters - 1) + controls**2 / (
            self.n_control_clusters - 1
        )
        most = self.n_case_clusters + self.n_control_clusters - 2
        return most if spread == 0 else float(np.clip(variance**2 / spread, 1, most))


@dataclass(frozen=True, kw_only=True)
class AucDifference:
    """A difference of two correlated AUCs, and what is known of it.

    Attributes:
        estimate: The first AUC minus the second.
        standard_error: NaN where a class has fewer than two clusters.
        z: Estimate over standard error; 0 for models that rank alike.
        p_value: Two-sided; 1 for models that rank alike, NaN where the standard
            error is unknown, or 0 although the AUCs differ.
        degrees_of_freedom: Of the variance; infinite for independent images.
    """

    estimate: float
    standard_error: float
    z: float
    p_value: float
    degrees_of_freedom: float = np.inf

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the symmetric interval that covers at `level`."""
        margin = _quantile(level, self.degrees_of_freedom) * self.standard_error
        return self.estimate - margin, self.estimate + margin


@dataclass(frozen=True, kw_only=True)
class AucEstimates:
    """AUCs of k models on the same cases and controls.

    Attributes:
        names: The models.
        auc: Shape (k,).
        covariance: Of the k estimates, shape (k, k); NaN where a class has fewer
            than two clusters.
        n_cases: Images with the finding.
        n_controls: Images without it.
        n_clusters: Patients; images where no clusters were named.
        n_independent_pairs: Pairs of a case and a control that share no cluster with
            another such pair; what an AUC of 0 or 1 is judged by.
        variance_parts: None for independent images: quantiles are then normal.
    """

    names: tuple[str, ...]
    auc: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n_cases: int
    n_controls: int
    n_clusters: int
    n_independent_pairs: int = 0
    variance_parts: VarianceParts | None = None

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """The standard errors, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def is_at_boundary(self) -> NDArray[np.bool_]:
        """Where the AUC is 0 or 1, so that its variance says nothing, shape (k,)."""
        return np.isin(self.auc, (0.0, 1.0))

    def interval(
        self, level: float = 0.95, method: Literal["wald", "logit"] = "wald"
    ) -> NDArray[np.float64]:
        """Return lower and upper bounds, shape (k, 2).

        Args:
            level: Coverage, between 0 and 1.
            method: `wald` adds and subtracts a multiple of the standard error, as the
                paper did, and may leave [0, 1]; `logit` does so with the log odds and
                stays inside. At an AUC of 0 or 1, where the variance says nothing, a
                Wald interval has no width; the other end of a logit interval is then
                the exact bound from pairs that are independent of each other.

        Raises:
            ValueError: If the level or the method is none of these.
        """
        everything = np.eye(len(self.auc))
        freedom = np.array([self._degrees_of_freedom(row) for row in everything])
        quantile = _quantile(level, freedom)
        if method == "wald":
            margin = quantile * self.standard_error
            return np.stack([self.auc - margin, self.auc + margin], axis=1)
        if method != "logit":
            raise ValueError(f"The method must be 'wald' or 'logit', got {method!r}")
        inside = np.where(self.is_at_boundary, np.nan, self.auc)
        margin = quantile * self.standard_error / (inside * (1 - inside))
        bounds = expit([logit(inside) - margin, logit(inside) + margin]).T
        bounds[self.is_at_boundary] = self._exact_bounds(level)[self.is_at_boundary]
        return np.asarray(bounds)

    def compare(self, first: str | int, second: str | int) -> AucDifference:
        """Return the AUC of `first` minus that of `second`, tested as a pair.

        Args:
            first: A name, or a position among the names.
            second: Likewise.

        Raises:
            ValueError: If there is no such model.
        """
        i, j = self._position(first), self._position(second)
        estimate = float(self.auc[i] - self.auc[j])
        scale = float(self.covariance[i, i] + self.covariance[j, j])
        variance = scale - 2 * float(self.covariance[i, j])
        if variance <= _ROUNDING * scale:  # not so where the variance is NaN
            is_same = abs(estimate) <= _ROUNDING
            z, p_value = (0.0, 1.0) if is_same else (np.nan, np.nan)
            return AucDifference(
                estimate=estimate, standard_error=0.0, z=z, p_value=p_value
            )
        standard_error = float(np.sqrt(variance))
        z = estimate / standard_error
        contrast = np.zeros(len(self.auc))
        contrast[[i, j]] = 1, -1
        freedom = self._degrees_of_freedom(contrast)
        return AucDifference(
            estimate=estimate,
            standard_error=standard_error,
            z=z,
            p_value=float(2 * stdtr(freedom, -abs(z))),
            degrees_of_freedom=freedom,
        )

    def _degrees_of_freedom(self, contrast: NDArray[np.float64]) -> float:
        if self.variance_parts is None:
            return np.inf
        variance = float(contrast @ self.covariance @ contrast)
        return self.variance_parts.degrees_of_freedom(contrast, variance)

    def _exact_bounds(self, level: float) -> NDArray[np.float64]:
        """Return intervals for models that order every pair rightly, or wrongly.

        If a pair is ordered rightly with probability A, r independent ones all are
        with probability A^r, so that no A below ((1 - level) / 2)^(1 / r) agrees with
        the data. Nothing is known where no two pairs are independent.
        """
        if self.n_independent_pairs < 2:
            return np.full((len(self.auc), 2), np.nan)
        bound = ((1 - level) / 2) ** (1 / self.n_independent_pairs)
        is_perfect = (self.auc == 1)[:, np.newaxis]
        return np.where(is_perfect, [bound, 1.0], [0.0, 1 - bound])

    def _position(self, model: str | int) -> int:
        if isinstance(model, int) and 0 <= model < len(self.names):
            return model
        if model in self.names:
            return self.names.index(str(model))
        raise ValueError(
            f"There is no model {model!r}; expected one of {', '.join(self.names)}"
        )


def estimate_aucs(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    cluster: Sequence[Hashable] | NDArray[Any] | pd.Series | None = None,
) -> AucEstimates:
    """Return the AUC of each model with their joint covariance.

    Args:
        is_case: Boolean, shape (n,): True with the finding.
        scores: Shape (n, k), or (n,) for one model, or a table with a column per
            model; the higher, the more likely a case.
        cluster: Patient of each image, shape (n,). None takes every image as
            independent, as the paper does; several images of a patient then make
            intervals too narrow.

    Raises:
        ValueError: If lengths differ, a class is missing, a score is not finite or
            a cluster is not named.
    """
    truth = as_truth(is_case)
    matrix, names = as_matrix(scores, n_images=len(truth))
    n_cases = int(truth.sum())
    n_controls = len(truth) - n_cases
    _check_classes(n_cases=n_cases, n_controls=n_controls)
    codes = as_codes(cluster, len(truth))

    placements = np.empty_like(matrix)  # V10 of the cases, V01 of the controls
    for k in range(matrix.shape[1]):
        cases, controls = matrix[truth, k], matrix[~truth, k]
        placements[truth, k] = share_below(controls, cases)
        placements[~truth, k] = 1 - share_below(cases, controls)
    auc = placements[truth].mean(axis=0)
    covariance, parts = _clustered_covariance(placements - auc, truth, codes)
    has_several_images = int(codes.max()) + 1 < len(truth)
    return AucEstimates(
        names=names,
        auc=auc,
        covariance=covariance,
        n_cases=n_cases,
        n_controls=n_controls,
        n_clusters=int(codes.max()) + 1,
        n_independent_pairs=_count_independent_pairs(truth, codes),
        variance_parts=parts if has_several_images else None,
    )


def _clustered_covariance(
    deviations: NDArray[np.float64],
    truth: NDArray[np.bool_],
    codes: NDArray[np.int64],
) -> tuple[NDArray[np.float64], VarianceParts | None]:
    """Obuchowski's estimate and its parts; with one image per cluster, DeLong's.

    NaN and None where a class has fewer than two clusters.
    """
    n_clusters = int(codes.max()) + 1
    m, n = int(truth.sum()), int((~truth).sum())
    a = _sum_by_cluster(deviations[truth], codes[truth], n_clusters)  # (clusters, k)
    b = _sum_by_cluster(deviations[~truth], codes[~truth], n_clusters)
    with_cases = len(np.unique(codes[truth]))
    with_controls = len(np.unique(codes[~truth]))
    if min(with_cases, with_controls) < 2:
        return np.full((deviations.shape[1],) * 2, np.nan), None
    s10 = with_cases / (with_cases - 1) * (a.T @ a)
    s01 = with_controls / (with_controls - 1) * (b.T @ b)
    s11 = n_clusters / (n_clusters - 1) * (a.T @ b)
    parts = VarianceParts(
        of_cases=s10 / m**2,
        of_controls=s01 / n**2,
        n_case_clusters=with_cases,
        n_control_clusters=with_controls,
    )
    covariance = parts.of_cases + parts.of_controls + (s11 + s11.T) / (m * n)
    return covariance, parts


def _count_independent_pairs(truth: NDArray[np.bool_], codes: NDArray[np.int64]) -> int:
    """Return how many case-control pairs can be drawn from clusters used once each."""
    with_case, with_control = np.unique(codes[truth]), np.unique(codes[~truth])
    n_clusters = len(np.union1d(with_case, with_control))
    return int(min(len(with_case), len(with_control), n_clusters // 2))


def _sum_by_cluster(
    values: NDArray[np.float64], codes: NDArray[np.int64], n_clusters: int
) -> NDArray[np.float64]:
    sums = [np.bincount(codes, weights=v, minlength=n_clusters) for v in values.T]
    return np.stack(sums, axis=1)


def share_below(
    reference: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of `reference` below each value; a tie counts one half."""
    ordered = np.sort(reference)
    # Looking up in ascending order walks through memory: several times faster.
    order = np.argsort(values)
    below = np.searchsorted(ordered, values[order], side="left")
    not_above = np.searchsorted(ordered, values[order], side="right")
    shares = np.empty(len(values))
    shares[order] = (below + not_above) / (2 * len(reference))
    return shares


def as_truth(is_case: ArrayLike) -> NDArray[np.bool_]:
    """Return one boolean per image, or refuse what is none."""
    truth = np.asarray(is_case)
    if truth.ndim != 1 or truth.dtype != np.bool_:
        raise ValueError(
            f"is_case must be one boolean per image, got shape {truth.shape} of "
            f"{truth.dtype}; drop the images whose label is unknown and convert the "
            "rest with astype(bool)."
        )
    return truth


def as_matrix(
    scores: ArrayLike | pd.DataFrame, *, n_images: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return finite scores, shape (n, k), and the names of the k models."""
    matrix = np.asarray(scores, dtype=np.float64)
    if matrix.ndim == 1:
        matrix = matrix[:, np.newaxis]
    if matrix.ndim != 2 or matrix.shape[0] != n_images or matrix.shape[1] == 0:
        raise ValueError(
            f"The scores have shape {matrix.shape} for {n_images} images; expected one "
            "row per image and one column per model."
        )
    if isinstance(scores, pd.DataFrame):
        names = tuple(str(column) for column in scores.columns)
    else:
        names = tuple(f"model {k + 1}" for k in range(matrix.shape[1]))
    n_unusable = np.count_nonzero(~np.isfinite(matrix), axis=0)
    if n_unusable.any():
        found = ", ".join(
            f"{n} of {name!r}" for name, n in zip(names, n_unusable, strict=True) if n
        )
        raise ValueError(
            f"Scores must be finite numbers, but of {n_images} images these are NaN or "
            f"infinite: {found}. Score those images again or leave them out for all "
            "models alike."
        )
    return matrix, names


def as_probabilities(probability: ArrayLike, *, n_images: int) -> NDArray[np.float64]:
    """Return one probability per image, or refuse what is none."""
    values = np.asarray(probability, dtype=np.float64)
    n_outside = np.count_nonzero(~((values >= 0) & (values <= 1)))
    if values.shape != (n_images,) or n_outside:
        raise ValueError(
            f"Expected {n_images} probabilities on [0, 1], one per image, got shape "
            f"{values.shape} with {n_outside} outside; scores of another scale must be "
            "turned into probabilities first."
        )
    return values


def as_codes(
    cluster: Sequence[Hashable] | NDArray[Any] | pd.Series | None, n_images: int
) -> NDArray[np.int64]:
    """Return the clusters numbered 0, 1, … in order of appearance.

    None makes every image a cluster of its own.
    """
    if cluster is None:
        return np.arange(n_images)
    codes, _ = pd.factorize(np.asarray(cluster))
    if len(codes) != n_images:
        raise ValueError(
            f"{len(codes)} clusters were named for {n_images} images; expected the "
            "patient of each image."
        )
    n_unnamed = int((codes < 0).sum())
    if n_unnamed:
        raise ValueError(
            f"{n_unnamed} of {n_images} images have no cluster; name the patient of "
            "each, or a name of its own where the patient is not known."
        )
    return codes.astype(np.int64)


def _check_classes(*, n_cases: int, n_controls: int) -> None:
    if min(n_cases, n_controls) == 0:
        raise ValueError(
            f"An AUC needs cases and controls, got {n_cases} cases and {n_controls} "
            "controls; leave this finding out or evaluate on a larger part."
        )


def normal_quantile(level: float) -> float:
    """Return how many standard errors an interval of that coverage reaches."""
    if not 0 < level < 1:
        raise ValueError(f"The level must lie between 0 and 1, as in 0.95, got {level}")
    return float(ndtri((1 + level) / 2))


def _quantile(level: float, degrees_of_freedom: float | NDArray[np.float64]) -> Any:
    """Return Student's quantile for each degrees of freedom; normal for infinite."""
    normal = normal_quantile(level)
    is_normal = np.isinf(degrees_of_freedom)
    freedom = np.where(is_normal, 1.0, degrees_of_freedom)
    return np.where(is_normal, normal, stdtrit(freedom, (1 + level) / 2))
