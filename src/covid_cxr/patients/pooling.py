"""Cohorts as one training set, whose images know only some of its labels.

The paper holds that a sequence of trainings does better than one on everything, and
leaves that untested. In the pool an image's id is led by its cohort: "nih:0001.png".
"""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from covid_cxr.cohorts.radiograph_table import COVID19, UNKNOWN
from covid_cxr.patients.linked import first_of_linked
from covid_cxr.patients.splits import refuse_shared_patients

logger = logging.getLogger(__name__)

# Published in 2017 and 2018: nobody in them can have had COVID-19.
BEFORE_COVID19 = ("nih", "rsna")

_PRECEDENCE = ("test", "train", "validation")
_MOST_OTHER_SEX = 0.1  # of the patients that two cohorts share
_COLUMNS = [
    *("image_id", "patient_id", "row", "view", "sex", "age_years"),
    *("source", "site", "is_synthetic"),
]


def pool_draws(
    labels: list[str],
    told: Mapping[str, list[str]],
    duplicates_across: pd.DataFrame,
    **tables: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the radiographs of several cohorts, one split of them, and the left out.

    Args:
        labels: What is learned.
        told: By cohort, which of these its radiographs count for.
        duplicates_across: Pairs of images of two cohorts.
        tables: `<cohort>_curated`, `<cohort>_split` and `<cohort>_left_out`.

    Returns:
        As `pool_radiographs` and `pool_splits`; and `image_id, patient_id, reason`.

    Raises:
        ValueError: If two cohorts number their patients alike, or if a label that not
            all cohorts tell has no positive to learn from or to choose on.
    """
    cohorts = [n.removesuffix("_curated") for n in tables if n.endswith("_curated")]
    curated = {}
    for cohort in cohorts:
        untold = [label for label in labels if label not in told[cohort]]
        table = tables[f"{cohort}_curated"]
        curated[cohort] = table.drop(columns=untold, errors="ignore")
    pooled = pool_radiographs(curated, labels=labels)
    splits = {cohort: tables[f"{cohort}_split"] for cohort in cohorts}
    split, crossing = pool_splits(splits, duplicates_across)
    _refuse_unseen(pooled, split, labels)
    left_out = [_pooled(c, tables[f"{c}_left_out"]) for c in cohorts]
    whole = pd.concat([*left_out, crossing], ignore_index=True)
    return pooled, split, whole.sort_values("image_id", ignore_index=True)


def pool_radiographs(
    curated: Mapping[str, pd.DataFrame], *, labels: Sequence[str]
) -> pd.DataFrame:
    """Return the radiographs of all cohorts, each with its `cohort`.

    `image_id` is led by the cohort, `row` is that in the cohort's own store. A label
    that a cohort does not tell is missing; that nobody had COVID-19 before 2019 is
    known.

    Raises:
        ValueError: If two cohorts number their patients alike.
    """
    tables = [
        _pooled(cohort, radiographs)[_COLUMNS].assign(
            cohort=cohort,
            **{label: _labels_of(cohort, radiographs, label) for label in labels},
        )
        for cohort, radiographs in curated.items()
    ]
    whole = pd.concat(tables, ignore_index=True)
    _refuse_numbered_alike(whole)
    return whole


def pool_splits(
    splits: Mapping[str, pd.DataFrame], duplicates_across: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one split of several cohorts, and the images that would cross its parts.

    Every image keeps its part, but no patient crosses, nor one who is linked to the
    patient by a picture that two cohorts share: those of the test part are nowhere
    else, and those of the training part are not validated on.

    Args:
        splits: By cohort: `image_id, patient_id, part`.
        duplicates_across: Pairs of images of two cohorts.

    Returns:
        `image_id, patient_id, part`; and `image_id, patient_id, reason`.
    """
    named = [_pooled(cohort, split) for cohort, split in splits.items()]
    everything = pd.concat(named, ignore_index=True)
    is_among = duplicates_across[["first_cohort", "second_cohort"]].isin(list(splits))
    group_of = first_of_linked(
        sorted(everything["patient_id"].unique()),
        duplicates_across[is_among.all(axis=1)],
        of="patient_id",
    )
    group = everything["patient_id"].map(group_of)
    rank = everything["part"].map(_PRECEDENCE.index)
    is_kept = rank == rank.groupby(group).transform("min")
    split = everything.loc[is_kept, ["image_id", "patient_id", "part"]]
    refuse_shared_patients(split)
    crossing = everything[~is_kept]
    kept_in = rank.groupby(group).min().map(_PRECEDENCE.__getitem__)
    reason = (
        "patient in the " + group[~is_kept].map(kept_in) + " part of another cohort"
    )
    for (part, why), left_out in crossing.groupby(["part", reason]):
        logger.info("left %d %s images out: %s", len(left_out), part, why)
    return (
        split.sort_values("image_id", ignore_index=True),
        crossing[["image_id", "patient_id"]].assign(reason=reason),
    )


def of_cohort(
    table: pd.DataFrame, cohort: str, *, among: Sequence[str]
) -> pd.DataFrame:
    """Return a cohort's rows of a table, with the ids that the cohort has itself.

    Args:
        table: `image_id` and more, of a training set.
        cohort: Its name.
        among: The cohorts that the training set is drawn from.
    """
    if len(among) == 1:
        return table
    prefix = f"{cohort}:"
    own = table[table["image_id"].str.startswith(prefix)].reset_index(drop=True)
    return own.assign(image_id=own["image_id"].str.removeprefix(prefix))


def _pooled(cohort: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a cohort's table with ids that no other cohort has."""
    return table.assign(image_id=f"{cohort}:" + table["image_id"].astype("str"))


def _refuse_numbered_alike(pooled: pd.DataFrame) -> None:
    """Refuse patients of two cohorts who cannot be the same people.

    A few recorded sexes are wrong; of people who only share a number, half differ.
    """
    known = pooled[pooled["sex"] != UNKNOWN].groupby(["patient_id", "cohort"])["sex"]
    by_patient = known.first().groupby("patient_id").agg(["size", "nunique"])
    shared = by_patient[by_patient["size"] > 1]
    other = shared[shared["nunique"] > 1]
    if len(other) > _MOST_OTHER_SEX * len(shared):
        claimants = pooled.loc[pooled["patient_id"] == other.index[0], "cohort"]
        raise ValueError(
            f"{' and '.join(claimants.unique())} claim the same patients, but "
            f"{len(other)} of the {len(shared)} that cohorts share have another sex "
            f"there, such as {other.index[0]}: different people have one number, or "
            f"records are wrong. Give each cohort's patients a source of their own, as "
            f"in `<source>:<number>` (docs/data.md), or correct the sexes."
        )


def _refuse_unseen(
    pooled: pd.DataFrame, split: pd.DataFrame, labels: Sequence[str]
) -> None:
    """Refuse labels without positives, because some cohorts do not tell them."""
    images = split[["image_id", "part"]].merge(pooled, on="image_id")
    for label in labels:
        tells = pooled.groupby("cohort", sort=False)[label].apply(
            lambda x: x.notna().any()
        )
        told_by = " and ".join(tells.index[tells])
        for part in ("train", "validation"):
            known = images.loc[images["part"] == part, label].dropna()
            if not tells.all() and not known.any():
                raise ValueError(
                    f"No image of the {part} part is positive for {label}, which "
                    f"{told_by or 'no cohort'} alone tells: {len(known)} images there "
                    f"are known to be negative. Draw more of that cohort, or take "
                    f"{label} out of the labels in study.yml."
                )


def _labels_of(cohort: str, radiographs: pd.DataFrame, label: str) -> pd.Series:
    if label in radiographs.columns:
        return radiographs[label].astype("boolean")
    known = False if label == COVID19 and cohort in BEFORE_COVID19 else pd.NA
    return pd.Series(known, index=radiographs.index, dtype="boolean")
