"""Splits: which radiographs are trained on, chosen on and tested on.

Whole groups are drawn, at random for a seed, so that each part gets the wanted number
of images and of positive images, or comes as near as was found (see the log). A group
is a patient, or patients linked by duplicates. Every curated image is in the split or
in the table of those left out, with the reason.
"""

import logging

import numpy as np
import pandas as pd

from covid_cxr.cohorts.radiograph_table import first_reason
from covid_cxr.patients.group_draw import Wanted, choose_groups
from covid_cxr.patients.linked import first_of_linked
from covid_cxr.patients.split_targets import (
    FOLD,
    KEEP_TOGETHER,
    NONE,
    OFFICIAL,
    OFFICIAL_TEST,
    REMOVE,
    SITE,
    SplitTargets,
)
from covid_cxr.patients.strata import AGE_BAND

logger = logging.getLogger(__name__)

_TIED = "linked by a duplicate to a patient of the official test list"


def split_by_patient(
    curated: pd.DataFrame, duplicates: pd.DataFrame, targets: SplitTargets
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the split table of one training set, and the images left out of it.

    The same for any order of the rows of `curated`; both are sorted by image.

    Args:
        curated: Radiographs that have pixels: `image_id`, `patient_id`, the label, the
            strata and, where official parts are asked for, `official_part`.
        duplicates: Pairs of them, from `find_duplicates`.
        targets: What to draw.

    Returns:
        `image_id, patient_id, part`; and `image_id, patient_id, reason`.

    Raises:
        ValueError: If the cohort lacks what is asked for, if a part would be empty or
            hold one class only, or if a patient would be in two parts.
    """
    _refuse_missing_columns(curated, targets)
    rng = np.random.default_rng(targets.seed)
    images = _grouped(curated, duplicates, targets)
    reason = _reasons(images, duplicates, targets)
    _refuse_cohort_of_one_class(images[reason.isna()], targets.label)
    drawn = _draw_images(images[reason.isna()], targets, rng)
    reason = reason.mask(reason.isna() & ~images.index.isin(drawn.index), "not drawn")
    divided = _divide(drawn, targets, rng)
    expected = ["train", "validation", *(["test"] if targets.test != NONE else [])]
    refuse_one_class(divided, targets.label, expected)
    split = divided[["image_id", "patient_id", "part"]].reset_index(drop=True)
    refuse_shared_patients(split)
    left_out = images[["image_id", "patient_id"]].assign(reason=reason)
    left_out = left_out[reason.notna()].reset_index(drop=True)
    _log_left_out(left_out)
    return split, left_out


def refuse_shared_patients(split: pd.DataFrame) -> None:
    """Refuse a split in which a patient is in two parts, also one edited by hand.

    Raises:
        ValueError: Names up to five patients with their parts.
    """
    pairs = split[["patient_id", "part"]].drop_duplicates()
    shared = pairs[pairs.duplicated("patient_id", keep=False)]
    if shared.empty:
        return
    parts = shared.sort_values("part").groupby("patient_id")["part"].agg(" and ".join)
    shown = ", ".join(
        f"{patient} ({where})" for patient, where in parts.head(5).items()
    )
    raise ValueError(
        f"{len(parts)} patients are in more than one part of the split: {shown}. All "
        f"radiographs of a patient must be in one part; run the curation pipeline "
        f"again instead of editing the split, or correct the patients' ids."
    )


def refuse_one_class(divided: pd.DataFrame, label: str, expected: list[str]) -> None:
    """Refuse parts that are empty or lack positives or negatives of the label.

    Args:
        divided: `part` and the label.
        label: The finding.
        expected: The parts that must be there.

    Raises:
        ValueError: Names the first such part with its counts.
    """
    for part in expected:
        is_positive = divided.loc[divided["part"] == part, label].astype(bool)
        n_positive, n_images = int(is_positive.sum()), len(is_positive)
        if 0 < n_positive < n_images:
            continue
        kind = "is empty" if n_images == 0 else "has one class only"
        raise ValueError(
            f"The {part} part {kind}: {n_images} images, {n_positive} of them positive "
            f"for {label}. Both classes are needed in every part: add radiographs, or "
            f"change the shares in study.yml."
        )


def _refuse_cohort_of_one_class(eligible: pd.DataFrame, label: str) -> None:
    """Refuse a cohort of which no share would give a part with both classes."""
    is_positive = eligible[label].to_numpy(bool)
    if not len(eligible) or is_positive.any() != is_positive.all():
        return
    kind = "positive" if is_positive.all() else "negative"
    raise ValueError(
        f"The whole cohort has one class only: all {len(eligible)} eligible "
        f"radiographs are {kind} for {label}. Both classes are needed in every part, "
        f"which no shares can give: add radiographs of the other class to the cohort "
        f"(additions.csv, or one manifest of both; docs/data.md), or choose another "
        f"cohort in study.yml."
    )


def _refuse_missing_columns(curated: pd.DataFrame, targets: SplitTargets) -> None:
    strata = ["age_years" if name == AGE_BAND else name for name in targets.strata]
    needed = [targets.label, *strata]
    if targets.test == OFFICIAL or targets.eligible == OFFICIAL_TEST:
        needed.append("official_part")
    if targets.test == SITE:
        needed.append("site")
    missing = [column for column in needed if column not in curated.columns]
    if missing:
        raise ValueError(
            f"The curated radiographs lack {' and '.join(missing)}, which the split "
            f"needs; they have {', '.join(curated.columns)}. Correct label, strata, "
            f"eligible and test in study.yml."
        )


def _grouped(
    curated: pd.DataFrame, duplicates: pd.DataFrame, targets: SplitTargets
) -> pd.DataFrame:
    """Return the images in their order, each with the `group` that stays together."""
    images = curated.sort_values("image_id", ignore_index=True)
    if targets.duplicates != KEEP_TOGETHER:
        return images.assign(group=images["patient_id"])
    patients = sorted(images["patient_id"].unique())
    first = first_of_linked(patients, duplicates, of="patient_id")
    return images.assign(group=images["patient_id"].map(first))


def _reasons(
    images: pd.DataFrame, duplicates: pd.DataFrame, targets: SplitTargets
) -> pd.Series:
    """Return why an image cannot be drawn, missing where it can."""
    is_in_list = images.get("official_part", pd.Series("", images.index)) == "test"
    reasons = {f"{targets.label} unknown": images[targets.label].isna()}
    if targets.eligible == OFFICIAL_TEST:
        reasons["not in the official test list"] = ~is_in_list
    if targets.test == OFFICIAL:
        listed = images[["patient_id"]].assign(part=images["official_part"])
        refuse_shared_patients(listed)
        is_tied = images["group"].isin(images.loc[is_in_list, "group"]) & ~is_in_list
        reasons[_TIED] = is_tied
    reason = first_reason(images, reasons)
    if targets.duplicates != REMOVE:
        return reason
    return reason.fillna(_removed(images[reason.isna()], is_in_list, duplicates))


def _removed(
    images: pd.DataFrame, is_in_list: pd.Series, duplicates: pd.DataFrame
) -> pd.Series:
    """Return "duplicate of …" for all but the first image of each set of duplicates.

    Those of the official test list come first, so that it stays whole where it can.
    """
    in_order = [*images["image_id"][is_in_list], *images["image_id"][~is_in_list]]
    first = images["image_id"].map(first_of_linked(in_order, duplicates, of="image_id"))
    return ("duplicate of " + first).where(first != images["image_id"])


def _amount(value: float, whole: int) -> int:
    """Return a share of `whole`, or a count, as a count."""
    return round(value * whole) if value <= 1 else int(value)


def _draw_images(
    eligible: pd.DataFrame, targets: SplitTargets, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the drawn images, sorted: every positive, and negatives at random."""
    n_drawn = _amount(targets.images, len(eligible))
    is_positive = eligible[targets.label].to_numpy(bool)
    n_negatives = n_drawn - int(is_positive.sum())
    if n_drawn > len(eligible) or n_negatives < 0:
        raise ValueError(
            f"{n_drawn} images are to be drawn with every positive, but there are "
            f"{len(eligible)} eligible ones, {is_positive.sum()} of them positive for "
            f"{targets.label}. Change images in study.yml (1.0 draws all), "
            f"or add the missing files."
        )
    negatives = rng.permutation(np.flatnonzero(~is_positive))[:n_negatives]
    return eligible.iloc[np.sort(np.r_[np.flatnonzero(is_positive), negatives])]


def _divide(
    drawn: pd.DataFrame, targets: SplitTargets, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the drawn images, each with its `part`."""
    tested = _test_groups(drawn, targets, rng)
    is_test = drawn["group"].isin(tested)
    remaining = drawn[~is_test]
    whole = remaining if targets.test in {OFFICIAL, SITE} else drawn
    wanted = _wanted(whole, "validation", targets)
    chosen = _choose_part("validation", remaining, wanted, targets, rng)
    is_validation = drawn["group"].isin(chosen)
    return drawn.assign(
        part=np.select([is_test, is_validation], ["test", "validation"], "train")
    )


def _test_groups(
    drawn: pd.DataFrame, targets: SplitTargets, rng: np.random.Generator
) -> list[str]:
    """Return the groups that are tested on."""
    if targets.test == NONE:
        return []
    if targets.test == OFFICIAL:
        return list(drawn.loc[drawn["official_part"] == "test", "group"].unique())
    if targets.test == SITE:
        return _groups_of_site(drawn, str(targets.held_out_site))
    if targets.test == FOLD:
        return _groups_of_fold(drawn, targets, rng)
    return _choose_part("test", drawn, _wanted(drawn, "test", targets), targets, rng)


def _groups_of_site(drawn: pd.DataFrame, site: str) -> list[str]:
    """Return all groups with an image of the site, whatever else they have."""
    groups = drawn.loc[drawn["site"] == site, "group"].unique()
    if not len(groups):
        raise ValueError(
            f"No drawn image is of the held_out_site {site!r}; there are "
            f"{', '.join(sorted(drawn['site'].unique()))}. Correct held_out_site in "
            f"study.yml."
        )
    return list(groups)


def _groups_of_fold(
    drawn: pd.DataFrame, targets: SplitTargets, rng: np.random.Generator
) -> list[str]:
    """Return the groups of one fold, after drawing those of the folds before it.

    With the same seed every fold is drawn from what the others leave, so that each
    group is in the test part of exactly one of them.
    """
    n_folds, n_before = int(targets.n_folds or 0), int(targets.fold or 0)
    remaining = drawn
    for n_left in range(n_folds, n_folds - n_before, -1):
        others = _choose(remaining, _one_of(n_left, remaining, targets), targets, rng)
        remaining = remaining[~remaining["group"].isin(others)]
    wanted = _one_of(n_folds - n_before, remaining, targets)
    return _choose_part("test", remaining, wanted, targets, rng)


def _one_of(n_folds: int, remaining: pd.DataFrame, targets: SplitTargets) -> Wanted:
    """Return the counts of one of `n_folds` equal folds."""
    n_positives = int(remaining[targets.label].sum())
    return Wanted(
        n_images=round(len(remaining) / n_folds),
        n_positives=round(n_positives / n_folds),
    )


def _choose_part(
    part: str,
    remaining: pd.DataFrame,
    wanted: Wanted,
    targets: SplitTargets,
    rng: np.random.Generator,
) -> list[str]:
    """Return the groups of a part, and log how near they come to the wanted counts."""
    chosen = _choose(remaining, wanted, targets, rng)
    rows = remaining[remaining["group"].isin(chosen)]
    logger.info(
        "%s: %d images of %d wanted, %d positive for %s of %d wanted, %d patients",
        part,
        len(rows),
        wanted.n_images,
        rows[targets.label].sum(),
        targets.label,
        wanted.n_positives,
        rows["patient_id"].nunique(),
    )
    return chosen


def _choose(
    remaining: pd.DataFrame,
    wanted: Wanted,
    targets: SplitTargets,
    rng: np.random.Generator,
) -> list[str]:
    return choose_groups(
        remaining, wanted, label=targets.label, strata=targets.strata, rng=rng
    )


def _wanted(whole: pd.DataFrame, part: str, targets: SplitTargets) -> Wanted:
    """Return the counts for a part; at least one image of each class if possible."""
    n_images = _amount(getattr(targets, part), len(whole))
    n_all_positives = int(whole[targets.label].sum())
    positives = getattr(targets, f"{part}_positives")
    if positives is not None:
        return Wanted(
            n_images=n_images, n_positives=_amount(positives, n_all_positives)
        )
    proportional = round(n_images * n_all_positives / max(1, len(whole)))
    return Wanted(
        n_images=n_images, n_positives=max(1, min(proportional, n_images - 1))
    )


def _log_left_out(left_out: pd.DataFrame) -> None:
    kinds = left_out["reason"].str.replace(r"^duplicate of .*", "duplicate", regex=True)
    counts = kinds.value_counts()
    if len(counts):
        shown = "; ".join(f"{kind} ({count})" for kind, count in counts.items())
        logger.info("%d images left out of the split: %s", len(left_out), shown)
