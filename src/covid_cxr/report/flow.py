"""Who is in the study: cohorts, parts, and what could not be used."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

PARTS = ("train", "validation", "test")


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


def count_cohorts(
    curated: Mapping[str, pd.DataFrame], rejected: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return one row per cohort: images and patients used, images rejected.

    Args:
        curated: Radiographs with pixels, by cohort.
        rejected: `image_id, file, stage, reason`, by cohort.
    """
    return pd.DataFrame(
        [
            {
                "cohort": cohort,
                "is_synthetic": bool(radiographs["is_synthetic"].any()),
                "images": len(radiographs),
                "patients": radiographs["patient_id"].nunique(),
                "rejected": len(rejected[cohort]),
            }
            for cohort, radiographs in curated.items()
        ]
    )


def count_rejections(rejected: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how many radiographs of each cohort were rejected, why, and where.

    What follows a colon in a reason is left out: it may name a file.
    """
    columns = ["cohort", "stage", "reason"]
    counts = [
        table.assign(cohort=cohort, reason=table["reason"].str.split(":").str[0])
        .value_counts(columns)
        .reset_index(name="images")
        for cohort, table in rejected.items()
        if len(table)
    ]
    if not counts:
        return pd.DataFrame(columns=[*columns, "images"])
    return pd.concat(counts, ignore_index=True)


def count_parts(training_sets: Mapping[str, SplitCohort]) -> pd.DataFrame:
    """Return images, patients and positives of every part of every training set.

    `images_of_phase1_patients` counts the images whose patient also is in phase 1's
    training part: the RSNA radiographs are a selection of the NIH ones. It is NaN where
    there is no phase 1, and where no RSNA radiograph is mapped to its NIH patient.

    Args:
        training_sets: By name, as in `phase2_rsna`.
    """
    phase1 = training_sets.get("phase1")
    learned = None if phase1 is None else _patients(phase1.split, "train")
    rows = []
    for name, training_set in training_sets.items():
        labelled = _with_label(name, training_set)
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
                    "images_of_phase1_patients": _count_learned(images, learned),
                }
            )
    return pd.DataFrame(rows)


def _with_label(name: str, training_set: SplitCohort) -> pd.DataFrame:
    labels = training_set.radiographs.set_index("image_id")[training_set.label]
    absent = ~training_set.split["image_id"].isin(labels.index)
    if absent.any():
        raise ValueError(
            f"{int(absent.sum())} images of the {name} split are not among the curated "
            "radiographs; draw the split again with "
            "`kedro run --pipelines=curation`."
        )
    found = labels.loc[training_set.split["image_id"]].to_numpy(dtype=bool)
    return training_set.split.assign(**{training_set.label: found})


def _patients(split: pd.DataFrame, part: str) -> set[str]:
    return set(split.loc[split["part"] == part, "patient_id"])


def _count_learned(images: pd.DataFrame, learned: set[str] | None) -> float:
    patients = images["patient_id"]
    if learned is None or patients.str.startswith("rsna:").all():
        return np.nan
    return float(patients.isin(learned).sum())
