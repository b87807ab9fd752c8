"""MIDRC: radiographs with COVID-19 tests of both results, from the same hospitals.

The Medical Imaging and Data Resource Center, data.midrc.org; its tables are the nodes
of github.com/uc-cdis/midrc_dictionary, exported as TSV:

    imaging_study.tsv   study_uid, case_ids (or cases.submitter_id), age_at_imaging,
                        days_from_study_to_pos_covid_test, …_neg_covid_test: lists
    case.tsv            submitter_id, sex, age_at_index, site_id, covid19_positive
    measurement.tsv     case_ids, test_days_from_index, test_name, test_result_text

The first is enough, if it has the days to the tests; else the days of the other tables
give them, with days_to_study. Files are found by the StudyInstanceUID of their header,
or by a folder of that name.

A study is positive for COVID-19 if a positive test is at most `max_days` before or
after it, and negative if a negative test is and no positive one.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from covid_cxr.checks import check_whole
from covid_cxr.cohorts.dicom_headers import (
    RADIOGRAPHY,
    is_other_modality,
    read_headers,
)
from covid_cxr.cohorts.label_by_source import warn_of_sources
from covid_cxr.cohorts.radiograph_table import (
    COVID19,
    admit,
    age_in_years,
    first_reason,
    require_columns,
    result_of_test,
    sex,
    source_name,
    stated,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_rejected
from covid_cxr.sources.listed import PLACE, Ingestion

logger = logging.getLogger(__name__)

POSITIVE_DAYS = "days_from_study_to_pos_covid_test"
NEGATIVE_DAYS = "days_from_study_to_neg_covid_test"
CASE_COLUMNS = ("case_ids", "cases.submitter_id", "case_ids_0")

_STUDIES, _CASES, _TESTS = "imaging_study.tsv", "case.tsv", "measurement.tsv"
_TEST_COLUMNS = ("test_days_from_index", "test_result_text")
_COVID_TEST = "COVID-19"
_WHOLE = re.compile(r"-?\d+(?:\.0+)?")
_NO_FILE = "in imaging_study.tsv, but none of its files is in the folder"
_NOT_LISTED = "its study is not in imaging_study.tsv"


@dataclass(frozen=True, kw_only=True)
class MidrcIngestion(Ingestion):
    """How the tables are read.

    Attributes:
        max_days: Between a study and the test that says what it shows, either way.
    """

    max_days: int = 14

    def __post_init__(self) -> None:
        """Refuse what is no share, and no number of days."""
        super().__post_init__()
        check_whole("max_days", self.max_days, least=0, place=PLACE)


def list_midrc(
    studies: pd.DataFrame,
    cases: pd.DataFrame | None,
    measurements: pd.DataFrame | None,
    images: RadiographFolder,
    ingestion: MidrcIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of MIDRC, and the rejected files and studies.

    Patients are "midrc:<case>", `source` is the project, as "midrc-open-a1", and `site`
    the case's site_id, or its project.

    Args:
        studies: imaging_study.tsv, all columns read as text.
        cases: case.tsv; or None: what `studies` says of sex and site counts.
        measurements: measurement.tsv; or None.
        images: The folder of the DICOM files.
        ingestion: Choices.

    Raises:
        ValueError: If columns are missing, or no file is usable.
    """
    known = _known_studies(studies, cases, measurements, ingestion.max_days)
    listing = _listing(known, images)
    radiographs, rejected = admit("midrc", listing, images)
    warn_of_sources("midrc", radiographs, COVID19)
    return radiographs, rejected


def list_unmatched_midrc(listed: pd.DataFrame, rejected: pd.DataFrame) -> pd.DataFrame:
    """Return studies without files and files without a study, as `unmatched_names`."""
    is_file = ~rejected["reason"].isin([_NO_FILE, _NOT_LISTED])
    n_files = len(listed) + int(is_file.sum())
    return pd.concat(
        [
            names_rejected(
                rejected,
                _NO_FILE,
                of=_STUDIES,
                n_matched=listed["study_uid"].nunique(),
                reason="are studies without a file in the folder",
            ),
            names_rejected(
                rejected,
                _NOT_LISTED,
                of="the folder of MIDRC",
                n_matched=n_files,
                reason=f"are files of a study that is not in {_STUDIES}",
            ),
        ],
        ignore_index=True,
    )


def _known_studies(
    studies: pd.DataFrame,
    cases: pd.DataFrame | None,
    measurements: pd.DataFrame | None,
    max_days: int,
) -> pd.DataFrame:
    """Return what the tables say of each study, by its UID."""
    require_columns(studies, ("study_uid",), table=_STUDIES)
    patients = _case_of(studies, _STUDIES)
    of_case = _of_cases(studies, cases, patients)
    table = pd.DataFrame(
        {
            "study_uid": stated(studies["study_uid"]),
            "patient_id": "midrc:" + patients,
            **_demographics(studies, of_case),
            "is_radiography": _is_radiography(studies),
        }
    )
    tests = _tests(studies, measurements, patients)
    label, reason = _labels(tests, of_case["covid19_positive"], max_days)
    table[COVID19] = label
    table["reason"] = reason.mask(patients.isna(), "its study has no case, or several")
    return _one_row_per_study(table)


