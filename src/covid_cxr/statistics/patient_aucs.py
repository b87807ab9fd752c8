"""Which AUC is meant: of images, of patients, or of an image of each patient.

`estimate_aucs` asks: of a case and a control drawn from all images, which scores
higher? Patients with many images then count more. Where sicker patients have more, the
two questions here have other answers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import (
    AucEstimates,
    as_codes,
    as_matrix,
    as_truth,
    check_classes,
    estimate_aucs,
    estimates_from,
    sum_by_patient,
)

Floats = NDArray[np.float64]


def estimate_aucs_of_patients(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    cluster: Any,
    rule: Literal["max", "mean"],
) -> AucEstimates:
    """Return the AUCs of patients, each with one score: is this patient a case?

    A patient is a case with one image of a case. The highest score rises with the
    number of images, whatever they show: what it tells of patients is in part how often
    they were examined.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        cluster: Patient of each image, shape (n,).
        rule: The highest score of the patient's images, or their mean.

    Raises:
        ValueError: If the rule is none; otherwise as `estimate_aucs`, of patients.
    """
    if rule not in {"max", "mean"}:
        raise ValueError(f"The rule must be 'max' or 'mean', got {rule!r}")
    truth = as_truth(is_case)
    matrix, names = as_matrix(scores, n_images=len(truth))
    codes = as_codes(cluster, len(truth))
    of_patients = pd.DataFrame(matrix, columns=list(names)).groupby(codes).agg(rule)
    has_case = np.bincount(codes, weights=truth) > 0
    return estimate_aucs(has_case, of_patients)


def estimate_aucs_of_one_image(
    is_case: ArrayLike, scores: ArrayLike | pd.DataFrame, *, cluster: Any
) -> AucEstimates:
    """Return the AUCs of one image of each patient, drawn at random.

    Within-patient resampling (Hoffman, Sen and Weinberg, Biometrika 2001;88:1121) with
    all draws at once: an image counts by one over the images of its patient. Every
    patient counts alike, as one who comes with a new radiograph does.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        cluster: Patient of each image, shape (n,).

    Raises:
        ValueError: As `estimate_aucs`.
    """
    codes = as_codes(cluster, len(as_truth(is_case)))
    weights = 1 / np.bincount(codes)[codes]
    return estimate_weighted_aucs(is_case, scores, weights=weights, cluster=codes)


def estimate_weighted_aucs(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    weights: ArrayLike,
    cluster: Any,
) -> AucEstimates:
    """Return the AUCs of images that do not count alike.

    A case and a control are drawn with probabilities like their weights, which are
    taken as known: that they were themselves estimated is not in the covariance.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        weights: Not negative, shape (n,).
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If a weight is negative or unknown, or those of a class are all 0;
            otherwise as `estimate_aucs`.
    """
    truth = as_truth(is_case)
    check_classes(truth)
    matrix, names = as_matrix(scores, n_images=len(truth))
    codes = as_codes(cluster, len(truth))
    weighed = _as_weights(weights, truth)
    total = weighed[truth].sum(), weighed[~truth].sum()
    aucs, added = [], np.empty((len(names), len(truth)))
    for k, values in enumerate(matrix.T):
        placed = np.empty(len(truth))
        placed[truth] = _below(values[truth], values[~truth], weighed[~truth])
        placed[~truth] = 1 - _below(values[~truth], values[truth], weighed[truth])
        # Not a product by the total, whose rounding would leave 1 - 2e-16 for 1.
        aucs.append(np.average(placed[truth], weights=weighed[truth]))
        added[k] = weighed * (placed - aucs[k])
    sums = sum_by_patient(added, truth, codes)
    # The weights of a class stand for its images in everything but their number.
    weighted = replace(sums, n_cases=total[0], n_controls=total[1])
    found = estimates_from(names, np.array(aucs), weighted)
    n_cases = int(truth.sum())
    return replace(found, n_cases=n_cases, n_controls=len(truth) - n_cases)


def _as_weights(weights: ArrayLike, truth: NDArray[np.bool_]) -> Floats:
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != truth.shape or not (values >= 0).all():
        raise ValueError(
            f"Expected {len(truth)} weights of at least 0, one per image, got shape "
            f"{values.shape} with {np.count_nonzero(~(values >= 0))} that are none."
        )
    if not (values[truth].sum() > 0 and values[~truth].sum() > 0):
        raise ValueError(
            "A weighted AUC needs a case and a control with weights above 0; leave it "
            "out where the weights take away a whole class."
        )
    return values


def _below(values: Floats, reference: Floats, weights: Floats) -> Floats:
    """Return the weight of the reference below each value, ties half, as a share."""
    order = np.argsort(reference)
    sums = np.append(0, np.cumsum(weights[order]))
    sides: Sequence[Literal["left", "right"]] = ("left", "right")
    counted = [sums[np.searchsorted(reference[order], values, side=s)] for s in sides]
    return np.asarray((counted[0] + counted[1]) / (2 * sums[-1]))
