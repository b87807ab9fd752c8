"""Several readers, each with several modalities, on the same cases (MRMC).

Obuchowski and Rockette's analysis of variance of the AUCs (Communications in
Statistics, Simulation and Computation 1995;24:285) with Hillis' degrees of freedom
(Stat Med 2007;26:596), for readers and patients who are both a sample. The covariance
of the AUCs is that of `estimate_aucs`, so that patients may have several images; with
one image each it is DeLong's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc

from covid_cxr.statistics.auc import (
    AucDifference,
    AucEstimates,
    estimate_aucs,
    student_quantile,
)
from covid_cxr.statistics.bootstrap import jackknife_aucs

Floats = NDArray[np.float64]

DELONG, JACKKNIFE = "delong", "jackknife"
COVARIANCES = (DELONG, JACKKNIFE)


@dataclass(frozen=True, kw_only=True)
class ReaderStudy:
    """AUCs of j readers with t modalities, and how they vary together.

    Attributes:
        modalities: Their names.
        auc: Shape (t, j).
        covariance: Of the AUCs over patients, modality after modality, shape
            (t j, t j).
    """

    modalities: tuple[str, ...]
    auc: Floats
    covariance: Floats

    def __post_init__(self) -> None:
        """Refuse fewer than two of either, and a covariance of another shape."""
        t, j = self.auc.shape
        if len(set(self.modalities)) < t:
            raise ValueError(
                f"Each modality has a name of its own, got "
                f"{', '.join(self.modalities)} for {t}."
            )
        if min(t, j) < 2 or self.covariance.shape != (t * j, t * j):
            raise ValueError(
                f"A reader study has at least 2 modalities and 2 readers with the "
                f"covariance of all, got {t} and {j} with shape "
                f"{self.covariance.shape}."
            )

    @property
    def mean_auc(self) -> Floats:
        """The mean over the readers, shape (t,)."""
        return np.asarray(self.auc.mean(axis=1))

    @property
    def components(self) -> tuple[float, float, float, float]:
        """Means of the variances, and of the covariances of two AUCs.

        Of one reader with two modalities (Cov1), of two readers with one modality
        (Cov2), and of two readers with two modalities (Cov3).
        """
        t, j = self.auc.shape
        whole = self.covariance.reshape(t, j, t, j)
        same_reader = np.eye(j, dtype=bool)[np.newaxis, :, np.newaxis, :]
        same_modality = np.eye(t, dtype=bool)[:, np.newaxis, :, np.newaxis]
        reader, modality = (
            np.broadcast_to(same, whole.shape) for same in (same_reader, same_modality)
        )
        kinds = (
            *(modality & reader, ~modality & reader),
            *(modality & ~reader, ~modality & ~reader),
        )
        variance, cov1, cov2, cov3 = (float(whole[kind].mean()) for kind in kinds)
        return variance, cov1, cov2, cov3

    def test_modalities(self) -> tuple[float, float, float]:
        """Return F, its denominator's degrees of freedom, and p of "all are equal"."""
        t, j = self.auc.shape
        effects = self.mean_auc - self.auc.mean()
        between = j * float(effects @ effects) / (t - 1)
        error, freedom = self._error
        f = between / error
        if np.isinf(freedom):
            return f, freedom, float(chdtrc(t - 1, (t - 1) * f))
        return f, freedom, float(fdtrc(t - 1, freedom, f))

    def compare(self, first: str, second: str) -> AucDifference:
        """Return the readers' mean AUC with a modality minus that with another.

        Args:
            first: Name of a modality.
            second: Likewise.

        Raises:
            ValueError: If there is no such modality.
        """
        means = dict(zip(self.modalities, self.mean_auc, strict=True))
        missing = [name for name in (first, second) if name not in means]
        if missing:
            raise ValueError(
                f"There is no modality {missing[0]!r}; expected one of "
                f"{', '.join(self.modalities)}"
            )
        error, freedom = self._error
        return AucDifference(
            estimate=float(means[first] - means[second]),
            standard_error=float(np.sqrt(2 * error / self.auc.shape[1])),
            degrees_of_freedom=freedom,
        )

    def interval(self, level: float = 0.95) -> Floats:
        """Return bounds of each modality's mean AUC from its own readers, (t, 2).

        Not held to [0, 1], as in the published analyses. NaN where the readers agree
        and their AUC has no error.
        """
        t, j = self.auc.shape
        whole = self.covariance.reshape(t, j, t, j)
        others = ~np.eye(j, dtype=bool)
        bounds = []
        for k, mean in enumerate(self.mean_auc):
            spread = float(self.auc[k].var(ddof=1))
            error = spread + j * max(float(whole[k, :, k][others].mean()), 0.0)
            freedom = (j - 1) * (error / spread) ** 2 if spread > 0 else np.inf
            margin = student_quantile(level, freedom) * np.sqrt(error / j)
            margin = margin if error > 0 else np.nan
            bounds.append((mean - margin, mean + margin))
        return np.array(bounds)

    @property
    def _error(self) -> tuple[float, float]:
        """The error of the modalities' mean square, and Hillis' degrees of freedom."""
        t, j = self.auc.shape
        rest = self.auc - self.auc.mean(axis=0) - self.mean_auc[:, np.newaxis]
        rest += self.auc.mean()
        both = float((rest**2).sum()) / ((t - 1) * (j - 1))
        _, _, cov2, cov3 = self.components
        error = both + j * max(cov2 - cov3, 0.0)
        if not error > 0:
            raise ValueError(
                "The readers differ alike with all modalities, and their AUCs have no "
                "error: nothing can be tested."
            )
        freedom = (t - 1) * (j - 1) * (error / both) ** 2 if both > 0 else np.inf
        return error, freedom


