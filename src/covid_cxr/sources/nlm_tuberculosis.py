"""Shenzhen and Montgomery: 800 radiographs with and without tuberculosis.

Jaeger et al., Quant Imaging Med Surg 4 (2014) 475; US National Library of Medicine.
Both are read as they unpack, at any depth, together or one of them alone:

    ChinaSet_AllFiles/CXR_png/CHNCXR_0001_0.png            radiograph
    ChinaSet_AllFiles/ClinicalReadings/CHNCXR_0001_0.txt   "male 45yrs", the reading
    MontgomerySet/CXR_png/MCUCXR_0001_0.png                radiograph
    MontgomerySet/ManualMask/leftMask/MCUCXR_0001_0.png    mask of the same name
    MontgomerySet/ClinicalReadings/MCUCXR_0001_0.txt       "Patient's Sex: F", …

The last digit of a name is the label: 0 normal, 1 tuberculosis. Masks and outlined
lesions are no radiographs: they lie in folders that say so, or have longer names.
"""

import logging
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    TUBERCULOSIS,
    admit,
    age_in_years,
    first_reason,
    sex,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_rejected
from covid_cxr.sources.published_counts import NLM_TUBERCULOSIS, log_differences
from covid_cxr.user_text import read_user_bytes, read_user_text

logger = logging.getLogger(__name__)

SITES = {"CHNCXR": "Shenzhen", "MCUCXR": "Montgomery"}

_NAME = r"^(?P<number>(?P<set>CHNCXR|MCUCXR)_\d{4})_(?P<label>[01])$"
_OUTLINED = re.compile(r"^(CHNCXR|MCUCXR)_\d{4}_[01]_.")
# Folders, as "ManualMask/leftMask", "mask", "Annotations-2/masks".
_OF_OUTLINES = re.compile(
    r"(^|[ _-]|left|right|manual|lung)masks?$|^annotations?(-\d+)?$", re.IGNORECASE
)
_NO_FILE = "in ClinicalReadings, but its radiograph is not in the folder"
_NO_NAME = "its name is none of Shenzhen (CHNCXR_0001_0) or Montgomery (MCUCXR_0001_0)"
# Of Shenzhen "male 45yrs", "Female, 8 months", or the other way round; of Montgomery a
# line for each.
_SEX_FIRST = re.compile(r"\s*([a-z]+)\W+(\d+ *[a-z]*)", re.IGNORECASE)
_SEX_WORD = re.compile(r"\b(fe)?male\b", re.IGNORECASE)
_AGE_WORD = re.compile(r"\b\d+ *[ymwd][a-z]*\b", re.IGNORECASE)
_SEX = re.compile(r"Sex\s*:\s*(\w+)", re.IGNORECASE)
_AGE = re.compile(r"Age\s*:([^\r\n]+)", re.IGNORECASE)
_NO_WORDS: frozenset[str] = frozenset()  # of a reading may stand in the log


