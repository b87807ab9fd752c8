"""Splits that leave one site out: trained at the other sites, tested at that one.

A patient with an image at the site that is left out is not trained on, wherever else
the patient has images; tested are the images taken at the site, so that over all sites
each image is scored once. The other patients are divided as in phase 3. Images of
which the site is not known are in no part: they may be of the site that is left out.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from covid_cxr.checks import check_whole
from covid_cxr.cohorts.radiograph_table import UNKNOWN
from covid_cxr.patients.split_targets import SITE, SplitTargets
from covid_cxr.patients.splits import split_by_patient

logger = logging.getLogger(__name__)

SPLIT_COLUMNS = ["site", "image_id", "patient_id", "part"]


@dataclass(frozen=True, kw_only=True)
class LeftOutSites:
    """Which sites are left out in turn, as read from parameters_sites.yml.

    Attributes:
        least_patients: With the finding, and as many without it: a site with fewer of
            either is not tested on, though still trained on.
    """

    least_patients: int

    def __post_init__(self) -> None:
        """Refuse what is no number of patients."""
        place = "parameters_sites.yml"
        check_whole("sites.least_patients", self.least_patients, least=1, place=place)


def split_sites(
    curated: pd.DataFrame,
    duplicates: pd.DataFrame,
    targets: SplitTargets,
    sites: LeftOutSites,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one split for every site that can be tested on, and what every site has.

    Args:
        curated: Radiographs that have pixels: `image_id`, `patient_id`, `site`, the
            label and the strata.
        duplicates: Pairs of them, from `find_duplicates`.
        targets: How phase 3 is drawn; how its own test part is chosen is not used.
        sites: Which sites are tested on.

    Returns:
        `site, image_id, patient_id, part`, where `site` is the one left out; and
        `site, images, patients, cases, reason`, where `cases` are images with the
        finding and `reason` says why the site is not left out, missing where it is.

    Raises:
        ValueError: If the other sites of one that is left out cannot be divided.
    """
    known = curated[curated[targets.label].notna()]
    table = count_sites(known, label=targets.label, sites=sites)
    of_known_site = known[known["site"] != UNKNOWN]
    splits = [
        _leave_out(site, of_known_site, duplicates, targets)
        for site in table.loc[table["reason"].isna(), "site"]
    ]
    for row in table[table["reason"].notna()].itertuples():
        logger.info("%s is not left out: %s", row.site, row.reason)
    nothing = pd.DataFrame(columns=SPLIT_COLUMNS, dtype="str")
    return (pd.concat(splits, ignore_index=True) if splits else nothing), table


def count_sites(
    curated: pd.DataFrame, *, label: str, sites: LeftOutSites
) -> pd.DataFrame:
    """Return `site, images, patients, cases, reason`, one row per site, by name.

    Args:
        curated: `patient_id`, `site` and the label, which is known.
        label: The finding.
        sites: Which sites can be tested on.
    """
    rows = []
    for site, here in curated.groupby("site"):
        elsewhere = curated[
            ~curated["patient_id"].isin(here["patient_id"])
            & (curated["site"] != UNKNOWN)
        ]
        rows.append(
            {
                "site": site,
                "images": len(here),
                "patients": here["patient_id"].nunique(),
                "cases": int(here[label].sum()),
                "reason": _why_not(
                    str(site),
                    patients_here=_patients_by_class(here, label),
                    patients_elsewhere=_patients_by_class(elsewhere, label),
                    sites=sites,
                ),
            }
        )
    columns = ["site", "images", "patients", "cases", "reason"]
    return pd.DataFrame(rows, columns=columns).astype({"reason": "str"})


def _patients_by_class(images: pd.DataFrame, label: str) -> dict[bool, int]:
    """Return how many patients have an image with the finding, and one without."""
    counts = images.groupby(images[label].astype(bool))["patient_id"].nunique()
    return {kind: int(counts.get(kind, 0)) for kind in (True, False)}


def _why_not(
    site: str,
    *,
    patients_here: Mapping[bool, int],
    patients_elsewhere: Mapping[bool, int],
    sites: LeftOutSites,
) -> str | None:
    """Return why a site is not left out; None where it is."""
    if site == UNKNOWN:
        return "it is not known where the images were taken"
    fewest = min(patients_here.values())
    if fewest == 0:
        return f"one class only: all images are {_WORDS[patients_here[True] > 0]}"
    if fewest < sites.least_patients:
        kind = patients_here[True] == fewest
        return f"{fewest} {_WORDS[kind]} patients, fewer than {sites.least_patients}"
    if min(patients_elsewhere.values()) < 2:  # one to train on, one to choose on
        return "too few patients of a class at the other sites to train on"
    return None


_WORDS = {True: "positive", False: "negative"}


def _leave_out(
    site: str, known: pd.DataFrame, duplicates: pd.DataFrame, targets: SplitTargets
) -> pd.DataFrame:
    """Return the split whose test part is the site's own images."""
    changes: dict[str, Any] = dict.fromkeys(["test_positives", "n_folds", "fold"])
    rule = replace(targets, test=SITE, held_out_site=site, **changes)
    try:
        split, _ = split_by_patient(known, duplicates, rule)
    except ValueError as error:
        error.add_note(f"This was the split that leaves out the site {site}.")
        raise
    at_site = split["image_id"].isin(known.loc[known["site"] == site, "image_id"])
    kept = split[at_site | (split["part"] != "test")]
    return kept.assign(site=site)[SPLIT_COLUMNS]
