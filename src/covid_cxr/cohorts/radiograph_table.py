"""The radiograph table: one row per radiograph, the same columns for every cohort.

A source module (`nih`, `rsna`, …) turns a publisher's tables into a *listing*: the
radiograph table without `file` and `is_synthetic`, but with `name` (the file's name)
and `reason` (why the radiograph cannot be used; missing if it can). What is unknown is
missing, or left out as a whole, and never -1. `admit` makes the radiograph table and
the table of the rejected from it.

`source` is the collection that an image comes from, `site` where it was taken.
`patient_id` is "<namespace>:<id>"; ids are compared within a namespace only.
"""

import logging
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa

from covid_cxr.cohorts.vocabulary import all_findings
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.views import (
    NOT_STATED,
    NOT_UNDERSTOOD,
    OTHER_THAN_FRONTAL,
    read_view,
)

logger = logging.getLogger(__name__)

FINDINGS = (  # the order of Table 1
    "cardiomegaly",
    "emphysema",
    "edema",
    "hernia",
    "pneumothorax",
    "effusion",
    "mass",
    "fibrosis",
    "atelectasis",
    "consolidation",
    "pleural_thickening",
    "nodule",
    "pneumonia",
    "infiltration",
)
NIH_SPELLINGS = {finding: finding.title() for finding in FINDINGS}
COVID19 = "covid19"
TUBERCULOSIS = "tuberculosis"

NIH_SITE = "NIH Clinical Center"
UNKNOWN = "unknown"
BOX = ("x", "y", "width", "height")  # in pixels, as tables of boxes have them
OLDEST_YEARS = 120.0

_FIXED_COLUMNS = {
    "image_id": pa.Column("str", unique=True),
    "patient_id": pa.Column("str", pa.Check.str_matches(r"^[a-z][a-z0-9-]*:.")),
    "file": pa.Column("str", nullable=True),
    "view": pa.Column("str", pa.Check.isin(["PA", "AP", UNKNOWN])),
    "sex": pa.Column("str", pa.Check.isin(["M", "F", UNKNOWN])),
    "age_years": pa.Column(
        "float64", pa.Check.in_range(0.0, OLDEST_YEARS), nullable=True
    ),
    "source": pa.Column("str"),
    "site": pa.Column("str"),
    "study_date": pa.Column("str", nullable=True),
    "is_synthetic": pa.Column("bool"),
}
_FINDING_COLUMNS = {
    finding: pa.Column("boolean", nullable=True, required=False)
    for finding in dict.fromkeys((*FINDINGS, COVID19, TUBERCULOSIS, *all_findings()))
}
NO_LABELS = frozenset(_FIXED_COLUMNS)  # what every radiograph has, labelled or not
RADIOGRAPHS = pa.DataFrameSchema({**_FIXED_COLUMNS, **_FINDING_COLUMNS})
REJECTED = pa.DataFrameSchema(
    {
        "image_id": pa.Column("str"),
        "file": pa.Column("str", nullable=True),
        "stage": pa.Column("str", pa.Check.isin(["ingestion", "curation"])),
        "reason": pa.Column("str"),
    },
    strict=True,
)

_UNKNOWN_WORDS = ("view", "sex", "site")  # "unknown", not missing

_YEARS_PER_UNIT = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
# English, Spanish, French, German, Italian, Portuguese; as documented in docs/data.md.
_SPELT_UNITS = {
    "Y": "Y YR YRS YEAR YEARS YO Y.O AÑO AÑOS ANS AN JAHR JAHRE ANNI ANNO ANOS A",
    "M": "M MO MOS MONTH MONTHS MES MESES MOIS MONAT MONATE MESE MESI",
    "W": "W WK WKS WEEK WEEKS",
    "D": "D DAY DAYS",
}
_UNIT_OF_AGE = {
    "": "Y",
    "YEARS OLD": "Y",
    "YEAR OLD": "Y",
    **{word: unit for unit, words in _SPELT_UNITS.items() for word in words.split()},
}
_SPELT_SEXES = {
    "M": "M MALE MAN MASC MASCULINE MASCULINO MASCULIN H HOMBRE VARON HOMME MANN "
    "MANNLICH UOMO MASCHIO HOMEM",
    "F": "F FEMALE WOMAN FEM FEMININE FEMENINO FEMININO FEMININ MUJER HEMBRA FEMME "
    "FRAU WEIBLICH W DONNA FEMMINA MULHER",
}
SEXES = {word: sex for sex, words in _SPELT_SEXES.items() for word in words.split()}
_SPELT_RESULTS = {
    True: "POSITIVE POS + 1 1.0 TRUE T YES Y DETECTED POSITIVO POSITIVA POSITIF "
    "POSITIV SI OUI JA",
    False: "NEGATIVE NEG - 0 0.0 FALSE F NO N UNDETECTED NEGATIVO NEGATIVA NEGATIF "
    "NEGATIV NON NEIN NAO",
}
TEST_RESULTS = {
    **{
        word: found for found, words in _SPELT_RESULTS.items() for word in words.split()
    },
    "NOT DETECTED": False,
}
# What stands where nothing is known; never taken for a spelling that is not understood.
_NOT_KNOWN = frozenset(
    {"", "-", "?", "NA", "N/A", "NAN", "NONE", "NULL", "UNKNOWN", "UNK", "MISSING"}
    | {"NOT STATED", "NOT REPORTED", "O", "OTHER"}
)
_EXAMPLES = 3