def list_nlm_tuberculosis(
    images: RadiographFolder,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of the two collections, and the rejected.

    Every radiograph is of a patient of its own, "nlm:CHNCXR_0001"; `site` and `source`
    are its collection. Sex and age are those of the readings, where there are any.

    Raises:
        ValueError: If no radiograph of either collection is in the folder.
    """
    files = [file for file in images.files if not _is_outline(file)]
    logger.info(
        "nlm_tuberculosis: %d masks and outlined lesions are no radiographs",
        len(images.files) - len(files),
    )
    listing = pd.concat(
        [_radiographs(files, images), _without_file(files, images)], ignore_index=True
    )
    radiographs, rejected = admit("nlm_tuberculosis", listing, images)
    if not images.is_synthetic:
        _compare(radiographs)
    return radiographs, rejected


def list_unmatched_nlm_tuberculosis(
    listed: pd.DataFrame, rejected: pd.DataFrame
) -> pd.DataFrame:
    """Return the readings without a radiograph, as `unmatched_names`."""
    return names_rejected(
        rejected,
        _NO_FILE,
        of="ClinicalReadings",
        n_matched=len(listed),
        reason="have no radiograph in the folder",
    )


def _is_outline(file: str) -> bool:
    """Return whether a file is a mask or a lesion's outline, by its path."""
    path = PurePosixPath(file)
    is_longer = _OUTLINED.match(path.stem.upper()) is not None
    return is_longer or any(map(_OF_OUTLINES.search, path.parts[:-1]))


def _radiographs(files: list[str], images: RadiographFolder) -> pd.DataFrame:
    """Return listing rows of the files that may be radiographs."""
    names = pd.Series(files, dtype="str")
    stems = pd.Series(map(_stem, files), dtype="str")
    parts = stems.str.extract(_NAME)
    n_labels = parts["label"].groupby(parts["number"]).transform("nunique")
    sites = parts["set"].map(SITES).astype("str")
    return pd.DataFrame(
        {
            "image_id": stems.mask(parts["set"].isna(), names),
            "name": names,
            "patient_id": "nlm:" + parts["number"],
            "view": "PA",  # as published: "two datasets of postero-anterior (PA) …"
            **_sex_and_age(stems, images),
            "source": sites.str.lower(),
            "site": sites,
            TUBERCULOSIS: parts["label"].map({"0": False, "1": True}).astype("boolean"),
            "reason": first_reason(
                parts,
                {
                    _NO_NAME: parts["set"].isna(),
                    "listed with different labels": n_labels > 1,
                },
            ),
        }
    )


def _without_file(files: list[str], images: RadiographFolder) -> pd.DataFrame:
    """Return listing rows for radiographs that only a reading is of."""
    there = {_stem(file) for file in files}
    told = {_stem(name) for name in images.others if name.lower().endswith(".txt")}
    absent = [s for s in sorted(told - there) if re.match(_NAME, s)]
    return pd.DataFrame({"image_id": absent, "reason": _NO_FILE}, dtype="str")


def _sex_and_age(stems: pd.Series, images: RadiographFolder) -> dict[str, pd.Series]:
    """Return `sex` and `age_years`, unknown where no reading says."""
    files = [images.find(f"{stem}.txt") for stem in stems]
    told = pd.DataFrame(
        [_read(images.root / file) if file else ("", "") for file in files],
        columns=["sex", "age"],
        dtype="str",
    )
    n_untold = int((told["sex"] == "").sum())
    if n_untold:
        logger.info(
            "nlm_tuberculosis: of %d of %d radiographs no reading states sex and age",
            n_untold,
            len(stems),
        )
    return {
        "sex": sex(told["sex"], quotable=_NO_WORDS),
        "age_years": age_in_years(told["age"], quotable=_NO_WORDS),
    }


def _read(path: Path) -> tuple[str, str]:
    """Return sex and age as a reading states them; empty where it does not."""
    try:
        text = read_user_text(read_user_bytes(path), path.name)
    except (OSError, ValueError):  # a damaged reading costs sex and age, no radiograph
        return "", ""
    stated_sex, stated_age = _SEX.search(text), _AGE.search(text)
    if stated_sex or stated_age:
        return _found(stated_sex, 1), _found(stated_age, 1)
    line = text.lstrip().partition("\n")[0]
    if first := _SEX_FIRST.match(line):
        return first[1], first[2]
    return _found(_SEX_WORD.search(line)), _found(_AGE_WORD.search(line))


def _found(match: re.Match[str] | None, group: int = 0) -> str:
    return match[group] if match else ""


def _stem(file: str) -> str:
    """Return a file's name without its suffix, as the collections write it."""
    return PurePosixPath(file).stem.upper()


def _compare(radiographs: pd.DataFrame) -> None:
    """Log which collections there are, and how they differ from the published."""
    for site in SITES.values():
        of_site = radiographs[radiographs["site"] == site]
        if of_site.empty:
            logger.info("nlm_tuberculosis: nothing of %s is in the folder", site)
            continue
        counted = {
            "images": len(of_site),
            "with tuberculosis": int(of_site[TUBERCULOSIS].sum()),
        }
        log_differences(site, counted, NLM_TUBERCULOSIS[site])
