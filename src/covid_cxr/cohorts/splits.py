"""Splits: which radiographs are trained on, chosen on and tested on.

Whole patients are drawn, at random for a seed, so that each part gets the wanted
number of images and of positive images, or comes as near as was found (see the log).
"""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.cohorts.patient_draw import Wanted, choose_patients

logger = logging.getLogger(__name__)

OFFICIAL, NONE = "official", "none"
ELIGIBLE = ("all", "official_test")


@dataclass(frozen=True, kw_only=True)
class SplitTargets:
    """How a training set is drawn, as read from parameters_curation.yml.

    A number from 0 to 1 is a share, a larger one a count. Shares for the parts are
    of the drawn images that are in no official test part.

    Attributes:
        label: The finding whose positives are counted.
        eligible: "all", or "official_test" (the curators' test list only).
        images: How many of the eligible images are drawn. Every positive is kept.
        test: "official" (the curators' test list), "none", or how many images.
        test_positives: How many positives of the label; None keeps the prevalence.
        validation: How many images.
        validation_positives: As `test_positives`.
        seed: Of every draw.
    """

    label: str
    eligible: str
    images: float
    test: str | float
    test_positives: float | None
    validation: float
    validation_positives: float | None
    seed: int

    def __post_init__(self) -> None:
        """Refuse what is no share, no count, or no known word."""
        if self.eligible not in ELIGIBLE:
            raise ValueError(
                f"eligible must be {' or '.join(ELIGIBLE)}, got {self.eligible!r}; "
                f"correct it in parameters_curation.yml."
            )
        if isinstance(self.test, str) and self.test not in {OFFICIAL, NONE}:
            raise ValueError(
                f"test must be {OFFICIAL}, {NONE}, a share or a count, got "
                f"{self.test!r}; correct it in parameters_curation.yml."
            )
        for name in ("images", "validation"):
            _check_amount(name, getattr(self, name))
        if not isinstance(self.test, str):
            _check_amount("test", self.test)
        for name in ("test_positives", "validation_positives"):
            if getattr(self, name) is not None:
                _check_amount(name, getattr(self, name))


def split_by_patient(curated: pd.DataFrame, targets: SplitTargets) -> pd.DataFrame:
    """Return the split table of one training set: `image_id, patient_id, part`.

    The same for any order of the rows of `curated`; sorted by image.

    Args:
        curated: Radiographs that have pixels: `image_id`, `patient_id`, the label and,
            where official parts are asked for, `official_part`.
        targets: What to draw.

    Raises:
        ValueError: If the cohort lacks what is asked for, if a part would be empty or
            hold one class only, or if a patient would be in two parts.
    """
    rng = np.random.default_rng(targets.seed)
    drawn = _draw_images(_eligible(curated, targets), targets, rng)
    is_test = _is_official_test(drawn, targets)
    divided = drawn.assign(part=np.where(is_test, "test", "train"))
    whole = divided[~is_test]
    parts = ["validation"] if isinstance(targets.test, str) else ["test", "validation"]
    for part in parts:
        wanted = _wanted(whole, part, targets)
        remaining = divided[divided["part"] == "train"]
        chosen = choose_patients(remaining, wanted, targets.label, rng)
        moved = (divided["part"] == "train") & divided["patient_id"].isin(chosen)
        divided = divided.assign(part=divided["part"].mask(moved, part))
        _log_part(part, divided[moved], wanted, targets.label)
    expected = ["train", "validation", *(["test"] if targets.test != NONE else [])]
    refuse_one_class(divided, targets.label, expected)
    split = divided[["image_id", "patient_id", "part"]].reset_index(drop=True)
    refuse_shared_patients(split)
    return split


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
            f"change the shares in parameters_curation.yml."
        )


def _check_amount(name: str, value: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value <= 0 or (value > 1 and value != int(value)):
        raise ValueError(
            f"{name} must be a share above 0 and up to 1, or a whole count above 1, "
            f"got {value!r}; correct it in parameters_curation.yml."
        )


def _amount(value: float, whole: int) -> int:
    """Return a share of `whole`, or a count, as a count."""
    return round(value * whole) if value <= 1 else int(value)


def _eligible(curated: pd.DataFrame, targets: SplitTargets) -> pd.DataFrame:
    """Return the images that may be drawn, sorted, each with a known label."""
    needed = [targets.label]
    if targets.test == OFFICIAL or targets.eligible == "official_test":
        needed.append("official_part")
    missing = [column for column in needed if column not in curated.columns]
    if missing:
        raise ValueError(
            f"The curated radiographs lack {' and '.join(missing)}, which the split "
            f"needs; they have {', '.join(curated.columns)}. Correct label, eligible "
            f"and test in parameters_curation.yml."
        )
    is_known = curated[targets.label].notna()
    if not is_known.all():
        logger.info(
            "%d images left out of the split: %s unknown",
            (~is_known).sum(),
            targets.label,
        )
    if targets.eligible == "official_test":
        is_known &= curated["official_part"] == "test"
    return curated[is_known].sort_values("image_id", ignore_index=True)


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
            f"{targets.label}. Change images in parameters_curation.yml (1.0 draws "
            f"all), or add the missing files."
        )
    negatives = rng.permutation(np.flatnonzero(~is_positive))[:n_negatives]
    return eligible.iloc[np.sort(np.r_[np.flatnonzero(is_positive), negatives])]


def _is_official_test(drawn: pd.DataFrame, targets: SplitTargets) -> NDArray[np.bool_]:
    if targets.test != OFFICIAL:
        return np.zeros(len(drawn), dtype=bool)
    return np.asarray(drawn["official_part"] == "test", dtype=bool)


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


def _log_part(part: str, rows: pd.DataFrame, wanted: Wanted, label: str) -> None:
    logger.info(
        "%s: %d images of %d wanted, %d positive for %s of %d wanted, %d patients",
        part,
        len(rows),
        wanted.n_images,
        rows[label].sum(),
        label,
        wanted.n_positives,
        rows["patient_id"].nunique(),
    )
