"""What calls are worth against the disease, where labels err or are not all known.

Off unless the reference's sensitivity and specificity are stated: they come from
elsewhere, and no data here tell them. Rows without a label stop a comparison, unless
it is stated that the labelled ones stand for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.checks import check_word
from covid_cxr.evaluation.arranged_scores import TEST, parts_of
from covid_cxr.evaluation.findings import per_finding, stack
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.scored_part import ScoredPart
from covid_cxr.evaluation.thresholds import youden_thresholds
from covid_cxr.statistics.imperfect_reference import (
    CorrectedPerformance,
    Reference,
    correct_for_reference,
)
from covid_cxr.statistics.missing_labels import estimate_aucs_with_missing_labels
from covid_cxr.statistics.verification import correct_for_verification
from covid_cxr.study.current import current

REFUSE, WEIGHT = "refuse", "weight"
_N_TIPPING = 26
_SHARES = ("sensitivity", "specificity")
_CORRECTED = ("lower", "upper", "bound_lower", "bound_upper")
_COLUMNS = [
    f"corrected_{share}{end}"
    for share in _SHARES
    for end in ("", *(f"_{one}" for one in _CORRECTED))
]
_VERIFIED = [
    *("classifier", "threshold", "images", "labelled"),
    *(
        f"{prefix}{share}{end}"
        for share in _SHARES
        for prefix, end in (
            *(("", ""), ("corrected_", "")),
            *(("corrected_", "_lower"), ("corrected_", "_upper")),
        )
    ),
]
_WEIGHED = [
    *("classifier", "images", "labelled", "auroc", "corrected", "lower", "upper"),
    *("strata", "largest_weight", "effective_patients", "why_not"),
]
_OBSERVED = ["classifier", "threshold", *_SHARES, "prevalence", "caution"]
_CAUTION = (
    "a corrected share beyond 0 or 1: with this reference, errors of both are not "
    "independent, or its values are others"
)


@dataclass(frozen=True, kw_only=True)
class StatedReference:
    """What is known of the test that made the labels, from parameters_reporting.yml.

    Attributes:
        sensitivity: In (0, 1]; None, with the specificity, corrects nothing.
        specificity: Likewise.
        unlabelled: `refuse` rows of a comparison without a label, or `weight` those
            with one.
    """

    sensitivity: float | None
    specificity: float | None
    unlabelled: str

    def __post_init__(self) -> None:
        """Refuse one without the other, and what is no test."""
        check_word(
            "reference.unlabelled",
            self.unlabelled,
            (REFUSE, WEIGHT),
            place="parameters_reporting.yml",
        )
        stated = self.sensitivity, self.specificity
        if stated == (None, None):
            return
        if None in stated:
            raise ValueError(
                f"reference.sensitivity and reference.specificity are stated together "
                f"or not at all, got {stated[0]} and {stated[1]}; a reference without "
                f"false positives has a specificity of 1."
            )
        self.made()

    @property
    def is_stated(self) -> bool:
        """Whether anything is to be corrected."""
        return self.sensitivity is not None

    def made(self) -> Reference:
        """Return the reference that is stated."""
        try:
            return Reference(
                sensitivity=float(self.sensitivity or 0),
                specificity=float(self.specificity or 0),
            )
        except ValueError as error:
            raise ValueError(
                f"reference in parameters_reporting.yml: {error}"
            ) from error


@per_finding
def correct_labels(
    scores: pd.DataFrame, *, reporting: Reporting, reference: StatedReference
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return sensitivity and specificity for the disease, and by the reference's own.

    At the threshold of Youden's index on validation. The first table has a row per
    classifier: `sensitivity` and `specificity` against the labels, `corrected_…` with
    its interval by patient if both err independently, and its bounds however they err.
    The second has a row per classifier and assumed sensitivity of the reference, from
    the least that agrees with the labels to 1. No rows where nothing is stated, or no
    threshold can be chosen.

    Args:
        scores: As arranged.
        reporting: For the level of the intervals.
        reference: What is stated.

    Raises:
        ValueError: If so many cases do not agree with the reference.
    """
    parts = parts_of(scores)
    validation = parts.validation
    if (
        not reference.is_stated
        or validation is None
        or not validation.has_both_classes
        or not parts.test.has_both_classes
    ):
        return pd.DataFrame(columns=[*_OBSERVED, *_COLUMNS]), pd.DataFrame(
            columns=["classifier", "reference_sensitivity", *_COLUMNS]
        )
    thresholds = youden_thresholds(validation)
    stated, level = reference.made(), reporting.level
    rows = [
        _row(parts.test, name, threshold, stated, level)
        for name, threshold in thresholds.items()
    ]
    tipping = [
        row
        for name, threshold in thresholds.items()
        for row in _tipping(parts.test, name, threshold, stated.specificity, level)
    ]
    return pd.DataFrame(rows), pd.DataFrame(tipping)


