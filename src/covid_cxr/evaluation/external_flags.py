"""What a reader of an external result must ask before believing it."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from covid_cxr.evaluation.external_scores import (
    CLASSIFIER,
    REFUSED,
    by_classifier,
    kind_of,
)
from covid_cxr.prediction.seen import MAYBE, ON_VALIDATION, YES

_MANY = 0.1  # of the radiographs of a cohort
_NEGATIVE = "may be a negative"  # as `prediction.refusals` begins
_CHANCE = 0.5
NOT_UNDERSTOOD = "not understood"  # how reasons end of what a word does not say
COPY = "the picture of"  # how reasons begin why a picture is not counted twice
_COPIES = {
    YES: "were trained on, and are refused",
    ON_VALIDATION: "the classifier was chosen and calibrated on",
    MAYBE: "may be copies of pictures that it was trained on",
}


def raise_flags(
    *,
    scores: pd.DataFrame,
    discrimination: pd.DataFrame,
    shortcuts: pd.DataFrame,
    protocol: Mapping[str, Any],
    classifiers: Mapping[str, Any],
    rejected: pd.DataFrame,
) -> pd.DataFrame:
    """Return a sentence for each thing to ask.

    Columns: `classifier` ("all" where it is of the cohort), `flag`, `sentence`.

    Args:
        scores: From `predict_cohort`.
        discrimination: From `tabulate_discrimination`.
        shortcuts: From `find_shortcuts`.
        protocol: From `read_protocol`.
        classifiers: From `describe_bundles`.
        rejected: Rows of the manifest that are not counted, with `reason`.
    """
    rows = [("all", *one) for one in _of_cohort(scores, shortcuts, protocol)]
    rows += [("all", *one) for one in _of_rejected(rejected)]
    for row in discrimination.to_dict("records"):
        rows += [(row[CLASSIFIER], *one) for one in _of_auroc(row)]
    for name, own in by_classifier(scores):
        rows += [(name, *one) for one in _of_pictures(own)]
        rows += [(name, "bundle", one) for one in classifiers[name]["reservations"]]
    return pd.DataFrame(rows, columns=[CLASSIFIER, "flag", "sentence"])


def _of_cohort(
    scores: pd.DataFrame, shortcuts: pd.DataFrame, protocol: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    if protocol["caution"]:
        yield "protocol", protocol["caution"]
    if scores["is_case"].nunique() < 2:
        there, absent = ("cases", "controls")
        if not scores["is_case"].any():
            there, absent = absent, there
        told = (
            f"The cohort has {there} only: there is no AUROC, no calibration and no "
            f"predictive value, and no {absent} are taken from elsewhere."
        )
        yield "one class", told
    for row in shortcuts[shortcuts["lower"] > _CHANCE].to_dict("records"):
        told = (
            f"{row['predictors']} alone tells the outcome in this cohort with an AUROC "
            f"of {row['auroc']:.3f} ({row['lower']:.3f} to {row['upper']:.3f}): a "
            f"classifier that knows no more would do as well."
        )
        yield "shortcut", told


def _of_rejected(rejected: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for reason, number in kind_of(rejected["reason"]).value_counts().items():
        told = str(reason)
        if told.startswith(COPY):
            copies = (
                f"{number} of the manifest's rows show, pixel by pixel, {told}, and "
                f"are not counted (images/rejected.parquet): one radiograph under two "
                f"names?"
            )
            yield "copies", copies
        elif told.endswith(NOT_UNDERSTOOD):
            words = (
                f"{number} rows of the manifest are left out: {told}. A class that a "
                f"word means is left out with them: say positive or negative."
            )
            yield "labels", words


def _of_auroc(row: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    # Unknown bounds compare as false.
    if row.get("upper", float("nan")) < _CHANCE:
        told = (
            f"The AUROC of {row['auroc']:.3f} ({row['lower']:.3f} to "
            f"{row['upper']:.3f}) is below chance: are the labels inverted, or the "
            f"radiographs' polarity (PhotometricInterpretation)?"
        )
        yield "inverted", told
    told = row["no_difference"]  # an empty one comes back from its file as NaN
    if isinstance(told, str) and told:
        told = told.rstrip(".")
        yield "no difference", f"No difference to the study: {told}."


def _of_pictures(own: pd.DataFrame) -> Iterator[tuple[str, str]]:
    is_refused = own["status"] == REFUSED
    if is_refused.mean() > _MANY:
        told = (
            f"{is_refused.sum()} of {len(own)} radiographs ({is_refused.mean():.0%}) "
            f"are refused: what is reported without them is of other patients."
        )
        yield "refusals", told
    n_negatives = (kind_of(own["reason"]) == _NEGATIVE).sum()
    if n_negatives > _MANY * len(own):
        told = (
            f"{n_negatives} of {len(own)} radiographs are refused as negatives: is "
            f"the polarity (PhotometricInterpretation) inverted?"
        )
        yield "inverted", told
    for told, meaning in _COPIES.items():
        number = (own["was_trained_on"] == told).sum()
        if number:
            yield "copies", f"{number} of {len(own)} pictures {meaning}."
