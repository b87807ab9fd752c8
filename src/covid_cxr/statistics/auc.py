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

from covid_cxr.statistics.threads import in_threads

# A variance below this share of its terms is rounding error, not information.
_ROUNDING = 1e-12
# A variance of one AUC below this is rounding error: of ten million cases and controls
# with one pair in the wrong order it is a hundred times larger.
_NO_VARIANCE = 1e-30


@dataclass(frozen=True, kw_only=True)
class VariancePart:
    """One of the independent sums that the variances of clustered AUCs are made of.

    Attributes:
        covariance: From the sums of the patients of one class, shape (k, k).
        degrees_of_freedom: Patients of that class, less one; of a mean, what these
            amount to.
    """

    covariance: NDArray[np.float64]
    degrees_of_freedom: float


@dataclass(frozen=True, kw_only=True)
class PlacementSums:
    """What each of I patients adds to the AUCs of k models.

    Attributes:
        cases: Sums of V10 - AUC over the patient's cases, shape (k, I).
        controls: Of V01 - AUC over the controls, shape (k, I).
        n_cases: Images with the finding, or the sum of their weights.
        n_controls: Of those without it.
        n_with_case: Patients with such an image.
        n_with_control: Likewise.
        n_images: Of both.
    """

    cases: NDArray[np.float64]
    controls: NDArray[np.float64]
    n_cases: float
    n_controls: float
    n_with_case: int
    n_with_control: int
    n_images: int

    @property
    def n_patients(self) -> int:
        """All patients, I."""
        return int(self.cases.shape[1])


@dataclass(frozen=True, kw_only=True)
class AucDifference:
    """A difference of two correlated AUCs, and what is known of it.

    Attributes:
        estimate: The first AUC minus the second.
        standard_error: NaN where a class has fewer than two clusters.
        degrees_of_freedom: Of the variance; infinite for independent images.
    """

    estimate: float
    standard_error: float
    degrees_of_freedom: float = np.inf

    @property
    def z(self) -> float:
        """Estimate over standard error; 0 for models that rank alike.

        NaN where the standard error is unknown, or 0 although the AUCs differ.
        """
        if self.standard_error == 0:
            return 0.0 if abs(self.estimate) <= _ROUNDING else np.nan
        return self.estimate / self.standard_error

    @property
    def p_value(self) -> float:
        """Two-sided; 1 for models that rank alike, NaN as `z`."""
        return float(2 * stdtr(self.degrees_of_freedom, -abs(self.z)))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the symmetric interval that covers at `level`.

        NaN where the standard error is 0, which says nothing.
        """
        if self.standard_error == 0:
            normal_quantile(level)  # refuses what is no level
            return np.nan, np.nan
        margin = student_quantile(level, self.degrees_of_freedom) * self.standard_error
        return float(self.estimate - margin), float(self.estimate + margin)

    def non_inferiority_p_value(self, margin: float) -> float:
        """Return the one-sided p value of "the first is worse by `margin` or more".

        0 for models that rank alike; NaN where the two-sided one is NaN.

        Args:
            margin: Loss of AUC that would still be accepted, chosen beforehand.

        Raises:
            ValueError: If the margin is not between 0 and 1.
        """
        if not 0 < margin < 1:
            raise ValueError(f"A margin lies between 0 and 1, as in 0.05, got {margin}")
        if np.isnan(self.p_value):
            return np.nan
        if self.standard_error == 0:
            return 0.0
        excess = (self.estimate + margin) / self.standard_error
        return float(stdtr(self.degrees_of_freedom, -excess))


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
        variance_parts: Of cases and of controls; none for independent images, whose
            quantiles are normal.
    """

    names: tuple[str, ...]
    auc: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n_cases: int
    n_controls: int
    n_clusters: int
    n_independent_pairs: int = 0
    variance_parts: tuple[VariancePart, ...] = ()

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """The standard errors, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def is_at_boundary(self) -> NDArray[np.bool_]:
        """Where the AUC is 0 or 1, so that its variance says nothing, shape (k,)."""
        return np.isin(self.auc, (0.0, 1.0))

    @property
    def has_variance(self) -> NDArray[np.bool_]:
        """Where the variance is known and more than rounding error, shape (k,).

        It is not at an AUC of 0 or 1, nor for a constant score.
        """
        return np.asarray(np.diag(self.covariance) > _NO_VARIANCE)

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
                the exact bound from pairs that are independent of each other. NaN for
                any other AUC without variance, as of a constant score.

        Raises:
            ValueError: If the level or the method is none of these.
        """
        is_unknown = ~self.is_at_boundary & ~self.has_variance
        everything = np.eye(len(self.auc))
        freedom = np.array([self._degrees_of_freedom(row) for row in everything])
        quantile = student_quantile(level, freedom)
        if method == "wald":
            margin = np.where(is_unknown, np.nan, quantile * self.standard_error)
            return np.stack([self.auc - margin, self.auc + margin], axis=1)
        if method != "logit":
            raise ValueError(f"The method must be 'wald' or 'logit', got {method!r}")
        inside = np.where(self.is_at_boundary | is_unknown, np.nan, self.auc)
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
            return AucDifference(estimate=estimate, standard_error=0.0)
        contrast = np.zeros(len(self.auc))
        contrast[[i, j]] = 1, -1
        return AucDifference(
            estimate=estimate,
            standard_error=float(np.sqrt(variance)),
            degrees_of_freedom=self._degrees_of_freedom(contrast),
        )

    def degrees_of_freedom(self, model: str | int) -> float:
        """Return Satterthwaite's for one AUC; infinite for independent images."""
        return self._degrees_of_freedom(np.eye(len(self.auc))[self._position(model)])

    def _degrees_of_freedom(self, contrast: NDArray[np.float64]) -> float:
        """Return Satterthwaite's, for the AUCs times `contrast`, shape (k,)."""
        if not self.variance_parts:
            return np.inf
        freedoms = np.array([part.degrees_of_freedom for part in self.variance_parts])
        covariances = np.stack([part.covariance for part in self.variance_parts])
        spread = float(((contrast @ covariances @ contrast) ** 2 / freedoms).sum())
        variance = float(contrast @ self.covariance @ contrast)
        most = float(freedoms.sum())
        return most if spread == 0 else float(np.clip(variance**2 / spread, 1, most))

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


