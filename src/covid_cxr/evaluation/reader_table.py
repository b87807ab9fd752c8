"""A reader study: what readers said of the same cases, with each of several modalities.

A modality is whatever a reading was done with: another examination, or the help of a
classifier. Every reader reads every case with every modality.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.checks import check_word
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.score_columns import (
    IMAGE,
    LABEL,
    NO_COLUMN,
    PATIENT,
    SYNONYMS,
    ScoreColumns,
    plain,
    read_names,
    refuse_doubled,
)
from covid_cxr.evaluation.score_labels import read_labels
from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.reader_study import (
    COVARIANCES,
    ReaderStudy,
    study_readers,
)
from covid_cxr.user_numbers import line_of, numbers

logger = logging.getLogger(__name__)

MEAN = "mean"
_ROLES: Mapping[str, Sequence[str]] = {
    "case": ("case", "caseid", "casenumber", "exam", "examination", *SYNONYMS[IMAGE]),
    "patient": SYNONYMS[PATIENT],
    "reader": ("reader", "readerid", "radiologist", "observer", "rater"),
    "modality": (
        *("modality", "treatment", "condition", "setting", "test", "arm"),
        *("aid", "aided", "assistance", "with"),
    ),
    "score": ("score", "rating", "confidence", "suspicion", "probability"),
    "label": SYNONYMS[LABEL],
}
_READING = ["case", "reader", "modality"]
_SORTED = ["case", "modality", "reader"]


@dataclass(frozen=True, kw_only=True)
class ReaderColumns:
    """Which column is what, as read from parameters_comparison.yml.

    None recognises a column by its name.

    Attributes:
        case: Names what is read.
        patient: Whose it is; "none" takes each case as a patient of its own.
        reader: Names the reader.
        modality: Says with what was read.
        score: What the reader said, higher for a likelier case.
        label: The truth, the same in all rows of a case.
        positive: As in `ScoreColumns`.
        covariance: Of the AUROCs, `delong` or `jackknife`.
    """

    case: str | None
    patient: str | None
    reader: str | None
    modality: str | None
    score: str | None
    label: str | None
    positive: str | int | float | bool | None
    covariance: str

    def __post_init__(self) -> None:
        """Refuse a covariance that there is not."""
        check_word(
            "readers.covariance",
            self.covariance,
            COVARIANCES,
            place="parameters_comparison.yml",
        )


def arrange_readings(
    table: pd.DataFrame | None, columns: ReaderColumns
) -> pd.DataFrame:
    """Return `case, patient, reader, modality, score, is_case`, a row per reading.

    In the order of cases; readers and modalities stay in the order of the table. No
    rows where there is no table.

    Args:
        table: As the user has it; None for none.
        columns: Which column is what.

    Raises:
        ValueError: If a column cannot be told, a cell is none of what it should be, a
            reading is there twice or missing, or rows of a case contradict each other.
    """
    if table is None:
        return pd.DataFrame(columns=[*_READING, "patient", "score", "is_case"])
    if table.empty:
        raise ValueError(
            f"The table of readers has no rows, only the columns "
            f"{', '.join(map(str, table.columns))}; add one row per reading."
        )
    named = {role: _column(role, table, columns) for role in _ROLES}
    _log(table, named)
    names = {role: read_names(table[named[role]]) for role in _READING}
    patient = named["patient"]
    scores = numbers(table, [named["score"]])[named["score"]]
    if scores.isna().any():
        row = int(scores.isna().to_numpy().argmax())
        raise ValueError(
            f"{scores.isna().sum()} readings have no {named['score']}, the first in "
            f"{line_of(table, row)}; every reader has to have read every case."
        )
    readings = pd.DataFrame(
        {
            **names,
            "patient": names["case"]
            if patient == NO_COLUMN
            else read_names(table[patient]),
            "score": scores.to_numpy(),
            "is_case": read_labels(
                table[named["label"]], positive=columns.positive, record="readers"
            )[0],
        }
    )
    _refuse_incomplete(readings)
    return readings.sort_values(_SORTED, key=_place, ignore_index=True)


def as_score_table(readings: pd.DataFrame) -> tuple[pd.DataFrame, ScoreColumns]:
    """Return a table with a column of scores for each reader and modality.

    Args:
        readings: From `arrange_readings`.
    """
    facts, modalities, readers, ratings = _ratings(readings)
    columns = [f"{reader}, {name}" for name in modalities for reader in readers]
    table = pd.DataFrame(ratings.reshape(len(facts), -1), columns=columns)
    table = table.assign(
        image=facts["case"],
        patient=facts["patient"],
        label=facts["is_case"].astype(int),
    )
    return table, ScoreColumns(
        image="image",
        patient="patient",
        label="label",
        part=NO_COLUMN,
        site=NO_COLUMN,
        positive=1,
        classifiers=columns,
        subgroups=[],
    )


def tabulate_readers(
    readings: pd.DataFrame, columns: ReaderColumns, reporting: Reporting
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the readers' AUROCs, pairs of modalities tested, and what varies how much.

    The first has `modality, reader, auroc, lower, upper`, with a row for the mean of
    each modality whose interval is for readers and patients at random; the second
    `first, second, difference, lower, upper, p_value, f, freedom, p_all, readers,
    patients, cases, controls`, where `f` and `p_all` ask whether all modalities are
    alike; the third `quantity, value`.

    Args:
        readings: From `arrange_readings`.
        columns: For the covariance.
        reporting: For the level.
    """
    if readings.empty:
        return _AUROCS, _TESTS, _COMPONENTS
    study = _study(readings, columns)
    level = reporting.level
    return (
        _aurocs(readings, study, level),
        _tests(readings, study, level),
        _components(study),
    )


