"""Who is radiographed in the NIH cohort, and what of it RSNA shows again."""

import uuid
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.synthesis.epidemiology import (
    NIH_EPIDEMIOLOGY,
    NIH_FINDINGS,
    fall_ill,
    images_per_patient,
    mine_labels,
    severity_column,
)
from covid_cxr.synthesis.findings import OPACITIES
from covid_cxr.synthesis.hospital_settings import Synthesis

TEST_SHARE = 25_596 / 112_120  # of the images, in the official test list
RSNA_TRAIN_VAL_SHARE = 19_491 / 26_684  # of the RSNA images, in train_val_list.txt
# Classes of stage_2_detailed_class_info.csv: 6,012, 11,821 and 8,851 of 26,684.
RSNA_CLASS_SHARES = {"opaque": 0.2253, "abnormal": 0.4430, "normal": 0.3317}

# Below this severity no reader calls an opacity.
READABLE_SEVERITY = 0.35

_ARCHIVES = 12
_ACUTE = ("edema", "effusion", "consolidation", "pneumonia", "infiltration")


def admit_nih(synthesis: Synthesis) -> pd.DataFrame:
    """Return the radiographs of the NIH cohort in the order of their names."""
    rng = np.random.default_rng([synthesis.seed, 1])
    n_test = round(TEST_SHARE * synthesis.nih_images)
    parts = {"train_val": synthesis.nih_images - n_test, "test": n_test}
    admitted = [_admit_part(part, n, synthesis, rng) for part, n in parts.items()]
    together = pd.concat(admitted, ignore_index=True)
    # Patients of both parts are numbered together, in any order.
    number = together.groupby(["official_part", "visitor"], sort=False).ngroup()
    shuffled = rng.permutation(number.max() + 1) + 1
    together = together.assign(patient_number=shuffled[number])
    together = together.sort_values("patient_number", kind="stable", ignore_index=True)
    follow_up = together.groupby("patient_number").cumcount()
    per_archive = -(-len(together) // _ARCHIVES)
    files = [
        f"images_{1 + row // per_archive:03d}/images/{patient:08d}_{visit:03d}.png"
        for row, (patient, visit) in enumerate(
            zip(together["patient_number"], follow_up, strict=True)
        )
    ]
    seeds = rng.integers(2**31, size=(2, len(together)))
    return together.assign(
        cohort="nih",
        patient=together["patient_number"].astype(str),
        file=files,
        image_id=[PurePosixPath(file).name for file in files],
        # Some years pass between the visits of patients who come often.
        age_years=np.minimum(together["age_years"] + follow_up // 4, 94),
        anatomy_seed=seeds[0][together["patient_number"] - 1],
        drawing_seed=seeds[1],
    ).drop(columns=["visitor", "patient_number"])


def choose_rsna(nih: pd.DataFrame, synthesis: Synthesis) -> pd.DataFrame:
    """Return the NIH radiographs that the RSNA cohort shows again, under new names.

    Args:
        nih: From `admit_nih`.
        synthesis: Says how many.
    """
    rng = np.random.default_rng([synthesis.seed, 2])
    n_train_val = round(RSNA_TRAIN_VAL_SHARE * synthesis.rsna_images)
    counts = {"train_val": n_train_val, "test": synthesis.rsna_images - n_train_val}
    classes = rsna_class(nih)
    rows = np.concatenate(
        [
            _choose_classes(classes[nih["official_part"] == part], n_images, rng)
            for part, n_images in counts.items()
        ]
    )
    ids = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in rows]
    chosen = nih.loc[rows].assign(
        cohort="rsna",
        nih_file=nih.loc[rows, "file"],
        file=[f"stage_2_train_images/{patient_id}.dcm" for patient_id in ids],
        image_id=ids,
    )
    return chosen.sort_values("file", ignore_index=True)


def rsna_class(radiographs: pd.DataFrame) -> pd.Series:
    """Return what readers see on each radiograph: "opaque", "abnormal" or "normal"."""
    opacities = [severity_column(name) for name in OPACITIES if name in NIH_FINDINGS]
    findings = [severity_column(name) for name in NIH_FINDINGS]
    is_opaque = (radiographs[opacities] >= READABLE_SEVERITY).any(axis=1)
    is_abnormal = (radiographs[findings] > 0).any(axis=1)
    classes = np.select([is_opaque, is_abnormal], ["opaque", "abnormal"], "normal")
    return pd.Series(classes, index=radiographs.index)


def _admit_part(
    part: str, n_images: int, synthesis: Synthesis, rng: np.random.Generator
) -> pd.DataFrame:
    # 9.2 images per patient in the official test list, 3.1 outside it.
    is_test = part == "test"
    visitors = images_per_patient(
        n_images,
        mean=9.2 if is_test else 3.1,
        most=max(3, n_images // (7 if is_test else 30)),
        rng=rng,
    )
    severities = fall_ill(
        visitors,
        shares={
            row.finding: synthesis.morbidity * getattr(row, part)
            for row in NIH_EPIDEMIOLOGY
        },
        least_patients=synthesis.least_patients,
        rng=rng,
    )
    mined = mine_labels(severities, label_noise=synthesis.label_noise, rng=rng)
    n_visitors = visitors.max() + 1
    people = pd.DataFrame(
        {
            "visitor": visitors,
            "official_part": part,
            "sex": np.where(rng.random(n_visitors) < 0.565, "M", "F")[visitors],
            "age_years": _ages(n_visitors, rng)[visitors],
            "site": "nih",
            "finding_labels": _as_text(mined),
        }
    )
    drawn = severities.rename(columns=severity_column)
    return people.join(_circumstances(severities, synthesis, rng)).join(drawn)


def _ages(n_people: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.clip(np.rint(rng.normal(46, 16.6, n_people)), 1, 94).astype(np.int64)


def _circumstances(
    severities: pd.DataFrame, synthesis: Synthesis, rng: np.random.Generator
) -> pd.DataFrame:
    """Return view, devices and crowding: the very ill are radiographed in bed."""
    n_acute = (severities[list(_ACUTE)] > 0).sum(axis=1).to_numpy()
    n_images = len(severities)
    is_in_bed = rng.random(n_images) < 1 / (1 + np.exp(0.75 - 0.85 * n_acute))
    has_devices = rng.random(n_images) < np.where(is_in_bed, 0.4, 0.03)
    is_crowded = rng.random(n_images) < synthesis.confounder_share
    crowding = np.where(is_crowded, rng.uniform(0.3, 1.0, n_images), 0.0)
    return pd.DataFrame(
        {
            "view": np.where(is_in_bed, "AP", "PA"),
            "has_devices": has_devices,
            "crowding_severity": crowding,
        }
    )


def _as_text(mined: pd.DataFrame) -> list[str]:
    """Return labels as the raw table writes them: "Edema|Mass" or "No Finding"."""
    titles = sorted((row.title, row.finding) for row in NIH_EPIDEMIOLOGY)
    named = [title for title, _ in titles]
    ordered = mined[[finding for _, finding in titles]].to_numpy()
    return [
        "|".join(title for title, is_named in zip(named, row, strict=True) if is_named)
        or "No Finding"
        for row in ordered
    ]


def _choose_classes(
    classes: pd.Series, n_images: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return the index of `n_images`, of each class its share or what there is."""
    shuffled = classes.sample(frac=1, random_state=rng)
    place = shuffled.groupby(shuffled).cumcount()
    quota = shuffled.map(RSNA_CLASS_SHARES) * n_images
    is_beyond = place >= quota.round()
    # Where a class runs short, others without an opacity fill up first.
    is_last = is_beyond & (shuffled == "opaque")
    rank = is_beyond.astype(int) + is_last.astype(int)
    return np.asarray(rank.sort_values(kind="stable").index[:n_images], np.intp)