def find_unlabelled(reference: StatedReference, **scores: pd.DataFrame) -> pd.DataFrame:
    """Return the test part's radiographs that no label is known of, with their scores.

    `image_id, patient_id, part` and a column per path; of a target of several findings
    also `finding`. No rows unless it is stated that the labelled stand for them.

    Args:
        reference: Says so.
        scores: Of phase 3, by path.
    """
    first = next(iter(scores.values()))
    keys = ["image_id", "patient_id", "part"]
    found = {}
    for label in current().target_set.labels:
        is_there = (first["part"] == TEST) & first[label].isna()
        rows = first.loc[is_there & (reference.unlabelled == WEIGHT), keys]
        columns = {
            name: table.set_index("image_id")[f"{label}_score"]
            .reindex(rows["image_id"])
            .to_numpy()
            for name, table in scores.items()
        }
        found[label] = rows.assign(**columns).reset_index(drop=True)
    return stack(found)


@per_finding
def weigh_labelled(
    scores: pd.DataFrame, unlabelled: pd.DataFrame, reporting: Reporting
) -> pd.DataFrame:
    """Return AUROCs as if every test image had a label, by inverse weighting.

    `auroc` is of the labelled, `corrected` with its interval by patient of all, if
    among images of similar scores those without a label are as those with one; `strata`
    of scores, `largest_weight` and `effective_patients` say what it rests on, `why_not`
    why there is none. No rows where every image has a label.

    Args:
        scores: As arranged, of the labelled images.
        unlabelled: `image_id, patient_id, part` and the scores of the others.
        reporting: For the level of the intervals.
    """
    others = unlabelled[unlabelled["part"] == TEST]
    test = parts_of(scores).test
    if others.empty:
        return pd.DataFrame(columns=_WEIGHED)
    is_case, is_labelled, patients = _together(test, others)
    sizes = {"images": len(is_case), "labelled": len(test.is_case)}
    known = pd.DataFrame(
        {
            "classifier": test.scores.columns.astype("str"),
            **sizes,
            "auroc": test.estimate(by_patient=True).auc,
        }
    )
    try:
        found = estimate_aucs_with_missing_labels(
            is_case,
            is_labelled,
            pd.concat([test.scores, others[list(test.scores)]]),
            cluster=patients,
        )
    except ValueError as error:
        return known.assign(why_not=str(error)).reindex(columns=_WEIGHED)
    bounds = found.estimates.interval(reporting.level, "logit")
    return known.assign(
        corrected=found.estimates.auc,
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        strata=found.n_strata,
        largest_weight=found.largest_weight,
        effective_patients=found.effective_patients,
        why_not="",
    )


