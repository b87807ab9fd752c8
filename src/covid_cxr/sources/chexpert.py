"""CheXpert: radiographs of Stanford Hospital, labelled from their reports.

Irvin et al., AAAI 2019. File names repeat in every folder: an image is known by its
path below the release's folder, as in "train/patient00001/study1/view1_frontal.jpg".
"""

import re

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    admit,
    age_in_years,
    first_reason,
    frontal_view,
    is_lateral,
    is_view_not_understood,
    nothing_known,
    require_columns,
    sex,
    stated,
)
from covid_cxr.cohorts.vocabulary import refuse_absent
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_without_file
from covid_cxr.sources.observations import (
    ObservationIngestion,
    observation_columns,
    read_observations,
)
from covid_cxr.sources.published_counts import CHEXPERT, log_differences

SOURCE = "chexpert"
_COLUMNS = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA")
_PATH = re.compile(r"^(?:.*/)?(?P<path>(?:train|valid)/(?P<patient>patient\d+)/.+)$")
_PLACE = re.compile(r"(?P<place>patient\d+/study\d+/[^/.]+)\.\w+$", re.IGNORECASE)


def list_chexpert(
    train: pd.DataFrame,
    valid: pd.DataFrame | None,
    images: RadiographFolder,
    findings: list[str],
    ingestion: ObservationIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of CheXpert, and the rejected rows.

    Adds `official_part`: "test" for valid.csv, which radiologists read, else
    "train_val". Patients are "chexpert:patient00001". Ages above 90 are given as 90.

    Args:
        train: train.csv, as text.
        valid: valid.csv; None if it is absent.
        images: The folder of the JPEG files, with the release's own folder or without.
        findings: Labels of the study; a row that is silent on all of them is rejected.
        ingestion: What uncertain and blank observations become.

    Raises:
        ValueError: If columns are missing, or CheXpert has no such finding.
    """
    refuse_absent(findings, SOURCE)
    parts = {"train_val": train, **({} if valid is None else {"test": valid})}
    for part, table in parts.items():
        require_columns(
            table,
            (*_COLUMNS, *observation_columns(SOURCE)),
            table="train.csv of CheXpert" if part == "train_val" else "its valid.csv",
        )
    rows = pd.concat(
        [table.assign(official_part=part) for part, table in parts.items()],
        ignore_index=True,
    )
    listing = _listing(rows, images, findings, ingestion)
    if not images.is_synthetic:
        log_differences(SOURCE, _counts(listing), CHEXPERT)
    return admit(SOURCE, listing, images)


def list_unmatched_chexpert(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the names that find no file, as `unmatched_names`."""
    return names_without_file(listed, of="train.csv and valid.csv")


def _listing(
    rows: pd.DataFrame,
    images: RadiographFolder,
    findings: list[str],
    ingestion: ObservationIngestion,
) -> pd.DataFrame:
    published = stated(rows["Path"])
    named = published.str.replace("\\", "/", regex=False).str.extract(_PATH)
    labels, problem = read_observations(rows, SOURCE, ingestion)
    is_side = stated(rows["Frontal/Lateral"]).str.lower().eq("lateral")
    is_side |= published.str.contains("_lateral.", regex=False, na=False)
    reasons = {
        "no Path": published.isna(),
        "Path names no patient": named["patient"].isna(),
        "lateral view": is_side | is_lateral(rows["AP/PA"]),
        "view not understood": is_view_not_understood(rows["AP/PA"]),
    }
    paths = named["path"].fillna(published).fillna("(none)")
    return pd.DataFrame(
        {
            "image_id": paths,
            "name": _names_in_folder(published.fillna("(none)"), paths, images),
            "patient_id": SOURCE + ":" + named["patient"],
            "view": frontal_view(rows["AP/PA"]),
            "sex": sex(rows["Sex"]),
            "age_years": age_in_years(rows["Age"]),
            "source": SOURCE,
            "site": "Stanford Hospital",
            **labels,
            "official_part": rows["official_part"],
            "reason": first_reason(rows, reasons)
            .fillna(problem)
            .fillna(nothing_known(labels, findings)),
        }
    )


def _names_in_folder(
    published: pd.Series, paths: pd.Series, images: RadiographFolder
) -> list[str]:
    """Return the paths as they are in the folder, whatever the release's folders.

    The release in full size comes in folders of its own, as in "CheXpert-v1.0 batch 2
    (train 1)/patient00001"; a study's folder is unique without them. Where releases lie
    side by side, that of the table is meant.
    """
    of_place: dict[str, list[str]] = {}
    for file in images.files:
        if found := _PLACE.search(file):
            of_place.setdefault(found["place"].lower(), []).append(file)
    names = []
    for whole, path in zip(published, paths, strict=True):
        place = _PLACE.search(path)
        files = of_place.get(place["place"].lower(), []) if place else []
        names.append(files[0] if len(files) == 1 else str(whole))
    return names


def _counts(listing: pd.DataFrame) -> dict[str, int]:
    """Return the counts that `published_counts.CHEXPERT` holds."""
    tables = {"train_val": "train.csv", "test": "valid.csv"}
    return {
        what: count
        for part, name in tables.items()
        for rows in [listing[listing["official_part"] == part]]
        for what, count in {
            f"rows of {name}": len(rows),
            f"patients of {name}": rows["patient_id"].nunique(),
        }.items()
    }