_AUROCS = pd.DataFrame(columns=["modality", "reader", "auroc", "lower", "upper"])
_TESTS = pd.DataFrame(
    columns=[
        *("first", "second", "difference", "lower", "upper", "p_value", "f"),
        *("freedom", "p_all", "readers", "patients", "cases", "controls"),
    ]
)
_COMPONENTS = pd.DataFrame(columns=["quantity", "value"])


def _column(role: str, table: pd.DataFrame, columns: ReaderColumns) -> str:
    said = getattr(columns, role)
    if role == "patient" and said == NO_COLUMN:
        return NO_COLUMN
    if said is not None:
        found = [str(said)] if str(said) in table.columns else []
    else:
        taken = {getattr(columns, one.name) for one in fields(columns)}
        names = [str(name) for name in table if name not in taken]
        alike = [name for name in names if plain(name) in _ROLES[role]]
        first = [name for name in alike if plain(name) == _ROLES[role][0]]
        found = first if len(first) == 1 else alike
    if len(found) == 1:
        return str(found[0])
    seen = f"{', '.join(map(str, found))} may be" if found else "no column is"
    hint = " (none: each case is a patient of its own)" if role == "patient" else ""
    raise ValueError(
        f"In the table of readers {seen} the {role}; it has "
        f"{', '.join(map(str, table.columns))}. Say which one it is: "
        f"--params=readers.{role}=…{hint}"
    )


def _log(table: pd.DataFrame, named: Mapping[str, str]) -> None:
    """Say what was taken as what, and which columns were not read."""
    unread = [str(name) for name in table if str(name) not in named.values()]
    logger.info(
        "Columns of the table of readers: %s; not read: %s",
        ", ".join(f"{role}: {column}" for role, column in named.items()),
        ", ".join(unread) or "none",
    )


def _place(names: pd.Series) -> pd.Series:
    """Return what to sort by: cases by name, all others in the order of the table."""
    if names.name == "case":
        return names
    return pd.Series(pd.factorize(names)[0], index=names.index)


def _refuse_incomplete(readings: pd.DataFrame) -> None:
    for role in ("reader", "modality"):
        names = [str(name).casefold() for name in readings[role].unique()]
        refuse_doubled(names, f"the column of the {role}, whatever the capitals,")
    twice = readings[readings.duplicated(_READING)]
    if len(twice):
        raise ValueError(
            f"{len(twice)} readings are there twice, such as {_said(twice.iloc[0])}; "
            f"keep one, or tell sessions apart as modalities."
        )
    for name in ("patient", "is_case"):
        several = readings.groupby("case", sort=False)[name].nunique()
        if (several > 1).any():
            what = "label" if name == "is_case" else name
            raise ValueError(
                f"{(several > 1).sum()} cases have more than one {what}, such as "
                f"{several.idxmax()!r}; correct their rows."
            )
    whole = pd.MultiIndex.from_product([readings[n].unique() for n in _READING])
    missing = whole.difference(pd.MultiIndex.from_frame(readings[_READING]))
    if len(missing):
        first = dict(zip(_READING, missing[0], strict=True))
        raise ValueError(
            f"{len(missing)} of {len(whole)} readings are missing, such as "
            f"{_said(first)}: the analysis needs every reader to have read every case "
            f"with every modality. Leave the case or the reader out."
        )