@per_finding
def correct_for_unlabelled(
    scores: pd.DataFrame, unlabelled: pd.DataFrame, reporting: Reporting
) -> pd.DataFrame:
    """Return sensitivity and specificity as if every test image had a label.

    At the threshold of Youden's index on validation: `sensitivity` and `specificity`
    of the labelled, `corrected_…` with its interval by patient, if among images with
    the same call those without a label are as those with one. No rows where every
    image has one, or no threshold can be chosen.

    Args:
        scores: As arranged, of the labelled images.
        unlabelled: `image_id, patient_id, part` and the scores of the others.
        reporting: For the level of the intervals.

    Raises:
        ValueError: If of the images with one call none has a label.
    """
    parts = parts_of(scores)
    others = unlabelled[unlabelled["part"] == TEST]
    validation = parts.validation
    if others.empty or validation is None or not validation.has_both_classes:
        return pd.DataFrame(columns=_VERIFIED)
    test = parts.test
    is_case, is_labelled, patients = _together(test, others)
    rows = []
    for name, threshold in youden_thresholds(validation).items():
        called = np.r_[test.scores[name], others[name]] >= threshold
        try:
            found = correct_for_verification(
                is_case, is_labelled, called, cluster=patients
            )
        except ValueError as error:
            raise ValueError(
                f"{name} with the threshold {threshold:.4g}: {error} Or leave it out "
                f"(comparison.classifiers), or every row without a label."
            ) from error
        seen = called[is_labelled]
        ends = found.intervals(reporting.level)
        rows.append(
            (
                *(name, threshold, len(is_case), found.n_verified),
                *(seen[test.is_case].mean(), found.sensitivity.estimate, *ends[0]),
                *((~seen)[~test.is_case].mean(), found.specificity.estimate, *ends[1]),
            )
        )
    return pd.DataFrame(rows, columns=_VERIFIED)


def _together(
    test: ScoredPart, others: pd.DataFrame
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.object_]]:
    """Return labels, whether they are known, and patients, the labelled first."""
    is_case = np.r_[test.is_case, np.zeros(len(others), dtype=bool)]
    is_labelled = np.arange(len(is_case)) < len(test.is_case)
    patients = np.r_[test.patients, others["patient_id"].to_numpy(dtype=object)]
    return is_case, is_labelled, patients


def _row(
    test: ScoredPart, name: str, threshold: float, reference: Reference, level: float
) -> dict[str, object]:
    called = _called(test, name, threshold)
    found = correct_for_reference(
        test.is_case, called, reference=reference, cluster=test.clusters
    )
    shares = found.sensitivity.estimate, found.specificity.estimate
    return {
        "classifier": name,
        "threshold": threshold,
        "sensitivity": float(called[test.is_case].mean()),
        "specificity": float((~called[~test.is_case]).mean()),
        "prevalence": found.prevalence,
        "caution": "" if all(0 <= share <= 1 for share in shares) else _CAUTION,
        **_corrected(found, level),
    }


def _called(test: ScoredPart, name: str, threshold: float) -> NDArray[np.bool_]:
    """Return which images are called: from the threshold on, as `perform_at` does."""
    return np.asarray(test.scores[name].to_numpy() >= threshold)


def _corrected(found: CorrectedPerformance, level: float) -> dict[str, float]:
    row: dict[str, float] = {}
    for share in _SHARES:
        estimate = getattr(found, share)
        bounds = getattr(found, f"{share}_bounds")
        ends = (*estimate.interval(level), *bounds)
        row[f"corrected_{share}"] = estimate.estimate
        row |= {
            f"corrected_{share}_{name}": value
            for name, value in zip(_CORRECTED, ends, strict=True)
        }
    return row


def _tipping(
    test: ScoredPart, name: str, threshold: float, specificity: float, level: float
) -> Iterator[dict[str, object]]:
    """Yield what other sensitivities of the reference would make of it."""
    called = _called(test, name, threshold)
    share = float(test.is_case.mean())
    # Below, more patients than all would have the disease.
    least = max(share, 1 - specificity)
    for sensitivity in np.linspace(least, 1, _N_TIPPING + 1)[1:]:
        reference = Reference(sensitivity=float(sensitivity), specificity=specificity)
        found = correct_for_reference(
            test.is_case, called, reference=reference, cluster=test.clusters
        )
        yield {
            "classifier": name,
            "reference_sensitivity": float(sensitivity),
            **_corrected(found, level),
        }