@dataclass(frozen=True, kw_only=True)
class PlacedScores:
    """What each of n images adds to the AUCs of k models.

    Attributes:
        names: The models.
        truth: True with the finding, shape (n,).
        auc: Shape (k,).
        added: V10 - AUC of cases, V01 - AUC of controls, shape (k, n).
    """

    names: tuple[str, ...]
    truth: NDArray[np.bool_]
    auc: NDArray[np.float64]
    added: NDArray[np.float64]

    def estimate(
        self, cluster: Sequence[Hashable] | NDArray[Any] | pd.Series | None
    ) -> AucEstimates:
        """Return the AUCs with their joint covariance.

        Args:
            cluster: As for `estimate_aucs`.

        Raises:
            ValueError: If lengths differ or a cluster is not named.
        """
        codes = as_codes(cluster, len(self.truth))
        sums = sum_by_patient(self.added, self.truth, codes)
        return estimates_from(self.names, self.auc, sums)


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
    return place_scores(is_case, scores).estimate(cluster)


def place_scores(is_case: ArrayLike, scores: ArrayLike | pd.DataFrame) -> PlacedScores:
    """Return the AUCs of k models and what each image adds, sorted once for all.

    Args:
        is_case: Boolean, shape (n,): True with the finding.
        scores: As for `estimate_aucs`.

    Raises:
        ValueError: As `estimate_aucs`.
    """
    truth = as_truth(is_case)
    matrix, names = as_matrix(scores, n_images=len(truth))
    check_classes(truth)
    auc, added = _place(truth, matrix)
    return PlacedScores(names=names, truth=truth, auc=auc, added=added)


def estimates_from(
    names: tuple[str, ...], auc: NDArray[np.float64], sums: PlacementSums
) -> AucEstimates:
    """Return the estimates of the models of `sum_placements`."""
    covariance, parts = _clustered_covariance(sums)
    return AucEstimates(
        names=names,
        auc=auc,
        covariance=covariance,
        n_cases=int(sums.n_cases),
        n_controls=int(sums.n_controls),
        n_clusters=sums.n_patients,
        n_independent_pairs=min(
            sums.n_patients // 2, sums.n_with_case, sums.n_with_control
        ),
        variance_parts=parts if sums.n_patients < sums.n_images else (),
    )


def sum_placements(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], codes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], PlacementSums]:
    """Return the AUCs of k models, shape (k,), and what each patient adds to them.

    Args:
        truth: With both classes, shape (n,).
        scores: Finite, shape (n, k).
        codes: Patient of each image as 0, 1, …, shape (n,).
    """
    auc, added = _place(truth, scores)
    return auc, sum_by_patient(added, truth, codes)


def sum_by_patient(
    added: NDArray[np.float64], truth: NDArray[np.bool_], codes: NDArray[np.int64]
) -> PlacementSums:
    """Return what each patient adds to k estimates that are means over images.

    Args:
        added: By each image to that of its class, with a mean of 0, shape (k, n).
        truth: With both classes, shape (n,).
        codes: Patient of each image as 0, 1, …, shape (n,).
    """
    of_cases, of_controls = codes[truth], codes[~truth]
    n_patients = 1 + int(codes.max())
    return PlacementSums(
        cases=_sums(added[:, truth], of_cases, n_patients),
        controls=_sums(added[:, ~truth], of_controls, n_patients),
        n_cases=len(of_cases),
        n_controls=len(of_controls),
        n_with_case=_n_different(of_cases),
        n_with_control=_n_different(of_controls),
        n_images=len(truth),
    )


