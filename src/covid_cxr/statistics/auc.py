"""Areas under ROC curves with their joint covariance, by image or by patient.

Notation of DeLong et al. 1988: the placement V10 of a case is the share of controls
with a lower score, the placement V01 of a control the share of cases with a higher
score; a tie counts one half. The AUC is the mean of either. Without clusters the
covariance is DeLong's, from sorted scores as in Sun and Xu 2014 (O(n log n)); with
clusters it is Obuchowski's (Biometrics 1997;53:567), who sums placements per patient.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

# Not scipy.stats: importing it takes as long as Kedro's whole start.
from scipy.special import expit, logit, ndtr, ndtri

# A variance below this share of its terms is rounding error, not information.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class AucDifference:
    """A difference of two correlated AUCs, and what is known of it.

    Attributes:
        estimate: The first AUC minus the second.
        standard_error: NaN where a class has fewer than two clusters.
        z: Estimate over standard error; 0 for models that rank alike.
        p_value: Two-sided; 1 for models that rank alike, NaN where the standard
            error is unknown, or 0 although the AUCs differ.
    """

    estimate: float
    standard_error: float
    z: float
    p_value: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the normal-approximation interval that covers at `level`."""
        margin = _normal_quantile(level) * self.standard_error
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
    """

    names: tuple[str, ...]
    auc: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n_cases: int
    n_controls: int
    n_clusters: int

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
                stays inside. At an AUC of 0 or 1 a Wald interval has no width and a
                logit interval is NaN.

        Raises:
            ValueError: If the level or the method is none of these.
        """
        quantile = _normal_quantile(level)
        if method == "wald":
            margin = quantile * self.standard_error
            return np.stack([self.auc - margin, self.auc + margin], axis=1)
        if method != "logit":
            raise ValueError(f"The method must be 'wald' or 'logit', got {method!r}")
        inside = np.where(self.is_at_boundary, np.nan, self.auc)
        margin = quantile * self.standard_error / (inside * (1 - inside))
        bounds = np.stack([logit(inside) - margin, logit(inside) + margin], axis=1)
        return np.asarray(expit(bounds))

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
        p_value = float(2 * ndtr(-abs(z)))
        return AucDifference(
            estimate=estimate, standard_error=standard_error, z=z, p_value=p_value
        )

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
    truth = _as_truth(is_case)
    matrix, names = _as_matrix(scores, n_images=len(truth))
    n_cases = int(truth.sum())
    n_controls = len(truth) - n_cases
    _check_classes(n_cases=n_cases, n_controls=n_controls)
    codes = np.arange(len(truth)) if cluster is None else _as_codes(cluster, len(truth))

    placements = np.empty_like(matrix)  # V10 of the cases, V01 of the controls
    for k in range(matrix.shape[1]):
        cases, controls = matrix[truth, k], matrix[~truth, k]
        placements[truth, k] = _share_below(controls, cases)
        placements[~truth, k] = 1 - _share_below(cases, controls)
    auc = placements[truth].mean(axis=0)
    return AucEstimates(
        names=names,
        auc=auc,
        covariance=_clustered_covariance(placements - auc, truth=truth, codes=codes),
        n_cases=n_cases,
        n_controls=n_controls,
        n_clusters=int(codes.max()) + 1,
    )


def _clustered_covariance(
    deviations: NDArray[np.float64],
    *,
    truth: NDArray[np.bool_],
    codes: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Obuchowski's estimate; with one image per cluster it is DeLong's."""
    n_clusters = int(codes.max()) + 1
    m, n = int(truth.sum()), int((~truth).sum())
    a = _sum_by_cluster(deviations[truth], codes[truth], n_clusters)  # (clusters, k)
    b = _sum_by_cluster(deviations[~truth], codes[~truth], n_clusters)
    with_cases = len(np.unique(codes[truth]))
    with_controls = len(np.unique(codes[~truth]))
    if min(with_cases, with_controls) < 2:
        return np.full((deviations.shape[1],) * 2, np.nan)
    s10 = with_cases / (with_cases - 1) * (a.T @ a)
    s01 = with_controls / (with_controls - 1) * (b.T @ b)
    s11 = n_clusters / (n_clusters - 1) * (a.T @ b)
    covariance: NDArray[np.float64] = s10 / m**2 + s01 / n**2 + (s11 + s11.T) / (m * n)
    return covariance


def _sum_by_cluster(
    values: NDArray[np.float64], codes: NDArray[np.int64], n_clusters: int
) -> NDArray[np.float64]:
    sums = [np.bincount(codes, weights=v, minlength=n_clusters) for v in values.T]
    return np.stack(sums, axis=1)


def _share_below(
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


def _as_truth(is_case: ArrayLike) -> NDArray[np.bool_]:
    truth = np.asarray(is_case)
    if truth.ndim != 1 or truth.dtype != np.bool_:
        raise ValueError(
            f"is_case must be one boolean per image, got shape {truth.shape} of "
            f"{truth.dtype}; drop the images whose label is unknown and convert the "
            "rest with astype(bool)."
        )
    return truth


def _as_matrix(
    scores: ArrayLike | pd.DataFrame, *, n_images: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
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


def _as_codes(
    cluster: Sequence[Hashable] | NDArray[Any] | pd.Series, n_images: int
) -> NDArray[np.int64]:
    """Number the clusters 0, 1, … in order of appearance."""
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


def _normal_quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"The level must lie between 0 and 1, as in 0.95, got {level}")
    return float(ndtri((1 + level) / 2))
