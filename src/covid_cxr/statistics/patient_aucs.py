"""Which AUC is meant: of images, of patients, or of an image of each patient.

`estimate_aucs` asks: of a case and a control drawn from all images, which scores
higher? Patients with many images then count more. Where sicker patients have more, the
two questions here have other answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from covid_cxr.statistics.auc import (
    AucDifference,
    AucEstimates,
    PlacedScores,
    PlacementSums,
    as_codes,
    as_matrix,
    as_truth,
    check_classes,
    estimates_from,
    place_scores,
    sum_by_patient,
    sum_placements,
)
from covid_cxr.statistics.finding_aucs import PatientParts, joint_covariance

Floats = NDArray[np.float64]

IMAGE, PATIENT_MAX, PATIENT_MEAN = "image", "patient_max", "patient_mean"
ONE_IMAGE, PATIENT_FIRST = "one_image", "patient_first"
QUESTIONS = (IMAGE, PATIENT_MAX, PATIENT_MEAN, ONE_IMAGE)
# Told where it is the primary one: which image is the first depends on their order.
MAY_BE_PRIMARY = (*QUESTIONS, PATIENT_FIRST)
_RULES = {PATIENT_MAX: "max", PATIENT_MEAN: "mean", PATIENT_FIRST: "first"}


@dataclass(frozen=True, kw_only=True)
class QuestionAucs:
    """AUCs of the same k models for several questions, with their joint covariance.

    Attributes:
        estimates: By question, in the order of `QUESTIONS`; without those that these
            patients cannot answer.
        covariance: Question after question, shape (q k, q k); NaN as in `AucEstimates`.
    """

    estimates: Mapping[str, AucEstimates]
    covariance: Floats

    def compare(self, question: str, other: str, model: int) -> AucDifference:
        """Return one model's AUC for a question minus that for another.

        By patient, with the fewer degrees of freedom of the two. NaN where either is
        not known.

        Args:
            question: Of `QUESTIONS`.
            other: Likewise.
            model: Its position.
        """
        both = [self.estimates.get(one) for one in (question, other)]
        if both[0] is None or both[1] is None:
            return AucDifference(estimate=np.nan, standard_error=np.nan)
        found = AucEstimates(
            names=(question, other),
            auc=np.array([one.auc[model] for one in both if one]),
            covariance=self._of_two(question, other, model),
            n_cases=both[0].n_cases,
            n_controls=both[0].n_controls,
            n_clusters=both[0].n_clusters,
        ).compare(0, 1)
        freedom = min(one.degrees_of_freedom(model) for one in both if one)
        return replace(found, degrees_of_freedom=freedom)

    def _of_two(self, question: str, other: str, model: int) -> Floats:
        k = len(next(iter(self.estimates.values())).names)
        order = list(self.estimates)
        places = [order.index(one) * k + model for one in (question, other)]
        return np.asarray(self.covariance[np.ix_(places, places)])


def estimate_aucs_of_patients(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    cluster: Any,
    rule: Literal["max", "mean", "first"],
) -> AucEstimates:
    """Return the AUCs of patients, each with one score: is this patient a case?

    A patient is a case with one image of a case. The highest score rises with the
    number of images, whatever they show: what it tells of patients is in part how often
    they were examined.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        cluster: Patient of each image, shape (n,).
        rule: The highest score of the patient's images, their mean, or the score of the
            first in the order given.

    Raises:
        ValueError: If the rule is none; otherwise as `estimate_aucs`, of patients.
    """
    if rule not in _RULES.values():
        raise ValueError(f"The rule must be 'max', 'mean' or 'first', got {rule!r}")
    truth = as_truth(is_case)
    matrix, names = as_matrix(scores, n_images=len(truth))
    codes = as_codes(cluster, len(truth))
    has_case = np.bincount(codes, weights=truth) > 0
    check_classes(has_case)
    return estimates_from(names, *_of_patients(has_case, matrix, codes, rule))


def estimate_aucs_of_one_image(
    is_case: ArrayLike, scores: ArrayLike | pd.DataFrame, *, cluster: Any
) -> AucEstimates:
    """Return the AUCs of one image of each patient, drawn at random.

    Within-patient resampling (Hoffman, Sen and Weinberg, Biometrika 2001;88:1121) with
    all draws at once: an image counts by one over the images of its patient, and a case
    and a control of one patient, which no draw has both of, are no pair. Every patient
    counts alike, as one who comes with a new radiograph does. NaN of a single patient.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        cluster: Patient of each image, shape (n,).

    Raises:
        ValueError: As `estimate_aucs`.
    """
    truth, matrix, names, codes = _checked(is_case, scores, cluster)
    found = estimates_from(names, *_of_one_image(truth, matrix, codes))
    return _with_images(found, truth)


def estimate_weighted_aucs(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    weights: ArrayLike,
    cluster: Any,
) -> AucEstimates:
    """Return the AUCs of images that do not count alike.

    A case and a control, of one patient or of two, are drawn with probabilities like
    their weights, which are taken as known: that they were themselves estimated is not
    in the covariance.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        weights: Not negative, shape (n,).
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If a weight is negative or unknown, or those of a class are all 0;
            otherwise as `estimate_aucs`.
    """
    truth, matrix, names, codes = _checked(is_case, scores, cluster)
    weighed = _as_weights(weights, truth)
    own = np.empty((2, 0), dtype=np.int64)
    found = estimates_from(names, *_weighted(truth, matrix, codes, weighed, own))
    return _with_images(found, truth)


def estimate_aucs_by_question(
    is_case: ArrayLike,
    scores: ArrayLike | pd.DataFrame,
    *,
    cluster: Any,
    questions: Sequence[str] = QUESTIONS,
    placed: PlacedScores | None = None,
) -> QuestionAucs:
    """Return the AUCs of k models for each question, with what they share.

    NaN for questions about patients where every patient has an image of a case.

    Args:
        is_case: Boolean, shape (n,).
        scores: Shape (n, k), or (n,), or a table with a column per model.
        cluster: Patient of each image, shape (n,).
        questions: Of `MAY_BE_PRIMARY`.
        placed: The same scores from `place_scores`, where they are known already.

    Raises:
        ValueError: As `estimate_aucs`.
    """
    truth, matrix, names, codes = _checked(is_case, scores, cluster)
    placed = placed or place_scores(truth, matrix)
    has_case = np.bincount(codes, weights=truth) > 0
    found = {
        IMAGE: (placed.auc, sum_by_patient(placed.added, truth, codes)),
        ONE_IMAGE: _of_one_image(truth, matrix, codes),
    }
    if not has_case.all():
        found |= {
            question: _of_patients(has_case, matrix, codes, rule)
            for question, rule in _RULES.items()
            if question in questions
        }
    known = [question for question in questions if question in found]
    estimates = {q: estimates_from(names, *found[q]) for q in known}
    everybody = np.arange(len(has_case))
    parts = [PatientParts(sums=found[q][1], patients=everybody) for q in known]
    covariance = joint_covariance(list(estimates.values()), parts, len(has_case))
    return QuestionAucs(estimates=estimates, covariance=covariance)


def weighted_placements(
    truth: NDArray[np.bool_], values: Floats, weights: Floats
) -> Floats:
    """Return the weight of controls below a case, of cases above a control, as shares.

    Ties count half; shape (n,), as `auc.placements`.

    Args:
        truth: With both classes, shape (n,).
        values: Finite scores of one model, shape (n,).
        weights: Not negative, shape (n,).
    """
    order = np.argsort(values)
    ordered, is_case, weighed = values[order], truth[order], weights[order]
    is_last = np.append(ordered[1:] != ordered[:-1], True)  # of equal scores
    step = np.cumsum(is_last) - is_last
    below = []
    for kind in (~is_case, is_case):
        ends = np.cumsum(np.where(kind, weighed, 0.0))[is_last]
        counted = (np.append(0, ends[:-1]) + ends)[step]
        below.append(counted / (2 * ends[-1]))
    placed = np.empty(len(truth))
    placed[order] = np.where(is_case, below[0], 1 - below[1])
    return placed


def _checked(
    is_case: ArrayLike, scores: ArrayLike | pd.DataFrame, cluster: Any
) -> tuple[NDArray[np.bool_], Floats, tuple[str, ...], NDArray[np.int64]]:
    """Return labels with both classes, scores, the models' names and patients."""
    truth = as_truth(is_case)
    check_classes(truth)
    matrix, names = as_matrix(scores, n_images=len(truth))
    return truth, matrix, names, as_codes(cluster, len(truth))