def _clustered_covariance(
    sums: PlacementSums,
) -> tuple[NDArray[np.float64], tuple[VariancePart, ...]]:
    """Obuchowski's estimate and its parts; with one image per cluster, DeLong's.

    NaN and no parts where a class has fewer than two clusters.
    """
    a, b, m, n = sums.cases, sums.controls, sums.n_cases, sums.n_controls
    i10, i01, i = sums.n_with_case, sums.n_with_control, sums.n_patients
    if min(i10, i01) < 2:
        return np.full((len(a), len(a)), np.nan), ()
    s10 = i10 / (i10 - 1) * (a @ a.T)
    s01 = i01 / (i01 - 1) * (b @ b.T)
    s11 = i / (i - 1) * (a @ b.T)  # of clusters with images of both classes
    parts = (
        VariancePart(covariance=s10 / m**2, degrees_of_freedom=i10 - 1),
        VariancePart(covariance=s01 / n**2, degrees_of_freedom=i01 - 1),
    )
    mixed = (s11 + s11.T) / (m * n)
    return parts[0].covariance + parts[1].covariance + mixed, parts


def _n_different(codes: NDArray[np.int64]) -> int:
    return int(np.count_nonzero(np.bincount(codes)))


def _sums(
    values: NDArray[np.float64], codes: NDArray[np.int64], n_clusters: int
) -> NDArray[np.float64]:
    """Return the sums of each row by cluster, shape (rows, clusters)."""
    return np.stack([np.bincount(codes, row, minlength=n_clusters) for row in values])


def placements(
    truth: NDArray[np.bool_], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return V10 of each case and V01 of each control of one model, shape (n,).

    The share of controls below it, and of cases above it; a tie counts one half.

    Args:
        truth: With both classes, shape (n,).
        scores: Finite, shape (n,).
    """
    order = np.argsort(scores)
    ordered, is_case = scores[order], truth[order]
    is_last = np.append(ordered[1:] != ordered[:-1], True)  # of equal scores
    cases, controls = (_below_or_tied(kind, is_last) for kind in (is_case, ~is_case))
    n_cases = np.count_nonzero(truth)
    n_controls = len(truth) - n_cases
    placed = np.empty(len(truth))
    placed[order] = np.where(
        is_case, controls / (2 * n_controls), 1 - cases / (2 * n_cases)
    )
    return placed


def _below_or_tied(
    is_counted: NDArray[np.bool_], is_last: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return twice how many are below each in ascending order, ties once, (n,)."""
    up_to = np.cumsum(is_counted)
    if is_last.all():
        return 2 * up_to - is_counted
    ends = up_to[is_last]
    step: NDArray[np.int64] = np.cumsum(is_last) - is_last
    return (np.append(0, ends[:-1]) + ends)[step]


def placements_of_models(
    truth: NDArray[np.bool_], scores: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return `placements` of each of k models, whose scores have shape (n, k)."""
    return in_threads(
        lambda model: placements(truth, np.ascontiguousarray(model)),
        scores.T,
        n_images=len(truth),
    )


def _place(
    truth: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the AUCs, shape (k,), and the placements less them, shape (k, n)."""
    added = np.stack(placements_of_models(truth, scores))
    auc = np.array([placed[truth].mean() for placed in added])
    added -= auc[:, np.newaxis]
    return auc, added


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
    if _are_codes(cluster) and len(cluster) == n_images:
        return np.asarray(cluster)
    # Not an array of a list: that would turn an unnamed patient into one called "nan".
    codes, _ = pd.factorize(pd.Series(cluster))
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


def _are_codes(cluster: Any) -> bool:
    """Return whether clusters are numbered 0, 1, … in order of appearance already."""
    if not isinstance(cluster, np.ndarray) or cluster.dtype != np.int64:
        return False
    if cluster.ndim != 1 or not len(cluster) or cluster.min() < 0:
        return False
    highest = np.maximum.accumulate(cluster)
    return bool(highest[0] == 0 and (np.diff(highest) <= 1).all())


def check_classes(truth: NDArray[np.bool_]) -> None:
    """Refuse a part that lacks cases or controls."""
    n_cases = int(truth.sum())
    if n_cases in {0, len(truth)}:
        raise ValueError(
            f"An AUC needs cases and controls, got {n_cases} cases and "
            f"{len(truth) - n_cases} controls; leave this finding out or evaluate on a "
            "larger part."
        )


def normal_quantile(level: float) -> float:
    """Return how many standard errors an interval of that coverage reaches."""
    if not 0 < level < 1:
        raise ValueError(f"The level must lie between 0 and 1, as in 0.95, got {level}")
    return float(ndtri((1 + level) / 2))


def student_quantile(
    level: float, degrees_of_freedom: float | NDArray[np.float64]
) -> Any:
    """Return Student's quantile for each degrees of freedom; normal for infinite."""
    normal = normal_quantile(level)
    is_normal = np.isinf(degrees_of_freedom)
    freedom = np.where(is_normal, 1.0, degrees_of_freedom)
    return np.where(is_normal, normal, stdtrit(freedom, (1 + level) / 2))
