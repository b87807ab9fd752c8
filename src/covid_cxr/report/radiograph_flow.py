"""Who is in the study: cohorts, parts, and what could not be used.

The flow table has one row per station of the radiographs, from the publisher's list to
the parts of each training set, and one row per reason for which some were lost on the
way. It is refused unless every radiograph is in exactly one place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

PARTS = ("train", "validation", "test")

# Steps of the flow table, beside the names of the parts.
LISTED = "listed"
REJECTED_AT_INGESTION = "rejected at ingestion"
INGESTED = "ingested"
REJECTED_AT_CURATION = "rejected at curation"
CURATED = "curated"
LEFT_OUT = "left out"


@dataclass(frozen=True, kw_only=True)
class SplitCohort:
    """A curated cohort with one split of it, from which a training set is counted.

    Attributes:
        split: `image_id, patient_id, part`.
        radiographs: The curated radiographs, with a boolean column of the label.
        label: The finding that is counted.
    """

    split: pd.DataFrame
    radiographs: pd.DataFrame
    label: str


@dataclass(frozen=True, kw_only=True)
class CohortFlow:
    """Where the radiographs of a cohort went.

    Attributes:
        ingested: The radiograph table.
        curated: Those of it that have pixels.
        rejected: `image_id, file, stage, reason`, of both stages.
        splits: `image_id, patient_id, part`, by training set drawn from the cohort.
        left_out: `image_id, patient_id, reason`, by training set.
    """

    ingested: pd.DataFrame
    curated: pd.DataFrame
    rejected: pd.DataFrame
    splits: Mapping[str, pd.DataFrame]
    left_out: Mapping[str, pd.DataFrame]


def follow_radiographs(cohorts: Mapping[str, CohortFlow]) -> pd.DataFrame:
    """Return the flow table: `cohort, training_set, step, reason, images, patients`.

    `training_set` is missing for what happens before a cohort is divided, and `reason`
    for what is not lost. What follows a colon or "duplicate of" in a reason is left
    out: it may name a file. `patients` is NaN where ids are not known: before
    ingestion. Images add up; patients need not, one may lose some radiographs and keep
    others.

    Raises:
        ValueError: If a radiograph is in no place or in two.
    """
    tables = [
        pd.DataFrame(_cohort_rows(name, cohort)).assign(cohort=name)
        for name, cohort in cohorts.items()
    ]
    columns = ["cohort", "training_set", "step", "reason", "images", "patients"]
    return pd.concat(tables, ignore_index=True)[columns]


def count_cohorts(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cohort: images and patients used, images rejected.

    Args:
        tables: By cohort the radiographs with pixels, and as `<cohort>_rejected`
            `image_id, file, stage, reason`.
    """
    return pd.DataFrame(
        [
            {
                "cohort": cohort,
                "is_synthetic": bool(radiographs["is_synthetic"].any()),
                "images": len(radiographs),
                "patients": radiographs["patient_id"].nunique(),
                "rejected": len(tables[f"{cohort}_rejected"]),
            }
            for cohort, radiographs in tables.items()
            if f"{cohort}_rejected" in tables
        ]
    )


def count_parts(training_sets: Mapping[str, SplitCohort]) -> pd.DataFrame:
    """Return images, patients and positives of every part of every training set.

    `images_of_phase1_patients` counts the images whose patient also is in phase 1's
    training part: the RSNA radiographs are a selection of the NIH ones. It is NaN where
    there is no phase 1, and where no RSNA radiograph is mapped to its NIH patient.
    Where some images do not know the label, `known` counts those that do.
    """
    phase1 = training_sets.get("phase1")
    learned = None if phase1 is None else _patients(phase1.split, "train")
    rows = []
    for name, training_set in training_sets.items():
        labelled = with_label(name, training_set)
        for part in PARTS:
            images = labelled[labelled["part"] == part]
            if images.empty:
                continue
            rows.append(
                {
                    "training_set": name,
                    "part": part,
                    "label": training_set.label,
                    "images": len(images),
                    "patients": images["patient_id"].nunique(),
                    "positives": int(images[training_set.label].sum()),
                    "known": int(images[training_set.label].count()),
                    "images_of_phase1_patients": _count_learned(images, learned),
                }
            )
    table = pd.DataFrame(rows)
    is_all_known = table["known"].equals(table["images"])
    return table.drop(columns="known") if is_all_known else table


