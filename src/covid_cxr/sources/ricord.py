"""The layout `ricord`: MIDRC-RICORD-1C, chest radiographs of patients with COVID-19.

Tsai et al., Radiology 2021, doi:10.1148/radiol.2021203957; The Cancer Imaging Archive.
Two layouts of its folders are in use, with speaking names and without:

    MIDRC-RICORD-1C-419639-000082/08-02-2002-NA-XR CHEST 1 VIEW AP-68828/1.000000-…/…
    MIDRC-RICORD-1C-419639-002724/03387/77899/…

Both name the patient's id, and the study by the last five digits of its UID. Every
study is positive: with negatives from elsewhere, the source determines the label.

The archive's sheet "CR Pos - TCIA Submission", saved as CSV with "ricord" in its name,
is read where it is in the folder: a study that is not in the sheet, or of which no
file is in the folder, is rejected.
"""

import pandas as pd

from covid_cxr.cohorts.dicom_headers import read_headers
from covid_cxr.cohorts.radiograph_table import (
    COVID19,
    UNKNOWN,
    first_reason,
    frontal_view,
    require_columns,
    stated,
)
from covid_cxr.radiographs.defined_terms import VIEW_POSITIONS
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_rejected
from covid_cxr.radiographs.views import OTHER_THAN_FRONTAL, read_description
from covid_cxr.user_csv import read_user_csv

_NOT_IN_SHEET = "its study is not in the sheet of positive studies"
_NO_FILE = "in the sheet, but none of its files is in the folder"
SHEET = "*ricord*.csv"
SHEET_COLUMNS = (
    "Anon MRN",
    "Anon TCIA Study Date",
    "Anon Exam Description",
    "Anon Study UID",
)
# Patient folder, study folder, and whatever stands below it.
_PATH = (
    r"(?:^|/)(?P<own>MIDRC-RICORD-1C-(?P<patient>(?P<site>\w+)-\d+)"
    r"/(?P<description>[^/]*?(?P<uid_end>\d{5}))/(?P<series>[^/]*).*)$"
)


def read_ricord(images: RadiographFolder) -> pd.DataFrame:
    """Return the listing of the collection's folders (see `covid.py`).

    `site` is the first part of the patient's id. View, sex and age come from the DICOM
    headers; a view that the header leaves out is that of the exam's description.

    Args:
        images: The folder of the collection, at any depth.

    Raises:
        ValueError: If the sheet lacks columns.
    """
    names = pd.Series(sorted(images.files), dtype="str")
    path = names.str.extract(_PATH)
    headers = _headers(names, path, images)
    sheet = _read_sheet(images)
    study = _study(path)
    listing = pd.DataFrame(
        {
            "image_id": path["own"].fillna(names),
            "name": names,
            "patient": path["patient"],
            "source": "ricord",
            **headers[["view", "sex", "age_years"]],
            "site": path["site"],
            "study_date": _date(path["description"]).fillna(
                study.map(sheet["date"]).astype("str")
            ),
            COVID19: pd.array([True] * len(names), dtype="boolean"),
            "reason": first_reason(
                path,
                {
                    "not in a folder of MIDRC-RICORD-1C": path["patient"].isna(),
                    _NOT_IN_SHEET: ~study.isin(sheet.index) & (len(sheet) > 0),
                },
            ).fillna(headers["reason"]),
        }
    )
    # Studies that only the sheet names.
    absent = sheet.index[~sheet.index.isin(study)].to_series()
    rows = {"image_id": absent, "source": "ricord", "reason": _NO_FILE}
    return pd.concat([listing, pd.DataFrame(rows)], ignore_index=True)


def unmatched_studies(listed: pd.DataFrame, rejected: pd.DataFrame) -> pd.DataFrame:
    """Return studies without files and files without a study, as `unmatched_names`."""
    is_known = ~rejected["reason"].isin([_NOT_IN_SHEET, _NO_FILE])
    files = pd.concat([listed["image_id"], rejected.loc[is_known, "image_id"]])
    studies = _study(files.str.extract(_PATH))
    return pd.concat(
        [
            names_rejected(
                rejected,
                _NO_FILE,
                of="the sheet of RICORD",
                n_matched=studies.nunique(),
                reason="are studies without a file in the folder",
            ),
            names_rejected(
                rejected,
                _NOT_IN_SHEET,
                of="the folder of RICORD",
                n_matched=int(studies.notna().sum()),
                reason="are files of a study that is not in the sheet",
            ),
        ]
    )


def _study(path: pd.DataFrame) -> pd.Series:
    """Return "<patient>/<last five digits of the study's UID>"."""
    return path["patient"] + "/" + path["uid_end"]


def _read_sheet(images: RadiographFolder) -> pd.DataFrame:
    """Return the study `date` by "<patient>/<last five digits of the study's UID>"."""
    tables = [read_user_csv(path) for path in images.named(SHEET)]
    for table in tables:
        require_columns(table, SHEET_COLUMNS, table="CR Pos - TCIA Submission (CSV)")
    sheet = pd.concat([pd.DataFrame(columns=list(SHEET_COLUMNS), dtype="str"), *tables])
    patients = stated(sheet["Anon MRN"]).str.removeprefix("MIDRC-RICORD-1C-")
    dates = stated(sheet["Anon TCIA Study Date"])
    study = patients + "/" + stated(sheet["Anon Study UID"]).str[-5:]
    by_study = pd.DataFrame({"date": dates.to_numpy()}, index=pd.Index(study))
    return by_study[by_study.index.notna() & ~by_study.index.duplicated()]


def _headers(
    names: pd.Series, path: pd.DataFrame, images: RadiographFolder
) -> pd.DataFrame:
    """Return `view, sex, age_years, reason`.

    A view that the header leaves out is that of the folders: of "…-CHEST 1 VIEW
    AP-68828", or of a series "…-LATERAL-82832".
    """
    headers = read_headers(names, images)
    study = path["description"].str.extract(r"\b(AP|PA)-\d+$", expand=False)
    described = frontal_view(study, quotable=VIEW_POSITIONS)
    is_open = (headers["view"] == UNKNOWN) & headers["reason"].isna()
    is_lateral = _is_described_lateral(path["series"]) | (
        _is_described_lateral(path["description"]) & (described == UNKNOWN)
    )
    return headers.assign(
        view=headers["view"].mask(is_open & ~is_lateral, described),
        reason=headers["reason"].mask(is_open & is_lateral, "lateral view"),
    )


def _is_described_lateral(descriptions: pd.Series) -> pd.Series:
    return descriptions.fillna("").map(read_description).isin(OTHER_THAN_FRONTAL)


def _date(descriptions: pd.Series) -> pd.Series:
    return descriptions.str.extract(r"^(\d{2}-\d{2}-\d{4})-", expand=False)
