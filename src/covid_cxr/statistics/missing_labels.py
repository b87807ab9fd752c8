"""AUCs of all images where the labels of some are missing, by inverse weighting.

Who has a label is seldom drawn at random: those with high scores are sent for the
reference more often, and the labelled alone then show another AUC. Images are put into
strata by the mean of their ranks over all classifiers. If within a stratum it is chance
who has a label, each labelled image stands for one over the stratum's share of labelled
ones (Horvitz and Thompson, J Am Stat Assoc 1952;47:663; Alonzo and Pepe, J R Stat Soc C
2005;54:173), for all classifiers alike. That this share is estimated is in the
covariance, as in `verification`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import (
    AucEstimates,
    PlacementSums,
    as_codes,
    as_matrix,
    as_truth,
    check_classes,
    estimates_from,
)
from covid_cxr.statistics.patient_aucs import weighted_placements

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

_PER_STRATUM = 30  # labelled images, on average: of fewer, weights vary by chance
_FEWEST_STRATA, _MOST_STRATA = 2, 10
_LARGEST_WEIGHT = 50.0
_LEAST_PATIENTS = 4.0  # of a class, by Kish's effective number


@dataclass(frozen=True, kw_only=True)
class WeightedForLabels:
    """AUCs as if every image had a label.

    Attributes:
        estimates: With the error of the unknown labels; numbers of images are those
            with a label.
        n_strata: Of scores.
        largest_weight: Images that one labelled image stands for.
        effective_patients: With a labelled case or with a labelled control, whichever
            are fewer: as many as would be as good with equal weights (Kish 1965).
    """

    estimates: AucEstimates
    n_strata: int
    largest_weight: float
    effective_patients: float


def estimate_aucs_with_missing_labels(
    is_case: ArrayLike,
    is_labelled: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    cluster: Any,
) -> WeightedForLabels:
    """Return the AUCs of all images, if a label's absence depends on scores alone.

    Args:
        is_case: Boolean, shape (n,); of images without a label it does not count.
        is_labelled: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model; of all
            images.
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If lengths differ, the labelled lack a class, a score is not finite,
            or the weights explode: in a stratum hardly any image has a label, or a
            class rests on a few patients.
    """
    truth, labelled = as_truth(is_case), as_truth(is_labelled)
    if len(truth) != len(labelled):
        raise ValueError(
            f"{len(truth)} labels and {len(labelled)} marks of labelled images were "
            f"given; expected one of each per image."
        )
    matrix, names = as_matrix(scores, n_images=len(truth))
    check_classes(truth[labelled])
    codes = as_codes(cluster, len(truth))
    strata = _strata(matrix, int(labelled.sum()))
    share = _labelled_share(labelled, strata)
    weights = np.where(labelled, 1 / share, 0.0)
    classes = truth & labelled, ~truth & labelled
    least = min(_effective(weights * own, codes) for own in classes)
    if least < _LEAST_PATIENTS:
        raise ValueError(
            f"Weighted for missing labels, cases or controls are worth {least:.1f} "
            f"patients, and {_LEAST_PATIENTS:g} are the fewest that tell anything; "
            f"label some of those without one."
        )
    aucs, added = _weighted(truth, matrix, weights, labelled)
    parts = [_completed(added * own, labelled, share, strata) for own in classes]
    found = estimates_from(names, aucs, _sums(parts, classes, weights, codes))
    n_cases, n_controls = (int(own.sum()) for own in classes)
    return WeightedForLabels(
        # Pairs in order bound the labelled alone.
        estimates=replace(
            found, n_cases=n_cases, n_controls=n_controls, n_independent_pairs=0
        ),
        n_strata=int(strata.max()) + 1,
        largest_weight=float(weights.max()),
        effective_patients=least,
    )


def _strata(matrix: Floats, n_labelled: int) -> Integers:
    """Return the stratum of each image as 0, 1, …; equal ranks are of one."""
    wanted = np.clip(n_labelled // _PER_STRATUM, _FEWEST_STRATA, _MOST_STRATA)
    rank = pd.DataFrame(matrix).rank().mean(axis=1).to_numpy()
    edges = np.quantile(rank, np.arange(1, wanted) / wanted)
    numbers = np.searchsorted(np.unique(edges), rank, side="left")
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def _labelled_share(labelled: Booleans, strata: Integers) -> Floats:
    """Return the share of labelled images in each image's stratum, shape (n,)."""
    n_images = np.bincount(strata)
    n_labelled = np.bincount(strata, weights=labelled)
    few = np.flatnonzero(n_labelled * _LARGEST_WEIGHT < n_images)
    if few.size:
        worst = few[0]
        raise ValueError(
            f"Of {n_images[worst]} images with similar scores {n_labelled[worst]:.0f} "
            f"have a label (stratum {worst + 1} of {len(n_images)} from the lowest "
            f"scores up), and each may stand for {_LARGEST_WEIGHT:.0f} at most; label "
            f"some of them."
        )
    return np.asarray((n_labelled / n_images)[strata])


def _effective(weights: Floats, codes: Integers) -> float:
    """Return how many patients of equal weights would be as good."""
    of_patients = np.bincount(codes, weights)
    return float(of_patients.sum() ** 2 / (of_patients**2).sum())


def _weighted(
    truth: Booleans, matrix: Floats, weights: Floats, labelled: Booleans
) -> tuple[Floats, Floats]:
    """Return weighted AUCs and what each image adds, (k,) and (k, n)."""
    known, weighed = truth[labelled], weights[labelled]
    aucs, added = [], np.zeros((matrix.shape[1], len(truth)))
    for k, values in enumerate(matrix[labelled].T):
        placed = weighted_placements(known, values, weighed)
        aucs.append(np.average(placed[known], weights=weighed[known]))
        added[k, labelled] = weighed * (placed - aucs[k])
    return np.array(aucs), added


def _completed(
    added: Floats, labelled: Booleans, share: Floats, strata: Integers
) -> Floats:
    """Return what images add to a class with the share of labelled ones estimated.

    One more labelled image of a stratum lowers the weight of all of them: it adds less
    by what they add on average, and one without a label adds some of it.

    Args:
        added: With the share taken for known, shape (k, n).
        labelled: Shape (n,).
        share: Of labelled ones in each image's stratum, shape (n,).
        strata: Shape (n,).
    """
    n_labelled = np.bincount(strata, weights=labelled)
    means = np.stack([np.bincount(strata, row) / n_labelled for row in added])
    return np.asarray(added - (labelled - share) * means[:, strata])


def _sums(
    parts: list[Floats],
    classes: tuple[Booleans, Booleans],
    weights: Floats,
    codes: Integers,
) -> PlacementSums:
    n_patients = int(codes.max()) + 1
    cases, controls = (
        np.array([np.bincount(codes, row, n_patients) for row in part], np.float64)
        for part in parts
    )
    return PlacementSums(
        cases=cases,
        controls=controls,
        n_cases=float(weights[classes[0]].sum()),
        n_controls=float(weights[classes[1]].sum()),
        n_with_case=len(np.unique(codes[classes[0]])),
        n_with_control=len(np.unique(codes[classes[1]])),
        n_images=len(codes),
    )