def _said(reading: Mapping[str, object] | pd.Series) -> str:
    return (
        f"case {reading['case']!r} by reader {reading['reader']!r} with "
        f"{reading['modality']!r}"
    )


def _ratings(
    readings: pd.DataFrame,
) -> tuple[pd.DataFrame, list[str], list[str], NDArray[np.float64]]:
    """Return a row per case, the modalities, the readers, and all scores (n, t, j)."""
    facts = readings.drop_duplicates("case", ignore_index=True)
    modalities, readers = (
        [str(name) for name in readings[role].unique()]
        for role in ("modality", "reader")
    )
    whole = pd.MultiIndex.from_product([facts["case"], modalities, readers])
    scores = readings.set_index(["case", "modality", "reader"])["score"].loc[whole]
    shape = len(facts), len(modalities), len(readers)
    return facts, modalities, readers, scores.to_numpy().reshape(shape)


def _study(readings: pd.DataFrame, columns: ReaderColumns) -> ReaderStudy:
    facts, modalities, readers, ratings = _ratings(readings)
    if min(len(modalities), len(readers)) < 2:
        raise ValueError(
            f"A reader study has at least 2 readers and 2 modalities, got "
            f"{len(readers)} ({', '.join(readers)}) and {len(modalities)} "
            f"({', '.join(modalities)}). One column per reader in a table of scores "
            f"compares these readers with each other."
        )
    return study_readers(
        facts["is_case"].to_numpy(dtype=bool),
        ratings,
        modalities=modalities,
        cluster=facts["patient"].to_numpy(),
        covariance=columns.covariance,
    )


def _aurocs(readings: pd.DataFrame, study: ReaderStudy, level: float) -> pd.DataFrame:
    readers = readings["reader"].unique()
    bounds = study.interval(level)
    rows = []
    for k, modality in enumerate(study.modalities):
        of_modality = readings[readings["modality"] == modality]
        for reader in readers:
            own = of_modality[of_modality["reader"] == reader]
            found = estimate_aucs(
                own["is_case"].to_numpy(dtype=bool),
                own["score"],
                cluster=own["patient"].to_numpy(),
            )
            interval = found.interval(level, "logit")[0]
            rows.append((modality, reader, float(found.auc[0]), *interval))
        rows.append((modality, MEAN, float(study.mean_auc[k]), *bounds[k]))
    return pd.DataFrame(rows, columns=_AUROCS.columns)


def _tests(readings: pd.DataFrame, study: ReaderStudy, level: float) -> pd.DataFrame:
    f, freedom, p_all = study.test_modalities()
    is_case = readings.drop_duplicates("case")["is_case"].to_numpy(dtype=bool)
    n_cases = int(is_case.sum())
    counts = readings["reader"].nunique(), readings["patient"].nunique(), n_cases
    rows = []
    for earlier, later in combinations(study.modalities, 2):
        found = study.compare(later, earlier)  # what the later adds
        tested = (found.estimate, *found.interval(level), found.p_value)
        facts = (f, freedom, p_all, *counts, len(is_case) - n_cases)
        rows.append((later, earlier, *tested, *facts))
    return pd.DataFrame(rows, columns=_TESTS.columns)


def _components(study: ReaderStudy) -> pd.DataFrame:
    t, j = study.auc.shape
    rest = study.auc - study.auc.mean(axis=0) - study.mean_auc[:, np.newaxis]
    rest = rest + study.auc.mean()
    square = float((rest**2).sum()) / ((t - 1) * (j - 1))
    names = ("MS(T*R)", "Var(error)", "Cov1", "Cov2", "Cov3")
    values = (square, *study.components)
    return pd.DataFrame({"quantity": names, "value": values})