def admit(
    cohort: str, listing: pd.DataFrame, images: RadiographFolder
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of a cohort, and the table of the rejected.

    Of rows that list the same image, the first usable one is kept; a later one is
    rejected, for another reason if it names another patient. A radiograph whose file
    is not in the folder is admitted with a missing `file`; curation rejects it.

    Args:
        cohort: For the log.
        listing: Every row of the publisher's table (see the module's docstring).
        images: The cohort's folder.

    Raises:
        ValueError: If no row is usable, or the table does not fit the schema.
    """
    listing = complete(listing)
    matches = [images.locate(name) for name in listing["name"]]
    located = listing.assign(
        file=_text([m[0] if len(m) == 1 else None for m in matches], listing.index),
        is_synthetic=images.is_synthetic,
        reason=listing["reason"].mask(
            listing["reason"].isna() & np.array([len(m) > 1 for m in matches], bool),
            "ambiguous file name: several files of the folder have it",
        ),
    )
    reason = located["reason"].fillna(_repetitions(located[located["reason"].isna()]))
    rejected = as_rejected(located.assign(reason=reason), stage="ingestion")
    radiographs = check_radiographs(_in_order(located[reason.isna()]))
    logger.info(
        "%s: %d of %d listed images admitted, of %d patients; files found for %d; "
        "%d further image files in the folder",
        cohort,
        len(radiographs),
        len(listing),
        radiographs["patient_id"].nunique(),
        radiographs["file"].notna().sum(),
        len(images.files) - located["file"].nunique(),
    )
    if radiographs.empty:
        raise ValueError(
            f"None of the {len(listing)} images listed for {cohort} can be used: "
            f"{describe_reasons(rejected)}. Is it the right table?"
        )
    return radiographs, rejected


def complete(listing: pd.DataFrame) -> pd.DataFrame:
    """Return a listing with all that it may leave out, which is unknown.

    The name is that of the image where none is stated; an image without is "(none)".

    Args:
        listing: With `image_id`; `name` and what describes a radiograph may be missing.
    """
    described = [*_UNKNOWN_WORDS, "age_years", "study_date"]
    whole = listing.reindex(columns=[*dict.fromkeys([*listing, "name", *described])])
    image_ids = whole["image_id"].astype("str").fillna("(none)")
    words = whole[[*_UNKNOWN_WORDS]].astype("str").fillna(UNKNOWN)
    names = whole["name"].astype("str").fillna(image_ids)
    return whole.assign(image_id=image_ids, name=names, **words)


def as_rejected(rows: pd.DataFrame, *, stage: str) -> pd.DataFrame:
    """Return the rows that have a `reason` as a table of the rejected.

    Args:
        rows: `image_id`, `file`, `reason` (missing: not rejected).
        stage: "ingestion" or "curation".
    """
    rejected = rows.loc[rows["reason"].notna(), ["image_id", "file", "reason"]]
    return REJECTED.validate(
        rejected.assign(stage=stage)[["image_id", "file", "stage", "reason"]]
        .astype("str")
        .reset_index(drop=True)
    )


def check_radiographs(radiographs: pd.DataFrame) -> pd.DataFrame:
    """Return `radiographs` if it fits the schema of radiograph tables.

    Raises:
        ValueError: Names up to five columns with what is wrong in them.
    """
    try:
        return RADIOGRAPHS.validate(radiographs, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        found = cases.groupby(["column", "check"], dropna=False, sort=False)
        wrong = "; ".join(
            f"{column}: {check} fails for {len(rows)}, as in {rows.iloc[0]!r}"
            for (column, check), rows in found["failure_case"]
        )
        raise ValueError(
            f"The radiograph table does not fit its schema: {wrong}. Correct the "
            f"source table, or the function that reads it."
        ) from errors


def describe_reasons(rejected: pd.DataFrame) -> str:
    """Return the most common reasons with their counts, as in "no patient (3)"."""
    counts = rejected["reason"].value_counts()
    shown = [f"{reason} ({count})" for reason, count in counts.head(5).items()]
    n_more = len(counts) - len(shown)
    return "; ".join([*shown, f"{n_more} more reasons"] if n_more else shown)


def require_columns(frame: pd.DataFrame, columns: Iterable[str], *, table: str) -> None:
    """Refuse a table that lacks columns.

    Args:
        frame: As loaded.
        columns: The names it must have.
        table: What to call it in the message: dataset and usual file name.

    Raises:
        ValueError: Names the missing columns and those that came.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        came = ", ".join(str(column) for column in frame.columns)
        raise ValueError(
            f"{table} lacks the columns {', '.join(missing)}; it has {came}. Use the "
            f"file as published, or rename its columns."
        )