def _with_images(found: AucEstimates, truth: NDArray[np.bool_]) -> AucEstimates:
    """Return the estimates with the numbers of images in place of their weights."""
    n_cases = int(truth.sum())
    return replace(found, n_cases=n_cases, n_controls=len(truth) - n_cases)


def _of_patients(
    has_case: NDArray[np.bool_],
    matrix: Floats,
    codes: NDArray[np.int64],
    rule: str,
) -> tuple[Floats, PlacementSums]:
    """Return the AUCs of patients and what each adds to them."""
    scores = pd.DataFrame(matrix).groupby(codes).agg(rule).to_numpy()
    return sum_placements(has_case, scores, np.arange(len(has_case)))


def _of_one_image(
    truth: NDArray[np.bool_], matrix: Floats, codes: NDArray[np.int64]
) -> tuple[Floats, PlacementSums]:
    """Return the AUCs of one image of each patient, and what each patient adds."""
    weights, own = 1 / np.bincount(codes)[codes], _own_pairs(truth, codes)
    return _weighted(truth, matrix, codes, weights, own)


def _weighted(
    truth: NDArray[np.bool_],
    matrix: Floats,
    codes: NDArray[np.int64],
    weights: Floats,
    own: NDArray[np.int64],
) -> tuple[Floats, PlacementSums]:
    """Return the AUCs of weighted images less `own` pairs, and what patients add."""
    total = weights[truth].sum(), weights[~truth].sum()
    # What share of the other class, by weight, is of pairs that count.
    others = 1 - _of_own(own, np.ones(own.shape[1]), weights, truth, total)
    is_alone = own.size > 0 and codes.max() == 0
    of_draws = np.nan if is_alone else np.average(others[truth], weights=weights[truth])
    aucs, added = [], np.empty((matrix.shape[1], len(truth)))
    for k, values in enumerate(matrix.T):
        placed = weighted_placements(truth, values, weights)
        x, y = values[own[0]], values[own[1]]
        placed -= _of_own(own, (x > y) + 0.5 * (x == y), weights, truth, total)
        # Not a product by the total, whose rounding would leave 1 - 2e-16 for 1.
        aucs.append(np.average(placed[truth], weights=weights[truth]) / of_draws)
        added[k] = weights * (placed - aucs[k] * others) / of_draws
    sums = sum_by_patient(added, truth, codes)
    # The weights of a class stand for its images in everything but their number.
    return np.array(aucs), replace(sums, n_cases=total[0], n_controls=total[1])


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


def _own_pairs(truth: NDArray[np.bool_], codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the images of every case and control of one patient, shape (2, pairs)."""
    images = pd.DataFrame({"patient": codes, "place": np.arange(len(truth))})
    pairs = images[truth].merge(images[~truth], on="patient")
    return pairs[["place_x", "place_y"]].to_numpy().T


def _of_own(
    own: NDArray[np.int64],
    values: Floats,
    weights: Floats,
    truth: NDArray[np.bool_],
    total: tuple[float, float],
) -> Floats:
    """Return what pairs of one patient add to each image's share of the other class."""
    cases, controls = own
    n = len(truth)
    of_cases = np.bincount(cases, weights=values * weights[controls], minlength=n)
    of_controls = np.bincount(controls, weights=values * weights[cases], minlength=n)
    return np.asarray(of_cases / total[1] + of_controls / total[0])