def study_readers(
    is_case: ArrayLike,
    ratings: ArrayLike,
    *,
    modalities: Sequence[str],
    cluster: Any,
    covariance: str = DELONG,
) -> ReaderStudy:
    """Return the AUCs of all readers with all modalities on the same images.

    Args:
        is_case: Boolean, shape (n,).
        ratings: Shape (n, t, j): images, modalities, readers.
        modalities: Names of the t modalities, as "alone" and "with the classifier".
        cluster: Patient of each image, shape (n,); None takes every image as one.
        covariance: `delong`, that of `estimate_aucs`; or `jackknife`, of the AUCs with
            one patient left out in turn, as most programs for reader studies print.

    Raises:
        ValueError: If there is no such covariance, shapes do not fit, there are fewer
            than two modalities or readers, a rating is missing, a class is missing, or
            a class has fewer than two patients.
    """
    if covariance not in COVARIANCES:
        raise ValueError(
            f"The covariance must be one of {', '.join(COVARIANCES)}, got "
            f"{covariance!r}."
        )
    array = np.asarray(ratings, dtype=np.float64)
    if array.ndim != 3 or array.shape[1] != len(modalities):
        raise ValueError(
            f"The ratings have shape {array.shape} for {len(modalities)} modalities; "
            f"expected images, modalities and readers."
        )
    n, t, j = array.shape
    matrix = array.reshape(n, t * j)
    found: AucEstimates = estimate_aucs(is_case, matrix, cluster=cluster)
    if np.isnan(found.covariance).any():
        raise ValueError(
            "A class has fewer than two patients: how far the AUCs vary is not known."
        )
    return ReaderStudy(
        modalities=tuple(modalities),
        auc=found.auc.reshape(t, j),
        covariance=found.covariance
        if covariance == DELONG
        else _jackknifed(jackknife_aucs(is_case, matrix, cluster=cluster)),
    )


def _jackknifed(left_out: Floats) -> Floats:
    """Return the covariance from AUCs with one patient left out, shape (patients, k).

    A class of one patient is refused before.
    """
    n_patients = len(left_out)
    return np.asarray(np.cov(left_out.T) * (n_patients - 1) ** 2 / n_patients)