def first_reason(rows: pd.DataFrame, reasons: Mapping[str, pd.Series]) -> pd.Series:
    """Return for each row the first reason whose mask is True, else missing.

    Args:
        rows: Gives the index.
        reasons: Reason to boolean mask, in order of precedence.
    """
    chosen = pd.Series(pd.NA, index=rows.index, dtype="str")
    for reason, applies in reasons.items():
        chosen = chosen.mask(chosen.isna() & applies.to_numpy(bool), reason)
    return chosen


def age_in_years(
    ages: pd.Series, *, quotable: Container[str] | None = None
) -> pd.Series:
    """Return ages such as 61, "061Y", "18 months", "61 años" or ">90" as years.

    Of an open age (">90", "90+") the bound is taken. What is stated and cannot be read,
    and what is above 120 ("411Y" in the NIH table of 2017), is missing and counted in
    the log.

    Args:
        ages: As stated.
        quotable: Words that may stand in the log; None: any, they are the user's own.
    """
    text = stated(ages).fillna("").str.upper().str.replace(",", ".")
    parts = text.str.extract(
        r"^[<>≤≥=]* *(?P<number>\d+(?:\.\d+)?) *\+? *(?P<unit>[A-ZÑ. ]*)$"
    )
    unit = parts["unit"].str.strip(" .").map(_UNIT_OF_AGE)
    years = pd.to_numeric(parts["number"]) * unit.map(_YEARS_PER_UNIT)
    known = years.astype("float64").where(years <= OLDEST_YEARS)
    _say_not_understood("age", text, known.isna(), quotable)
    return known


def sex(values: pd.Series, *, quotable: Container[str] | None = None) -> pd.Series:
    """Return "M", "F" or "unknown" for spellings such as "male", "F", "Mujer" or none.

    Spellings stand in `SEXES`; what is stated and none of them is counted in the log.
    Where H (hombre) stands beside M and no F, M may be mujer: both are unknown.

    Args:
        values: As stated.
        quotable: As for `age_in_years`.
    """
    words = stated(values).fillna("").map(_word)
    known = words.map(SEXES)
    came = set(words)
    if {"H", "M"} <= came and not {"F", "W"} & came:
        known = known.mask(words.isin(["H", "M"]))
    _say_not_understood("sex", words, known.isna(), quotable)
    return known.fillna(UNKNOWN).astype("str")


def source_name(values: pd.Series) -> pd.Series:
    """Return names of collections in lower case, with "-" between words.

    Empty text is missing; the typo "rnsa" of the COVIDx lists is "rsna".
    """
    names = (
        stated(values).str.lower().str.replace(r"[^a-z0-9]+", "-", regex=True)
    ).str.strip("-")
    return names.mask(names == "").replace("rnsa", "rsna")


def frontal_view(
    values: pd.Series, *, quotable: Container[str] | None = None
) -> pd.Series:
    """Return "PA", "AP" or "unknown"; "AP Supine", "AP Erect" and "APS" are "AP".

    What is stated and not understood (`views.read_view`) is counted in the log.

    Args:
        values: As stated.
        quotable: As for `age_in_years`.
    """
    views = _views(values)
    texts = stated(values).fillna("")
    _say_not_understood("view", texts, views == NOT_UNDERSTOOD, quotable)
    return views.where(views.isin(["PA", "AP"]), UNKNOWN).astype("str")