def _labels(
    tests: pd.DataFrame, ever_positive: pd.Series, max_days: int
) -> tuple[pd.Series, pd.Series]:
    """Return whether each study is positive, and why that cannot be told.

    Args:
        tests: `positive` and `negative`, lists of days; None where they are not read.
        ever_positive: "Yes" or "No" by the case; or missing.
        max_days: As in `MidrcIngestion`.
    """
    near = tests.map(lambda days: any(abs(day) <= max_days for day in days or ()))
    both = int((near["positive"] & near["negative"]).sum())
    if both:
        logger.info(
            "midrc: %d of %d studies have a positive and a negative test within %d "
            "days; they are positive",
            both,
            len(tests),
            max_days,
        )
    was_positive = tests["positive"].map(bool)
    is_never = stated(ever_positive).str.upper() == "NO"
    reasons = {
        "days to its tests are no whole numbers": tests.isna().any(axis=1),
        "has a positive test, but its case never was positive": was_positive & is_never,
        f"no COVID-19 test within {max_days} days of the study": ~near.any(axis=1),
    }
    return near["positive"].astype("boolean"), first_reason(tests, reasons)


def _one_row_per_study(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table by study; those that are listed differently have a reason."""
    different = table[table["study_uid"].notna()].drop_duplicates()
    is_twice = different.duplicated("study_uid", keep=False)
    reason = different["reason"].mask(
        is_twice, "its study is listed twice, differently"
    )
    once = different.assign(reason=reason).drop_duplicates("study_uid")
    return once.set_index("study_uid")


def _case_of(table: pd.DataFrame, name: str) -> pd.Series:
    """Return the case of each row; missing where there is none, or several."""
    column = next((one for one in CASE_COLUMNS if one in table.columns), None)
    if column is None:
        came = ", ".join(map(str, table.columns))
        raise ValueError(
            f"{name} lacks a column of cases, {' or '.join(CASE_COLUMNS)}; it has "
            f"{came}. Export the node as TSV, or the index from the data explorer."
        )
    items = [_items(cell) for cell in table[column]]
    single = [one[0] if len(one) == 1 else None for one in items]
    return pd.Series(single, index=table.index, dtype="str")


def _items(cell: object) -> list[str]:
    """Return the items of a cell such as "-3,0", "[-3, 0]" or "['CR']"."""
    text = cell.strip(" []") if isinstance(cell, str) else ""
    items = (item.strip(" '\"") for item in re.split(r"[,;|]", text))
    return [item for item in items if item and item.lower() not in {"none", "nan"}]


def _of_cases(
    studies: pd.DataFrame, cases: pd.DataFrame | None, patients: pd.Series
) -> pd.DataFrame:
    """Return what is said of each study's case, by `studies` or else by `cases`."""
    wanted = ["sex", "age_at_index", "site_id", "project_id", "covid19_positive"]
    own = studies.reindex(columns=wanted).astype("str")
    if cases is None:
        return own
    require_columns(cases, ("submitter_id",), table=_CASES)
    names = stated(cases["submitter_id"])
    if (n_twice := int(names.dropna().duplicated().sum())) > 0:
        raise ValueError(
            f"{_CASES} has {n_twice} rows of a case that it has already; a case has "
            f"one row: export the node again."
        )
    by_case = cases.set_index(names).reindex(columns=wanted).astype("str")
    of_case = by_case.reindex(patients).set_axis(studies.index)
    return of_case.where(of_case.notna(), own)


def _demographics(studies: pd.DataFrame, of_case: pd.DataFrame) -> dict[str, pd.Series]:
    """Return `sex, age_years, site, source`; ages above 89 are 89, as they are open."""
    stated_here = studies.reindex(columns=["age_at_imaging", "age_at_imaging_gt89"])
    ages = stated(stated_here["age_at_imaging"]).fillna(of_case["age_at_index"])
    is_open = stated(stated_here["age_at_imaging_gt89"]).str.upper() == "YES"
    project = source_name(of_case["project_id"])
    site = stated(of_case["site_id"]).fillna(stated(of_case["project_id"]))
    return {
        "sex": sex(of_case["sex"]),
        "age_years": age_in_years(ages.mask(is_open, ">89")),
        "site": site,
        "source": ("midrc-" + project).fillna("midrc"),
    }


def _is_radiography(studies: pd.DataFrame) -> pd.Series:
    """Return whether CR or DX are of the study; True where no modality is stated."""
    modalities = studies.reindex(columns=["study_modality"])["study_modality"]
    items = [_items(cell) for cell in modalities]
    is_radiography = [not one or not set(one).isdisjoint(RADIOGRAPHY) for one in items]
    return pd.Series(is_radiography, index=studies.index)


def _tests(
    studies: pd.DataFrame, measurements: pd.DataFrame | None, patients: pd.Series
) -> pd.DataFrame:
    """Return days from each study to `positive` and `negative` tests; None if unread.

    Raises:
        ValueError: If neither table says them.
    """
    if {POSITIVE_DAYS, NEGATIVE_DAYS} <= set(studies.columns):
        return pd.DataFrame(
            {
                "positive": studies[POSITIVE_DAYS].map(_days),
                "negative": studies[NEGATIVE_DAYS].map(_days),
            }
        )
    if measurements is None or "days_to_study" not in studies.columns:
        raise ValueError(
            f"{_STUDIES} lacks {POSITIVE_DAYS} or {NEGATIVE_DAYS}, and there is no "
            f"{_TESTS} to count them from with days_to_study: nobody can tell which "
            f"result a study has. Export them with the node imaging_study, or put "
            f"{_TESTS} beside it."
        )
    return _counted_days(studies, measurements, patients)


def _days(cell: object) -> list[int] | None:
    items = _items(cell)
    if not all(_WHOLE.fullmatch(item) for item in items):
        return None
    return [int(float(item)) for item in items]


def _counted_days(
    studies: pd.DataFrame, measurements: pd.DataFrame, patients: pd.Series
) -> pd.DataFrame:
    """Return days from studies to tests, both of which are days from an index date."""
    require_columns(measurements, _TEST_COLUMNS, table=_TESTS)
    names = measurements.reindex(columns=["test_name"])["test_name"]
    is_covid = stated(names).isna() | (stated(names).str.upper() == _COVID_TEST)
    tests = pd.DataFrame(
        {
            "case": _case_of(measurements, _TESTS),
            "day": measurements["test_days_from_index"].map(_days),
            "result": result_of_test(measurements["test_result_text"]),
        }
    )[is_covid.to_numpy(bool)]
    by_case = {
        case: list(zip(rows["day"], rows["result"], strict=True))
        for case, rows in tests.dropna(subset=["case", "result"]).groupby("case")
    }
    counted = [
        _since(_days(day), by_case.get(case, []))
        for day, case in zip(studies["days_to_study"], patients, strict=True)
    ]
    return pd.DataFrame(
        counted, columns=["positive", "negative"], index=studies.index, dtype=object
    )


def _since(
    study: list[int] | None, tests: list[tuple[list[int] | None, bool]]
) -> tuple[list[int] | None, list[int] | None]:
    """Return days from a study to its case's positive and negative tests."""
    if study is None or any(day is None for day, _ in tests):
        return None, None
    pairs = [
        (test - one, bool(result))
        for one in study
        for day, result in tests
        for test in day or ()
    ]
    return [d for d, found in pairs if found], [d for d, found in pairs if not found]


def _listing(known: pd.DataFrame, images: RadiographFolder) -> pd.DataFrame:
    """Return listing rows of all files, and of the studies without one."""
    files = pd.Series(images.files, dtype="str")
    headers = read_headers(files, images, also=("StudyInstanceUID", "Modality"))
    by_folder = files.map(lambda file: _study_in(file, known.index)).astype("str")
    studies = headers["StudyInstanceUID"].fillna(by_folder)
    of_study = known.reindex(studies).set_axis(files.index)
    is_known = studies.isin(known.index)
    reason = of_study["reason"].mask(~is_known, _NOT_LISTED).fillna(headers["reason"])
    listing = pd.DataFrame(
        {
            "image_id": [
                _below(file, of) for file, of in zip(files, by_folder, strict=True)
            ],
            "name": files,
            **of_study[["patient_id", "sex", "age_years", "site", "source", COVID19]],
            "view": headers["view"],
            "study_uid": studies,
            "reason": reason,
        }
    )
    listing = listing[~is_other_modality("midrc", headers["Modality"])]
    absent = known.index[known["is_radiography"] & ~known.index.isin(studies)]
    without = pd.DataFrame({"image_id": absent, "reason": _NO_FILE})
    return pd.concat([listing, without], ignore_index=True)


def _study_in(file: str, known: pd.Index) -> str | None:
    """Return the folder of a path that is the UID of a study."""
    return next((part for part in PurePosixPath(file).parts if part in known), None)


def _below(file: str, folder: object) -> str:
    """Return a path from a folder on; the whole path where it is not in it."""
    parts = PurePosixPath(file).parts
    return "/".join(parts[parts.index(folder) :]) if folder in parts else file
