"""A smooth calibration curve with its band, and the distance from the diagonal.

What happened is a logistic regression on a restricted cubic spline of the log odds,
with Harrell's knots at the tenth, fiftieth and ninetieth percentile (Regression
Modeling Strategies, Springer 2015); errors are by patient. The integrated calibration
index is the mean distance of the curve from the probabilities (Austin and Steyerberg,
Stat Med 2019;38:4051, with this curve in place of a local regression).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, fdtrc, stdtrit

from covid_cxr.statistics.auc import (
    as_codes,
    as_probabilities,
    as_truth,
    check_classes,
    normal_quantile,
)
from covid_cxr.statistics.logistic import (
    as_log_odds,
    clustered_covariance,
    fit_logistic,
    information_of,
)

Floats = NDArray[np.float64]

_KNOTS = (0.1, 0.5, 0.9)
_CERTAIN = 20.0  # log odds that no share of so many images has: classes are separated


@dataclass(frozen=True, kw_only=True)
class SmoothCalibration:
    """A smooth curve from what a classifier says to what happened.

    Attributes:
        knots: In log odds; none where probabilities take too few values to bend.
        coefficients: Of 1, the log odds and the spline, shape (c,); shorter where
            probabilities take few values.
        covariance: By patient, shape (c, c); NaN with one patient, or where the
            residuals of every patient cancel.
        n_clusters: Patients.
    """

    knots: tuple[float, ...]
    coefficients: Floats
    covariance: Floats
    n_clusters: int

    def at(self, probability: ArrayLike) -> Floats:
        """Return the share of cases by the curve, in the shape given.

        Args:
            probability: On [0, 1], shape (n,).
        """
        return np.asarray(expit(self.design(probability) @ self.coefficients))

    def band(
        self, probability: ArrayLike, level: float = 0.95
    ) -> tuple[Floats, Floats]:
        """Return lower and upper bounds, for each probability by itself.

        On log odds, with Student's quantile for the patients.

        Args:
            probability: On [0, 1], shape (n,).
            level: Coverage.
        """
        normal_quantile(level)  # refuses what is no level
        design = self.design(probability)
        centre = design @ self.coefficients
        errors = np.sqrt(np.einsum("nc,cd,nd->n", design, self.covariance, design))
        margin = stdtrit(self.n_clusters - 1, (1 + level) / 2) * errors
        return np.asarray(expit(centre - margin)), np.asarray(expit(centre + margin))

    @property
    def p_value(self) -> float:
        """Of "the curve is the diagonal" (Wald's test); NaN where nothing is known."""
        c, patients = len(self.coefficients), self.n_clusters
        if c < 2 or patients <= c or np.isnan(self.covariance).any():
            return np.nan
        off = self.coefficients - np.eye(c)[1]
        distance = float(off @ np.linalg.pinv(self.covariance) @ off)
        scaled = distance * (patients - c) / (c * (patients - 1))
        return float(fdtrc(c, patients - c, scaled))

    def design(self, probability: ArrayLike) -> Floats:
        """Return what the coefficients are of, shape (n, c).

        Args:
            probability: On [0, 1], shape (n,).
        """
        return _spline(as_log_odds(probability), self.knots)[
            :, : len(self.coefficients)
        ]


def fit_smooth_calibration(
    is_case: ArrayLike, probability: ArrayLike, *, cluster: Any
) -> SmoothCalibration:
    """Return the smooth calibration curve.

    Args:
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If a class is missing, a probability is none, lengths differ, or a
            curve separates the classes, so that none is best.
    """
    truth, values = _checked(is_case, probability)
    codes = as_codes(cluster, len(truth))
    knots, design, coefficients = _fit(truth, as_log_odds(values))
    covariance, is_known = clustered_covariance(
        design, truth, np.zeros(len(truth)), coefficients, codes
    )
    if not is_known.all():
        covariance = np.full_like(covariance, np.nan)
    return SmoothCalibration(
        knots=knots,
        coefficients=coefficients,
        covariance=covariance,
        n_clusters=int(codes.max()) + 1,
    )


def integrated_calibration_values(
    curve: SmoothCalibration, is_case: ArrayLike, probability: ArrayLike
) -> Floats:
    """Return distances of the curve, shape (n,), whose mean is the ICI.

    With what each image adds by moving the curve, so that `clustered_mean` has the
    interval, and of two classifiers' differences the paired test. The index is never
    below 0, and so too high and its interval of little use where calibration is good:
    `SmoothCalibration.p_value` says whether it is told apart from good.

    Args:
        curve: That was fitted to these images.
        is_case: Boolean, shape (n,).
        probability: On [0, 1], shape (n,).

    Raises:
        ValueError: If a class is missing, a probability is none, or lengths differ.
    """
    truth, values = _checked(is_case, probability)
    design, coefficients = curve.design(values), curve.coefficients
    share = expit(design @ coefficients)
    distance = share - values
    bread = np.linalg.inv(information_of(design, coefficients, np.zeros(len(truth))))
    slope = (np.sign(distance) * share * (1 - share)) @ design
    moved = (design @ (bread @ slope)) * (truth - share)
    return np.asarray(np.abs(distance) + moved)


def _fit(
    truth: NDArray[np.bool_], log_odds: Floats
) -> tuple[tuple[float, ...], Floats, Floats]:
    """Return knots, design and coefficients; refuse classes that are separated."""
    knots = tuple(float(k) for k in np.quantile(log_odds, _KNOTS))
    n_values = len(np.unique(log_odds))
    if len(set(knots)) < 3 or n_values < 4:
        knots = ()
    design = _spline(log_odds, knots)
    if n_values < 2:
        design = design[:, :1]
    coefficients = fit_logistic(design, truth, np.zeros(len(truth)))
    if np.abs(design @ coefficients).max() > _CERTAIN:
        raise ValueError(
            f"No smooth curve is best for {truth.sum()} cases and {(~truth).sum()} "
            f"controls, which it would separate wholly somewhere; take a larger part."
        )
    return knots, design, coefficients


def _spline(log_odds: Floats, knots: tuple[float, ...]) -> Floats:
    """Return 1, the log odds and, with knots, Harrell's term, shape (n, 2 or 3)."""
    columns = [np.ones_like(log_odds), log_odds]
    if knots:
        low, middle, high = knots
        cubes = [np.maximum(log_odds - knot, 0) ** 3 for knot in knots]
        columns.append(
            (
                cubes[0]
                - cubes[1] * (high - low) / (high - middle)
                + cubes[2] * (middle - low) / (high - middle)
            )
            / (high - low) ** 2
        )
    return np.stack(columns, axis=-1)


def _checked(
    is_case: ArrayLike, probability: ArrayLike
) -> tuple[NDArray[np.bool_], Floats]:
    truth = as_truth(is_case)
    check_classes(truth)
    return truth, as_probabilities(probability, n_images=len(truth))
