"""PadChest: radiographs of Hospital San Juan (Alicante), labelled from their reports.

Bustos et al., Medical Image Analysis 66, 2020. The labels of a row are a list in
Python's spelling, " pneumonia" with a blank as often as "pneumonia"; they are words of
`vocabulary.csv`. A physician has labelled 27 % of the reports, a network the others.
"""

import re
from dataclasses import dataclass

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    admit,
    age_in_years,
    first_reason,
    frontal_view,
    is_lateral,
    is_view_not_stated,
    is_view_not_understood,
    nothing_known,
    require_columns,
    sex,
    stated,
)
from covid_cxr.cohorts.vocabulary import findings_of, refuse_absent, terms_of
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_without_file
from covid_cxr.radiographs.views import plain_words
from covid_cxr.sources.listed import Ingestion
from covid_cxr.sources.published_counts import PADCHEST, log_differences

SOURCE = "padchest"
ALL, PHYSICIAN = "all", "physician"
_NO_FINDING = "no_finding"
_COLUMNS = (
    *("ImageID", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth"),
    *("PatientSex_DICOM", "Projection", "MethodLabel", "Labels"),
)
_REJECTING = ("EXCLUDE", "SUBOPTIMAL STUDY")
_UNCHANGED = "UNCHANGED"
_WORD = r"'[^'\\]*'|\"[^\"\\]*\""
_LIST = re.compile(rf"\[\s*(?:(?:{_WORD})(?:\s*,\s*|\s+|(?=\])))*\]")


@dataclass(frozen=True, kw_only=True)
class PadchestIngestion(Ingestion):
    """How PadChest is listed.

    Attributes:
        labelled_by: "all", or "physician": without the labels of the network.
    """

    labelled_by: str = ALL

    def __post_init__(self) -> None:
        """Refuse a word that does not exist, and what is no share."""
        super().__post_init__()
        self._check_word("labelled_by", (ALL, PHYSICIAN))


@dataclass(frozen=True)
class _Labels:
    """What a list of labels says.

    Attributes:
        found: Findings that it names.
        is_open: Whether it leaves open what it does not name.
        problem: Why it cannot be used; None if it can.
    """

    found: frozenset[str] = frozenset()
    is_open: bool = False
    problem: str | None = None

    def has(self, finding: str) -> bool | None:
        """Return whether the radiograph has a finding; None where it is not known."""
        if finding in self.found:
            return True
        is_other_than_normal = finding == _NO_FINDING and bool(self.found)
        return None if self.is_open and not is_other_than_normal else False


def list_padchest(
    labels: pd.DataFrame,
    images: RadiographFolder,
    findings: list[str],
    ingestion: PadchestIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of PadChest, and the rejected rows.

    Adds `study` and `labelled_by`. A finding that a report does not name is absent; one
    that a report of "unchanged" does not name is not known. Age is the year of the
    study without that of birth. Patients are "padchest:<PatientID>".

    Args:
        labels: PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv, as text.
        images: The folder of the PNG files, in one folder or in many.
        findings: Labels of the study; a row that is silent on all of them is rejected.
        ingestion: Choices.

    Raises:
        ValueError: If columns are missing, or PadChest has no such finding.
    """
    refuse_absent(findings, SOURCE)
    require_columns(labels, _COLUMNS, table="PadChest's table of labels")
    listing = _listing(labels, findings, ingestion)
    if not images.is_synthetic:
        log_differences(SOURCE, _counts(listing), PADCHEST)
    return admit(SOURCE, listing, images)


def list_unmatched_padchest(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the names that find no file, as `unmatched_names`."""
    return names_without_file(listed, of="PadChest's table of labels")


def _listing(
    labels: pd.DataFrame, findings: list[str], ingestion: PadchestIngestion
) -> pd.DataFrame:
    names, patients = stated(labels["ImageID"]), _whole(labels["PatientID"])
    projection, method = stated(labels["Projection"]), stated(labels["MethodLabel"])
    known, problem = _read_labels(stated(labels["Labels"]))
    dates = _whole(labels["StudyDate_DICOM"])
    is_physician = method.str.lower().str.startswith("physician").eq(other=True)
    reasons = {
        "no ImageID": names.isna(),
        "no patient": patients.isna(),
        "PatientID was rounded, as by a spreadsheet": patients.str.fullmatch(
            r"[\d.,]+E\+?\d+", case=False, na=False
        ),
        "lateral view": is_lateral(projection),
        "view of the ribs": projection.str.upper().eq("COSTAL"),
        "projection excluded by the publisher": projection.str.upper().eq("EXCLUDE"),
        "view not stated": is_view_not_stated(projection),
        "view not understood": is_view_not_understood(projection),
        "not labelled by a physician": ~is_physician
        & (ingestion.labelled_by == PHYSICIAN),
    }
    return pd.DataFrame(
        {
            "image_id": names,
            "patient_id": f"{SOURCE}:" + patients,
            "view": frontal_view(projection.where(~_is_excluded(projection))),
            "sex": sex(labels["PatientSex_DICOM"]),
            "age_years": _ages(dates, _whole(labels["PatientBirth"])),
            "source": SOURCE,
            "site": "Hospital San Juan de Alicante",
            "study_date": dates,
            **known,
            "study": _whole(labels["StudyID"]),
            "labelled_by": method,
            "reason": first_reason(labels, reasons)
            .fillna(problem)
            .fillna(nothing_known(known, findings)),
        }
    )


def _is_excluded(projection: pd.Series) -> pd.Series:
    return projection.str.upper().isin(["COSTAL", "EXCLUDE"])


def _ages(dates: pd.Series, births: pd.Series) -> pd.Series:
    """Return the age in years, up to one too many: of birth the year is published."""
    year = pd.to_numeric(dates.str.extract(r"^(\d{4})\d{4}$", expand=False))
    birth = pd.to_numeric(births.str.extract(r"^(\d{4})$", expand=False))
    return age_in_years((year - birth).astype("Int64").astype("str"))


def _whole(values: pd.Series) -> pd.Series:
    """Return numbers as text, without the ".0" of a column that has blank cells."""
    return stated(values).str.replace(r"\.0+$", "", regex=True)


def _read_labels(texts: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """Return a boolean column per finding, and what is wrong with a row's labels."""
    terms = {plain_words(term): found for term, found in terms_of(SOURCE).items()}
    # The same lists come again and again: each is read once.
    read = {text: _read_list(text, terms) for text in texts.dropna().unique()}
    lists = pd.DataFrame(
        {
            finding: pd.array([one.has(finding) for one in read.values()], "boolean")
            for finding in findings_of(SOURCE)
        },
        index=pd.Index(read, dtype="str"),
    )
    problem = texts.map({text: one.problem for text, one in read.items()})
    return (
        lists.reindex(texts).set_axis(texts.index),
        problem.astype("str").mask(texts.isna(), "no label"),
    )


def _read_list(text: str, terms: dict[str, tuple[str, ...]]) -> _Labels:
    """Return what a list says; it is read, never run.

    Args:
        text: As in "['infiltrates', ' pneumonia']".
        terms: Words in capitals, with the findings that they became.
    """
    if not _LIST.fullmatch(text):
        return _Labels(problem="Labels are no list of words")
    stated_words = [word[1:-1] for word in re.findall(_WORD, text)]
    words = {plain_words(word): word.strip() for word in stated_words if word.strip()}
    if not words:
        return _Labels(problem="no label")
    for word, as_stated in words.items():
        if word not in terms:
            return _Labels(problem=f"unknown label {as_stated!r}")
        if word in _REJECTING:
            return _Labels(problem=f"labelled {as_stated}")
    found = frozenset(finding for word in words for finding in terms[word])
    if _NO_FINDING in found and len(found) > 1:
        return _Labels(problem="normal together with a finding")
    return _Labels(
        found=found, is_open=_UNCHANGED in words and _NO_FINDING not in found
    )


def _counts(listing: pd.DataFrame) -> dict[str, int]:
    """Return the counts that `published_counts.PADCHEST` holds."""
    return {
        "images": len(listing),
        "studies": listing["study"].nunique(),
        "patients": listing["patient_id"].nunique(),
    }
