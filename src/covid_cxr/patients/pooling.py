"""Cohorts as one training set, whose images know only some of its labels.

The paper holds that a sequence of trainings does better than one on everything, and
leaves that untested. In the pool an image's id is led by its cohort: "nih:0001.png".
"""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from covid_cxr.cohorts.radiograph_table import COVID19
from covid_cxr.patients.splits import refuse_shared_patients

logger = logging.getLogger(__name__)

# Published in 2017 and 2018: nobody in them can have had COVID-19.
BEFORE_COVID19 = ("nih", "rsna")


def pool_radiographs(
    curated: Mapping[str, pd.DataFrame],
    *,
    n_images: Mapping[str, int],
    labels: Sequence[str],
) -> pd.DataFrame:
    """Return `image_id`, `patient_id`, `row` and the labels of all cohorts.

    A label that a cohort does not tell is missing; that nobody had COVID-19 before
    2019 is known.

    Args:
        curated: By cohort, in the order in which their stores are pooled.
        n_images: Rows of each cohort's store.
        labels: What the classifier is to tell.
    """
    tables, first = [], 0
    for cohort, radiographs in curated.items():
        known = {label: _labels_of(cohort, radiographs, label) for label in labels}
        tables.append(
            radiographs[["patient_id"]].assign(
                image_id=_pooled_ids(cohort, radiographs),
                row=radiographs["row"] + first,
                **known,
            )
        )
        first += n_images[cohort]
    return pd.concat(tables, ignore_index=True)


def pool_splits(splits: Mapping[str, pd.DataFrame], *, tested: str) -> pd.DataFrame:
    """Return one split of all cohorts: `image_id, patient_id, part`.

    Every image keeps its part, but no patient crosses: patients of the test part are
    nowhere else, and those of a training part are not validated on. Images that would
    cross are left out.

    Args:
        splits: By cohort: `image_id, patient_id, part`.
        tested: The cohort that the classifier is tested on. The test parts of others
            have no use here, and their patients may be trained on in a third cohort,
            as they are in the sequence of phases.
    """
    named = []
    for cohort, split in splits.items():
        kept = split if cohort == tested else split[split["part"] != "test"]
        named.append(kept.assign(image_id=_pooled_ids(cohort, kept)))
    everything = pd.concat(named, ignore_index=True)
    parts = everything.groupby("patient_id")["part"].agg(set)
    first = parts.map(
        lambda found: next(p for p in ("test", "train", "validation") if p in found)
    )
    is_kept = everything["part"] == everything["patient_id"].map(first)
    for part, left_out in everything[~is_kept].groupby("part"):
        logger.info(
            "pooled: left %d %s images out: their patients are in another part of "
            "another cohort",
            len(left_out),
            part,
        )
    split = everything.loc[is_kept, ["image_id", "patient_id", "part"]]
    refuse_shared_patients(split)
    return split.sort_values("image_id", ignore_index=True)


def _labels_of(cohort: str, radiographs: pd.DataFrame, label: str) -> pd.Series:
    if label in radiographs.columns:
        return radiographs[label].astype("boolean")
    known = False if label == COVID19 and cohort in BEFORE_COVID19 else pd.NA
    return pd.Series(known, index=radiographs.index, dtype="boolean")


def _pooled_ids(cohort: str, images: pd.DataFrame) -> pd.Series:
    return f"{cohort}:" + images["image_id"].astype("str")
