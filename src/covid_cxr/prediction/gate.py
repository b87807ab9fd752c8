"""Whether an image is like those that the classifier was chosen on.

The distance is Mahalanobis's (Lee et al., NeurIPS 2018, without classes) of the pooled
features before the head, with the shrunk covariance of Ledoit and Wolf (2004). Half of
the validation patients say what is usual, the other half how far the unusual ones are:
then the limit refuses the stated share of patients like them (`conformal`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from covid_cxr.prediction.conformal import one_per_patient, upper_bound

Floats = NDArray[np.float64]

_LEAST_IMAGES = 2  # that have a covariance


@dataclass(frozen=True, kw_only=True, eq=False)
class UsualFeatures:
    """Mean and covariance of features: that of some directions, the same in all others.

    Attributes:
        mean: Shape (channels,).
        directions: Orthonormal, shape (directions, channels).
        variances: Along them, shape (directions,).
        floor: Variance along any other direction, shape (1,).
    """

    mean: Floats
    directions: Floats
    variances: Floats
    floor: Floats

    @classmethod
    def of(cls, features: NDArray[np.floating]) -> "UsualFeatures":
        """Return mean and shrunk covariance of `features`, shape (n, channels)."""
        # Of a study only.
        from sklearn.covariance import ledoit_wolf_shrinkage  # noqa: PLC0415

        known = np.asarray(features, np.float64)
        shrinkage = ledoit_wolf_shrinkage(known)
        floor = shrinkage * known.var(axis=0).mean()
        # Not by the covariance: an ensemble has more channels than images.
        _, lengths, directions = np.linalg.svd(
            known - known.mean(axis=0), full_matrices=False
        )
        variances = (1 - shrinkage) * lengths**2 / len(known) + floor
        # Shrinking leaves the directions without variance at the floor exactly.
        least = max(floor * (1 + 1e-9), np.finfo(np.float64).eps * variances.max())
        is_kept = variances > least
        return cls(
            mean=known.mean(axis=0),
            directions=directions[is_kept],
            variances=variances[is_kept],
            floor=np.array([max(floor, least)]),
        )

    def distance(self, features: NDArray[np.floating]) -> Floats:
        """Return Mahalanobis distances (n,) of features (n, channels)."""
        apart = np.asarray(features, np.float64) - self.mean
        along = apart @ self.directions.T
        rest = np.maximum((apart**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        inside = (along**2 / self.variances).sum(axis=1)
        return np.asarray(np.sqrt(inside + rest / self.floor[0]))

    def arrays(self) -> Mapping[str, Floats]:
        """Return what `UsualFeatures(**arrays)` takes."""
        return {
            name: np.ascontiguousarray(getattr(self, name))
            for name in ("mean", "directions", "variances", "floor")
        }


def fit_gate(
    features: NDArray[np.floating],
    patients: NDArray[Any],
    *,
    refused_share: float,
    seed: int,
) -> tuple[UsualFeatures, dict[str, Any]]:
    """Return what is usual, and the record of how far an image may be from it.

    Args:
        features: Of the validation images, shape (n, channels).
        patients: Whose they are, shape (n,).
        refused_share: Of patients like these whose image is to be refused.
        seed: Of who is in which half.

    Returns:
        The features' distribution; and `refused_share`, `n_patients` behind the limit,
        and `limit`, None where they are too few for such a share.
    """
    names = np.unique(patients)
    halves = np.random.default_rng(seed).permutation(names)
    fitted = np.isin(patients, halves[: len(names) // 2])
    if fitted.sum() < _LEAST_IMAGES:
        fitted = np.ones(len(patients), bool)
    usual = UsualFeatures.of(features[fitted])
    held_out = np.flatnonzero(~fitted)
    drawn = held_out[one_per_patient(patients[held_out], seed=seed)]
    limit = upper_bound(usual.distance(features[drawn]), share=refused_share)
    return usual, {
        "refused_share": refused_share,
        "n_patients": len(drawn),
        "limit": limit,
    }
