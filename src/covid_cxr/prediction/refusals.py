"""What is not predicted, and why; and what is predicted with a word of caution."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from covid_cxr.prediction.seen import MAYBE, ON_VALIDATION, YES
from covid_cxr.radiographs.clipping import is_clipped_suspect
from covid_cxr.radiographs.orientation import is_turned_suspect

_FLAGS = {  # in the order in which they are told
    "is_photograph": "a photograph: the file says that a camera exposed it",
    "is_polarity_suspect": "may be a negative: air is bright and the mediastinum dark",
    "is_contrast_suspect": (
        "hardly any contrast: a few grey levels hold nearly all pixels"
    ),
}
_SUSPICIONS = {  # of the pixels; a study's store does not ask
    is_turned_suspect: (
        "may be turned: it looks more like a chest on its side or on its head"
    ),
    is_clipped_suspect: (
        "may be clipped: black and white each hold 2 % of the middle or more"
    ),
}
_JUDGED = ("view not understood", "BodyPartExamined")


def refuse_before(
    record: Mapping[str, Any],
    pixels: NDArray[np.uint8],
    *,
    youngest_years: float | None,
    seen: str,
) -> str:
    """Return why a curated image is not given to the network; empty if it is.

    Args:
        record: From `radiographs.record.curate`.
        pixels: Likewise, shape (size, size).
        youngest_years: Of the cohort's patients; None where no age is known.
        seen: From `SeenPictures.find`.
    """
    age = record["age_years"]
    if age is not None and youngest_years is not None and age < youngest_years:
        return (
            f"too young: the patient is {age:.3g} years old, the youngest that the "
            f"model knows {youngest_years:.3g}"
        )
    for flag, reason in _FLAGS.items():
        if record[flag]:
            return reason
    for is_suspect, reason in _SUSPICIONS.items():
        if is_suspect(pixels):
            return reason
    if seen == YES:
        return "this model was trained on this picture"
    return ""


def caution(record: Mapping[str, Any], seen: str) -> str:
    """Return what speaks against an image that is predicted; empty if nothing does.

    Args:
        record: As for `refuse_before`.
        seen: From `SeenPictures.find`.
    """
    judged = [
        step for step in str(record["steps"]).split("; ") if step.startswith(_JUDGED)
    ]
    cautions = {
        ON_VALIDATION: "this model was chosen and calibrated on this picture",
        MAYBE: "may be a copy of a picture that this model was trained on",
    }
    return "; ".join([*judged, *([cautions[seen]] if seen in cautions else [])])


def reservations(bundle: Mapping[str, Any]) -> list[str]:
    """Return what a user must know of every prediction of a bundle, in sentences.

    Args:
        bundle: What `bundle.json` says.
    """
    gate, cropped_share = bundle["gate"], bundle["preprocessing"]["cropped_share"]
    told = []
    if gate["limit"] is None:
        told.append(
            f"No picture is refused as unlike those that the model was chosen on: "
            f"{gate['n_patients']} patients are too few to refuse a share of "
            f"{100 * gate['refused_share']:g} %."
        )
    told += _not_estimated(bundle["prediction_sets"], bundle["calibration"])
    if cropped_share > 0:
        told.append(
            f"{100 * cropped_share:.3g} % of the pictures that the model was trained "
            f"and chosen on were cut to a box by hand. Pictures that are not cut alike "
            f"get other scores than in the study; state their boxes (--crops)."
        )
    return told


def _not_estimated(
    sets: Mapping[str, Any], calibration: Mapping[str, Any] | None
) -> list[str]:
    """Return what the validation part is too small to say."""
    told = []
    if sets["least_case_score"] <= 0 or sets["greatest_control_score"] >= 1:
        told.append(
            f"Prediction sets always hold a class: {sets['n_cases']} patients with the "
            f"finding and {sets['n_controls']} without are too few to cover both at "
            f"{100 * sets['coverage']:g} % in another way."
        )
    if calibration is None:
        told.append(
            "Scores are no probabilities, and none are told: the validation part does "
            "not say how to turn one into the other."
        )
    return told