def is_lateral(values: pd.Series) -> pd.Series:
    """Return True for lateral, oblique and decubitus views (`views.read_view`)."""
    return _views(values).isin(OTHER_THAN_FRONTAL)


def is_view_not_stated(values: pd.Series) -> pd.Series:
    """Return True where no view is stated (`views.read_view`)."""
    return _views(values) == NOT_STATED


def is_view_not_understood(values: pd.Series) -> pd.Series:
    """Return True where a view is stated and not understood (`views.read_view`)."""
    return _views(values) == NOT_UNDERSTOOD


def result_of_test(values: pd.Series) -> pd.Series:
    """Return True for a positive result of a test, False for a negative, or missing.

    Spellings stand in `TEST_RESULTS`.
    """
    words = stated(values).fillna("").map(_word)
    return words.map(TEST_RESULTS).astype("boolean")


def contradicting(listing: pd.DataFrame, labels: Iterable[str]) -> pd.DataFrame:
    """Return the listing with a reason where an image, or a file, has two labels.

    Args:
        listing: With `image_id`, `file`, `reason` and the labels; unknown ones are no
            contradiction.
        labels: The columns.
    """
    usable = listing[listing["reason"].isna()]
    contradictory = pd.Series(data=False, index=listing.index)
    for name in ("image_id", "file"):
        for label in labels:
            n_labels = usable.groupby(name)[label].nunique()
            contradictory |= listing[name].isin(n_labels.index[n_labels > 1])
    reason = listing["reason"].mask(
        listing["reason"].isna() & contradictory, "listed with different labels"
    )
    return listing.assign(reason=reason)


def nothing_known(labels: pd.DataFrame, findings: Sequence[str]) -> pd.Series:
    """Return why a row tells nothing of what the study asks; missing where it does.

    Args:
        labels: Boolean columns, missing where not known.
        findings: Those that the study asks for.
    """
    is_silent = labels[list(findings)].isna().all(axis=1) & bool(len(findings))
    return first_reason(labels, {f"nothing known of {', '.join(findings)}": is_silent})


def stated(values: pd.Series) -> pd.Series:
    """Return text without outer blanks; empty text is missing."""
    text = values.astype("str").str.strip()
    return text.mask(text == "")


def _views(values: pd.Series) -> pd.Series:
    texts = stated(values).fillna("")
    return texts.map({text: read_view(text) for text in texts.unique()}).astype("str")


def _word(text: str) -> str:
    """Return a word in capitals without accents."""
    letters = unicodedata.normalize("NFKD", text).upper()
    return "".join(x for x in letters if not unicodedata.combining(x)).strip()


def _say_not_understood(
    what: str,
    texts: pd.Series,
    is_missing: pd.Series,
    quotable: Container[str] | None,
) -> None:
    """Log how many stated values are not understood, with quotable examples."""
    lost = texts[is_missing.to_numpy(bool) & ~texts.str.upper().isin(_NOT_KNOWN)]
    if not len(lost):
        return
    examples = [x for x in lost.unique() if quotable is None or x in quotable]
    shown = ", ".join(repr(text) for text in examples[:_EXAMPLES])
    logger.warning(
        "%d values of %s are not understood%s; they are taken for unknown, unless "
        "their rows are rejected",
        len(lost),
        what,
        f", such as {shown}" if shown else "",
    )


def _repetitions(usable: pd.DataFrame) -> pd.Series:
    """Return why a row repeats an earlier one; missing for the first of each image."""
    again = usable[usable.duplicated("image_id")]
    kept = usable.drop_duplicates("image_id").set_index("image_id")["patient_id"]
    is_same_patient = again["patient_id"] == again["image_id"].map(kept)
    return is_same_patient.map(
        {True: "listed more than once", False: "listed again, for another patient"}
    ).astype("str")


def _text(values: list[str | None], index: pd.Index) -> pd.Series:
    return pd.Series(values, index=index, dtype="str")


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the schema's columns first and the working ones gone."""
    findings = [name for name in _FINDING_COLUMNS if name in rows.columns]
    known = [*_FIXED_COLUMNS, *findings]
    own = [name for name in rows.columns if name not in {*known, "name", "reason"}]
    typed = rows[[*known, *own]].astype(dict.fromkeys(findings, "boolean"))
    text = [
        name for name in _FIXED_COLUMNS if name not in {"age_years", "is_synthetic"}
    ]
    return typed.astype(
        {**dict.fromkeys(text, "str"), "age_years": np.float64}
    ).reset_index(drop=True)
