"""NIH ChestX-ray14: 112,120 frontal radiographs with 14 text-mined findings.

Wang et al., CVPR 2017. Two generations of the table are in use: that of 2017 (ages
such as "058Y", a trailing empty column) and that of 2020 (whole years).
"""

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    FINDINGS,
    NIH_SITE,
    NIH_SPELLINGS,
    admit,
    age_in_years,
    first_reason,
    frontal_view,
    is_lateral,
    is_view_not_understood,
    require_columns,
    sex,
    stated,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import (
    names_rejected,
    names_without_file,
)
from covid_cxr.sources.nih_adjudicated import adjudicated_without_row
from covid_cxr.sources.nih_boxes import boxes_without_row, count_boxes, read_boxes
from covid_cxr.sources.published_counts import NIH, NIH_BOXES, log_differences

NO_FINDING = "No Finding"
_COLUMNS = (
    "Image Index",
    "Finding Labels",
    "Patient ID",
    "Patient Age",
    "Patient Gender",
    "View Position",
)
_NO_ROW = "in an official list, but without a row in nih_entries"
_IN_NO_LIST = "in neither train_val_list.txt nor test_list.txt"


def list_nih(
    entries: pd.DataFrame,
    train_val_list: str,
    test_list: str,
    box_list: pd.DataFrame | None,
    images: RadiographFolder,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the NIH radiograph table, its boxes, and the rejected rows and names.

    Adds `official_part` to the radiograph table: "train_val" or "test", by the
    curators' lists. Patients are "nih:<Patient ID>". Boxes are as `read_boxes` returns
    them.

    Args:
        entries: Data_Entry_2017.csv or Data_Entry_2017_v2020.csv.
        train_val_list: Text of train_val_list.txt, one image name a line.
        test_list: Text of test_list.txt.
        box_list: BBox_List_2017.csv; None if it is absent.
        images: The folder of the PNG files, in one folder or in twelve.

    Raises:
        ValueError: If columns are missing, an image is in both lists, or a box is none.
    """
    require_columns(entries, _COLUMNS, table="nih_entries (Data_Entry_2017_v2020.csv)")
    official_part = _official_parts(train_val_list, test_list)
    rows = _rows(entries, official_part)
    unlisted = sorted(set(official_part) - set(rows["image_id"]))
    listing = pd.concat([rows, _without_row(unlisted)], ignore_index=True)
    radiographs, rejected = admit("nih", listing, images)
    boxes = read_boxes(box_list, radiographs)
    if not images.is_synthetic:
        log_differences("nih", _counts(radiographs), NIH)
        if box_list is not None:
            log_differences("BBox_List_2017.csv", count_boxes(box_list), NIH_BOXES)
    return radiographs, boxes, rejected


def list_unmatched_nih(
    listed: pd.DataFrame,
    rejected: pd.DataFrame,
    box_list: pd.DataFrame | None,
    adjudicated_labels: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return the names without a file, a row or a list, as `unmatched_names`."""
    n_matched = len(listed)
    without_row = rejected["reason"] == _NO_ROW
    with_row = {*listed["image_id"], *rejected.loc[~without_row, "image_id"]}
    return pd.concat(
        [
            names_without_file(listed, of="nih_entries"),
            names_rejected(
                rejected,
                _NO_ROW,
                of="train_val_list.txt and test_list.txt",
                n_matched=n_matched,
                reason="have no row in nih_entries",
            ),
            names_rejected(
                rejected,
                _IN_NO_LIST,
                of="nih_entries",
                n_matched=n_matched,
                reason=f"are {_IN_NO_LIST}",
            ),
            boxes_without_row(box_list, with_row),
            adjudicated_without_row(adjudicated_labels, with_row),
        ],
        ignore_index=True,
    )


def patient_of_image(names: pd.Series) -> pd.Series:
    """Return "nih:13" for image names such as "00000013_002.png"; else missing."""
    numbers = names.str.extract(r"^(\d{8})_\d{3}\.png$", expand=False)
    return "nih:" + pd.to_numeric(numbers).astype("Int64").astype("str")


def _official_parts(train_val_list: str, test_list: str) -> dict[str, str]:
    """Return image name to "train_val" or "test"."""
    train_val, test = train_val_list.split(), test_list.split()
    both = sorted(set(train_val) & set(test))
    if both:
        raise ValueError(
            f"{len(both)} images are in both train_val_list.txt and test_list.txt, as "
            f"{', '.join(both[:5])}; the lists must be disjoint. Use the two lists as "
            f"published."
        )
    return {**dict.fromkeys(train_val, "train_val"), **dict.fromkeys(test, "test")}


def _rows(entries: pd.DataFrame, official_part: dict[str, str]) -> pd.DataFrame:
    """Return the listing's rows that come from the table of entries."""
    names = stated(entries["Image Index"])
    stated_ids = stated(entries["Patient ID"])
    numbers = pd.to_numeric(
        stated_ids.str.extract(r"^(\d+)(?:\.0+)?$", expand=False)
    ).astype("Int64")
    part = names.map(official_part)
    findings, problem = _read_findings(stated(entries["Finding Labels"]))
    patients = "nih:" + numbers.astype("str")
    named = patient_of_image(names)
    reasons = {
        "no image name": names.isna(),
        "no patient": stated_ids.isna(),
        "Patient ID is no whole number": numbers.isna(),
        "Patient ID contradicts the image's name": named.notna() & (named != patients),
        _IN_NO_LIST: part.isna(),
        "lateral view": is_lateral(entries["View Position"]),
        "view not understood": is_view_not_understood(entries["View Position"]),
    }
    return pd.DataFrame(
        {
            "image_id": names.fillna("(none)"),
            "name": names.fillna("(none)"),
            "patient_id": patients,
            "view": frontal_view(entries["View Position"]),
            "sex": sex(entries["Patient Gender"]),
            "age_years": age_in_years(entries["Patient Age"]),
            "source": "nih",
            "site": NIH_SITE,
            "study_date": None,
            **findings,
            "official_part": part.astype("str"),
            "reason": first_reason(entries, reasons).fillna(problem),
        }
    )


def _read_findings(labels: pd.Series) -> tuple[dict[str, pd.Series], pd.Series]:
    """Return a boolean column per finding, and what is wrong with a row's labels."""
    known = {*NIH_SPELLINGS.values(), NO_FINDING}
    # The whole table has 836 distinct combinations: each is read once.
    combinations = {text: text.split("|") for text in labels.dropna().unique()}
    problems = {
        text: f"unknown finding {next(name for name in names if name not in known)!r}"
        for text, names in combinations.items()
        if not known.issuperset(names)
    } | {
        text: "No Finding together with a finding"
        for text, names in combinations.items()
        if NO_FINDING in names and len(names) > 1
    }
    findings = {
        finding: labels.map(
            {
                text: NIH_SPELLINGS[finding] in names
                for text, names in combinations.items()
            }
        ).astype("boolean")
        for finding in FINDINGS
    }
    problem = (
        labels.map(problems).astype("str").mask(labels.isna(), "no findings stated")
    )
    return findings, problem


def _without_row(names: list[str]) -> pd.DataFrame:
    """Return listing rows for images that only the official lists name."""
    return pd.DataFrame(
        {
            "image_id": names,
            "name": names,
            "reason": _NO_ROW,
        }
    )


def _counts(radiographs: pd.DataFrame) -> dict[str, int]:
    """Return the counts that `published_counts.NIH` holds."""
    is_test = radiographs["official_part"] == "test"
    pneumonia = radiographs["pneumonia"].fillna(value=False)
    return {
        "images": len(radiographs),
        "patients": radiographs["patient_id"].nunique(),
        "images of train_val_list.txt": int((~is_test).sum()),
        "images of test_list.txt": int(is_test.sum()),
        "pneumonia in train_val_list.txt": int((pneumonia & ~is_test).sum()),
        "pneumonia in test_list.txt": int((pneumonia & is_test).sum()),
    }
