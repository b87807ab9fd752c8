"""Shortcuts: what source, site, view, sex and age alone give away of the label.

A classifier can learn whatever separates the classes. Where the metadata separate
them, its AUROC says as much about the collection of the images as about lungs.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from covid_cxr.statistics.association import cramers_v
from covid_cxr.statistics.auc import estimate_aucs

ATTRIBUTES = ("source", "site", "view", "sex", "age")
PREDICTORS: Mapping[str, tuple[str, ...]] = {
    **{attribute: (attribute,) for attribute in ATTRIBUTES},
    "age, sex and view": ("age", "sex", "view"),
}
HELD_OUT_PARTS = ("validation", "test")
UNKNOWN = "unknown"
_DECADES = ("0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79")
_OLDEST = "80 and over"


@dataclass(frozen=True, kw_only=True)
class DescribedSet:
    """A training set's images with their label and metadata.

    Attributes:
        name: As in "phase2_rsna".
        label: The finding that its split counts.
        images: `part, patient_id`, the label (boolean) and `ATTRIBUTES` as levels.
    """

    name: str
    label: str
    images: pd.DataFrame


def describe_set(
    name: str, *, curated: pd.DataFrame, split: pd.DataFrame, label: str
) -> DescribedSet:
    """Return the split's images with their label and metadata.

    Unknown is a level of its own, and ages are in decades: nothing is dropped but what
    is of a cohort that does not tell the label, and a label that goes with missing
    metadata is seen, too.

    Args:
        name: Of the training set.
        curated: The cohort's radiographs.
        split: `image_id` and `part`.
        label: The finding.
    """
    known = curated.assign(age=_decade(curated["age_years"]))
    columns = ["image_id", "patient_id", label, *ATTRIBUTES]
    images = split[["image_id", "part"]].merge(known[columns], on="image_id")
    images = images[images[label].notna()].reset_index(drop=True)
    levels = {
        attribute: images[attribute].fillna(UNKNOWN).astype("str")
        for attribute in ATTRIBUTES
    }
    return DescribedSet(
        name=name,
        label=label,
        images=images.assign(**levels).astype({label: bool}),
    )


def cross_tabulate(described: DescribedSet) -> pd.DataFrame:
    """Return images and positives of every level of every attribute, by part.

    Columns: `training_set, label, part, attribute, level, n_images, n_positives`.
    """
    tables = [
        described.images.groupby(["part", attribute])[described.label]
        .agg(n_images="size", n_positives="sum")
        .reset_index()
        .rename(columns={attribute: "level"})
        .assign(attribute=attribute)
        for attribute in ATTRIBUTES
    ]
    table = pd.concat(tables, ignore_index=True)
    table = table.assign(training_set=described.name, label=described.label)
    columns = ["training_set", "label", "part", "attribute", "level"]
    return table[[*columns, "n_images", "n_positives"]]


def associate(described: DescribedSet) -> pd.DataFrame:
    """Return Cramér's V of the label and all attributes with one another.

    Columns: `training_set, first, second, cramers_v, n_images`; the pairs with the
    label stand first. NaN where an attribute has one level only.
    """
    pairs = itertools.combinations([described.label, *ATTRIBUTES], 2)
    return pd.DataFrame(
        [
            {
                "training_set": described.name,
                "first": first,
                "second": second,
                "cramers_v": cramers_v(
                    described.images[first], described.images[second]
                ),
                "n_images": len(described.images),
            }
            for first, second in pairs
        ]
    )


def predict_from_metadata(described: DescribedSet, *, level: float) -> pd.DataFrame:
    """Return the AUROC of metadata alone on the validation and test parts.

    The scores are those of a logistic regression on the levels, fitted to the training
    part. Intervals are logit intervals, clustered by patient.

    Columns: `training_set, label, part, predictors, n_levels` (in the training part),
    `auroc, lower, upper, n_cases, n_controls, n_patients`. NaN where the training part
    or the part has one class only.
    """
    images, label = described.images, described.label
    train = images[images["part"] == "train"]
    rows = []
    for part in HELD_OUT_PARTS:
        held_out = images[images["part"] == part]
        if held_out.empty:
            continue
        for predictors, attributes in PREDICTORS.items():
            columns = list(attributes)
            scores = _scores(train[columns], train[label], held_out[columns])
            rows.append(
                {
                    "training_set": described.name,
                    "label": label,
                    "part": part,
                    "predictors": predictors,
                    "n_levels": len(train[columns].drop_duplicates()),
                    **describe_auroc(
                        held_out[label],
                        scores,
                        patients=held_out["patient_id"],
                        level=level,
                    ),
                }
            )
    return pd.DataFrame(rows)


def describe_auroc(
    is_case: pd.Series, scores: pd.Series, *, patients: pd.Series, level: float
) -> dict[str, float]:
    """Return `auroc`, its `lower` and `upper` bound by patient, and the sizes.

    NaN where a score is unknown or there is one class only.

    Args:
        is_case: Boolean, one per image.
        scores: One per image.
        patients: Patient of each image.
        level: Of the logit interval.
    """
    sizes = {
        "n_cases": int(is_case.sum()),
        "n_controls": int((~is_case).sum()),
        "n_patients": patients.nunique(),
    }
    if scores.isna().any() or is_case.nunique() < 2:
        return {"auroc": np.nan, "lower": np.nan, "upper": np.nan, **sizes}
    aucs = estimate_aucs(is_case, scores, cluster=patients)
    lower, upper = aucs.interval(level, "logit")[0]
    return {"auroc": float(aucs.auc[0]), "lower": lower, "upper": upper, **sizes}


def _decade(age_years: pd.Series) -> pd.Series:
    edges = [*range(0, 90, 10), np.inf]
    decades = pd.cut(age_years, bins=edges, labels=[*_DECADES, _OLDEST], right=False)
    return decades.astype("str")


def _scores(
    train: pd.DataFrame, is_case: pd.Series, held_out: pd.DataFrame
) -> pd.Series:
    """Return the fitted log odds of the held-out images; NaN if there is one class."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder  # noqa: PLC0415

    if is_case.nunique() < 2:
        return pd.Series(np.nan, index=held_out.index)
    regression = make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=1000)
    )
    regression.fit(train, is_case)
    return pd.Series(regression.decision_function(held_out), index=held_out.index)