def with_label(name: str, training_set: SplitCohort) -> pd.DataFrame:
    """Return the split with the label as a column, missing where it is not told.

    Raises:
        ValueError: If an image of the split is not among the radiographs.
    """
    labels = training_set.radiographs.set_index("image_id")[training_set.label]
    absent = ~training_set.split["image_id"].isin(labels.index)
    if absent.any():
        raise ValueError(
            f"{int(absent.sum())} images of the {name} split are not among the curated "
            "radiographs; draw the split again with "
            "`kedro run --pipelines=curation`."
        )
    found = labels.loc[training_set.split["image_id"]].astype("boolean").array
    return training_set.split.assign(**{training_set.label: found})


def _cohort_rows(name: str, cohort: CohortFlow) -> list[dict[str, Any]]:
    is_late = cohort.rejected["stage"] == "curation"
    early, late = cohort.rejected[~is_late], cohort.rejected[is_late]
    _refuse_unaccounted(f"ingested {name}", cohort.ingested, cohort.curated, late)
    patient_of = cohort.ingested.set_index("image_id")["patient_id"]
    late = late.assign(patient_id=late["image_id"].map(patient_of))
    listed = {"step": LISTED, "images": len(cohort.ingested) + len(early)}
    rows = [
        {"training_set": None, "reason": None, "patients": np.nan, **listed},
        *_lost(REJECTED_AT_INGESTION, early),
        _kept(INGESTED, cohort.ingested),
        *_lost(REJECTED_AT_CURATION, late),
        _kept(CURATED, cohort.curated),
    ]
    for training_set, split in cohort.splits.items():
        left_out = cohort.left_out[training_set]
        _refuse_unaccounted(f"curated {name}", cohort.curated, split, left_out)
        rows += _lost(LEFT_OUT, left_out, training_set=training_set)
        for part in PARTS:
            images = split[split["part"] == part]
            if len(images):
                rows.append(_kept(part, images, training_set=training_set))
    return rows


def _refuse_unaccounted(kind: str, whole: pd.DataFrame, *places: pd.DataFrame) -> None:
    """Refuse images of `whole` that are not in exactly one of the places."""
    found = pd.concat([place["image_id"] for place in places])
    images = whole["image_id"]
    lost, foreign = images[~images.isin(found)], found[~found.isin(images)]
    for problem, ids in (
        ("went nowhere", lost),
        ("were never there, but went somewhere", foreign),
        ("went to two places", found[found.duplicated()]),
    ):
        if len(ids):
            raise ValueError(
                f"Of the {len(images)} {kind} radiographs, {len(ids)} {problem}, such "
                f"as {ids.iloc[0]}: the tables are of different runs. Run ingestion "
                f"and curation again."
            )


def _kept(
    step: str, images: pd.DataFrame, *, training_set: str | None = None
) -> dict[str, Any]:
    return {
        "training_set": training_set,
        "step": step,
        "reason": None,
        "images": len(images),
        "patients": images["patient_id"].nunique(),
    }


def _lost(
    step: str, images: pd.DataFrame, *, training_set: str | None = None
) -> list[dict[str, Any]]:
    """Return a row per reason, the most frequent first."""
    return [
        {
            "training_set": training_set,
            "step": step,
            "reason": reason,
            "images": len(lost),
            "patients": lost["patient_id"].nunique()
            if "patient_id" in lost
            else np.nan,
        }
        for reason, lost in sorted(
            images.groupby(_without_names(images["reason"])),
            key=lambda group: -len(group[1]),
        )
    ]


def _without_names(reasons: pd.Series) -> pd.Series:
    return reasons.str.replace(r":.*|(?<=^duplicate) of .*", "", regex=True)


def _patients(split: pd.DataFrame, part: str) -> set[str]:
    return set(split.loc[split["part"] == part, "patient_id"])


def _count_learned(images: pd.DataFrame, learned: set[str] | None) -> float:
    patients = images["patient_id"]
    if learned is None or patients.str.startswith("rsna:").all():
        return np.nan
    return float(patients.isin(learned).sum())
