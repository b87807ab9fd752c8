"""All scores of one evaluation in one table: of the paths, or as a user has them."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.evaluation.findings import FINDING, stack
from covid_cxr.evaluation.score_columns import (
    CLASSIFIER,
    IMAGE,
    LABEL,
    LEFT_OUT,
    MOST_LEVELS,
    NO_COLUMN,
    PART,
    PATIENT,
    SITE,
    SUBGROUP,
    Choice,
    ScoreColumns,
    cautions_of,
    find_classifiers,
    find_roles,
    is_blank,
    plain,
    read_names,
    require_columns,
)
from covid_cxr.evaluation.score_labels import read_labels
from covid_cxr.evaluation.scored_part import ScoredPart, ScoredParts, line_up
from covid_cxr.study.current import current

logger = logging.getLogger(__name__)

TEST, VALIDATION = "test", "validation"
UNKNOWN = "unknown"
_FIXED = ("image_id", "patient_id", "part", "is_case", FINDING)
# By letters and digits alone, in lower case.
_PARTS = {
    **dict.fromkeys(("test", "testing", "tst", "holdout", "heldout"), TEST),
    **dict.fromkeys(("validation", "valid", "validate", "val", "dev"), VALIDATION),
    **dict.fromkeys(("development", "tune", "tuning"), VALIDATION),
}
_WITHOUT = {
    IMAGE: "comparison.image is none: radiographs are named by the number of their row",
    PATIENT: "comparison.patient is none: each radiograph is a patient of its own",
    PART: "there is none: every row is of the test part",
}
_WITHOUT_PATIENTS = (
    "where a patient has several radiographs, intervals are too narrow and p values "
    "too small"
)
_last: list[tuple[pd.DataFrame, ScoredParts]] = []  # table and parts, none or one
_TRAINING = frozenset({"train", "training", "trn", "fit"})


def arrange_scores(
    table: pd.DataFrame, columns: ScoreColumns
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `image_id, patient_id, part, is_case` with the scores; and what was taken.

    The second table has a row for each column of the first: `column`, `taken_as` and
    `reason`, with the cautions about a classifier's scores.

    Args:
        table: As the user has it.
        columns: Which column is what.

    Raises:
        ValueError: If there is no row, a column is missing or cannot be told, an image
            is named twice or without a patient, a label or a part is none, a score is
            missing or no number, there is no score at all, or the test part has cases
            only or controls only.
    """
    table = _named_by_text(table)
    return _arrange(table, columns, np.ones(len(table), dtype=bool))


def arrange_labelled(
    table: pd.DataFrame, columns: ScoreColumns
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the rows that have a label, the others without one, and what was taken.

    The first and the last as from `arrange_scores`; cautions are of the labelled.

    Args:
        table: As the user has it.
        columns: Which column is what.

    Raises:
        ValueError: As `arrange_scores`, of all rows and of the labelled; and if no row
            of the test part has a label.
    """
    table = _named_by_text(table)
    _refuse_no_rows(table)
    label = find_roles(table, columns)[LABEL].column
    blank = is_blank(table[label])
    if blank.all():
        raise ValueError(f"No row has a label in the column {label}; some have to.")
    # Judged together, so that a name and a column are one thing in both.
    known = table.loc[~blank, label].reset_index(drop=True)
    borrowed = known[np.arange(len(table)) % len(known)].to_numpy()
    filled = table.assign(**{label: table[label].where(~blank, borrowed)})
    arranged, described = _arrange(filled, columns, ~blank)
    images = _images(table, find_roles(table, columns))[blank]
    is_other = arranged["image_id"].isin(images)
    logger.warning("%d of %d radiographs have no label", is_other.sum(), len(table))
    others = arranged[is_other].drop(columns="is_case").reset_index(drop=True)
    return arranged[~is_other].reset_index(drop=True), others, described


def arrange_levels(table: pd.DataFrame, columns: ScoreColumns) -> pd.DataFrame:
    """Return `image_id`, and as text each image's site and level in each subgroup.

    Args:
        table: As the user has it.
        columns: Which column is what.

    Raises:
        ValueError: If a column is missing, or has too many levels for subgroups.
    """
    table = _named_by_text(table)
    require_columns(columns.subgroups, table)
    roles = find_roles(table, columns)
    site = [roles[SITE].column] if SITE in roles else []
    names = list(dict.fromkeys([*site, *columns.subgroups]))
    images = _images(table, roles)
    levels = pd.DataFrame({name: _level_of(table[name]) for name in names})
    for name in names:
        n_levels = len({*levels[name]} - {UNKNOWN})
        if n_levels > MOST_LEVELS:
            raise ValueError(
                f"The column {name} has {n_levels} levels, and a subgroup at most "
                f"{MOST_LEVELS}; write bands such as 40-59 instead, or leave it out "
                f"of comparison.site or comparison.subgroups."
            )
    return levels.assign(image_id=images)


def _level_of(cells: pd.Series) -> pd.Series:
    """Return levels as text without blanks around it; a blank cell has none."""
    # A whole number beside missing ones is read as a float: 1, not 1.0.
    text = cells.convert_dtypes().astype("str").str.strip()
    return text.where(~is_blank(cells), UNKNOWN)


def arrange_paths(**scores: pd.DataFrame) -> pd.DataFrame:
    """Return one table as from `arrange_scores`, with a column of scores per path.

    Of a target of several findings it has a column `finding`, and a row for each image
    and finding that is known of it.

    Args:
        scores: Of phase 3, by path or by any other name.
    """
    target = current().target_set
    arranged = {}
    for label in target.labels:
        first = next(iter(scores.values()))
        known = first["part"][first[label].notna()].unique()
        parts = {
            part: line_up(scores, label=label, part=part)
            for part in (VALIDATION, TEST)
            if part in known or (part == TEST and label == target.label)
        }
        if TEST in parts:
            validation = parts.get(VALIDATION)
            both = ScoredParts(validation=validation, test=parts[TEST])
            arranged[label] = arrange_parts(both)
    return stack(arranged)


def arrange_parts(parts: ScoredParts) -> pd.DataFrame:
    """Return one table as from `arrange_scores`, of scores that are lined up.

    Args:
        parts: Whose `scores` are indexed by image.
    """
    named = {VALIDATION: parts.validation, TEST: parts.test}
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "image_id": part.scores.index,
                    "patient_id": part.patients,
                    "part": name,
                    "is_case": part.is_case,
                    **{str(k): part.scores[k].to_numpy() for k in part.scores},
                }
            )
            for name, part in named.items()
            if part is not None
        ],
        ignore_index=True,
    )


def parts_of(arranged: pd.DataFrame) -> ScoredParts:
    """Return the parts of a table of scores.

    Of the table that was asked for last they are the same ones, with all that they know
    already: a dozen tables of results are made of one.

    Args:
        arranged: From `arrange_scores` or `arrange_parts`.

    Raises:
        ValueError: If it has no test part.
    """
    for table, parts in tuple(_last):  # another thread may put in its own
        if arranged.equals(table):
            return parts
    test = _part_of(arranged, TEST)
    if test is None:
        raise ValueError("The arranged scores have no test part; run from the start.")
    parts = ScoredParts(validation=_part_of(arranged, VALIDATION), test=test)
    # A copy on write: whatever is done to the table later is not done to this one.
    _last[:] = [(arranged.copy(deep=False), parts)]
    return parts


def no_rows() -> pd.DataFrame:
    """Return the table of results of classifiers where there are none."""
    return pd.DataFrame({"classifier": pd.Series(dtype="str")})


def _part_of(arranged: pd.DataFrame, part: str) -> ScoredPart | None:
    rows = arranged[arranged["part"] == part].set_index("image_id").sort_index()
    if rows.empty:
        return None
    return ScoredPart(
        is_case=rows["is_case"].to_numpy(dtype=bool),
        scores=rows.drop(columns=[name for name in _FIXED if name in rows]),
        patients=rows["patient_id"].to_numpy(dtype=object),
    )


def _arrange(
    table: pd.DataFrame, columns: ScoreColumns, is_labelled: NDArray[np.bool_]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all rows arranged, and what was taken, described by the labelled."""
    _refuse_no_rows(table)
    roles = find_roles(table, columns)
    require_columns(columns.subgroups, table)
    is_case, values = read_labels(table[roles[LABEL].column], positive=columns.positive)
    fixed = {
        "image_id": _images(table, roles),
        "patient_id": _patients(table, roles),
        "part": _parts(table, roles),
        "is_case": is_case,
    }
    scores, choices = find_classifiers(table, columns, roles)
    _refuse_names(scores)
    if columns.part is None and PART not in roles:
        _refuse_unnoticed_parts(table, (c.column for c in choices if _is_out(c)))
    arranged = pd.DataFrame({**fixed, **scores})
    labelled = arranged[is_labelled]
    _refuse_rows(arranged, roles)
    _refuse_one_class(labelled, roles)
    stated = {LABEL: values, PART: _sizes(labelled["part"])}
    described = _describe([*_all_roles(roles, stated), *choices], columns, labelled)
    _log(described)
    return arranged.sort_values("image_id", ignore_index=True), described


def _named_by_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text for names, and a column for an index with a name."""
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index(drop=set(table.index.names) == {None})
    return table.set_axis([str(name) for name in table.columns], axis="columns")


def _refuse_no_rows(table: pd.DataFrame) -> None:
    if table.empty:
        raise ValueError(
            f"The score table has no rows, only the columns "
            f"{', '.join(table.columns)}; add one row per radiograph."
        )


def _images(table: pd.DataFrame, roles: Mapping[str, Choice]) -> pd.Series:
    if IMAGE not in roles:
        numbers = np.arange(1, len(table) + 1)
        return pd.Series(numbers, index=table.index).astype("str")
    return read_names(table[roles[IMAGE].column])


def _patients(table: pd.DataFrame, roles: Mapping[str, Choice]) -> pd.Series:
    if PATIENT not in roles:
        return _images(table, roles)
    return read_names(table[roles[PATIENT].column])


def _parts(table: pd.DataFrame, roles: Mapping[str, Choice]) -> pd.Series:
    if PART not in roles:
        return pd.Series(TEST, index=table.index)
    name = roles[PART].column
    said = read_names(table[name])
    understood = {level: _PARTS.get(plain(level)) for level in said.unique()}
    parts = said.map(understood)
    if parts.isna().any() or TEST not in parts.unique():
        levels = sorted(map(str, understood))
        shown = ", ".join(levels[:10]) + (", …" if len(levels) > 10 else "")
        raise ValueError(
            f"The column {name} must say {VALIDATION} or {TEST}, and {TEST} at least "
            f"once; got {shown}. Leave training rows out; if it says no parts, "
            f"--params=comparison.part=none takes every row as of the test part."
        )
    return parts


def _refuse_unnoticed_parts(table: pd.DataFrame, names: Iterable[str]) -> None:
    """Refuse a column that says parts by another name: test is not to be everything."""
    for name in names:
        said = table[name].dropna().astype("str").unique()[: len(_PARTS)]
        levels = {plain(level) for level in said}
        if {TEST} < {_PARTS.get(level, level) for level in levels} and levels <= (
            _PARTS.keys() | _TRAINING
        ):
            raise ValueError(
                f"The column {name} seems to say which part a row is of: "
                f"{', '.join(sorted(levels))}. Say so with --params=comparison.part="
                f"{name}, or that it does not with --params=comparison.part=none."
            )


def _refuse_names(scores: dict[str, NDArray[np.float64]]) -> None:
    taken = [name for name in scores if name in _FIXED]
    if taken:
        raise ValueError(
            f"A classifier cannot be called {', '.join(taken)}, which has a meaning "
            f"here; rename the column, or name the classifiers in "
            f"comparison.classifiers."
        )


def _refuse_rows(arranged: pd.DataFrame, roles: dict[str, Choice]) -> None:
    repeated = arranged.loc[arranged["image_id"].duplicated(), "image_id"]
    if len(repeated):
        raise ValueError(
            f"{len(repeated)} images are named twice in the column "
            f"{roles[IMAGE].column}, such as {repeated.iloc[0]!r}; keep one row per "
            f"image, or name the column of images in comparison.image."
        )
    pairs = arranged[["patient_id", "part"]].drop_duplicates()
    both = pairs.loc[pairs["patient_id"].duplicated(), "patient_id"]
    if len(both):
        raise ValueError(
            f"{len(both)} patients are in validation and in test, such as "
            f"{both.min()!r}; thresholds would be chosen on the patients "
            f"they are judged by."
        )


def _refuse_one_class(labelled: pd.DataFrame, roles: dict[str, Choice]) -> None:
    is_case = labelled.loc[labelled["part"] == TEST, "is_case"]
    if is_case.empty:
        raise ValueError(
            f"No row of the test part has a label in the column {roles[LABEL].column}; "
            f"some have to."
        )
    if is_case.nunique() < 2:
        there, absent = ("cases", "control") if is_case.all() else ("controls", "case")
        raise ValueError(
            f"The test part has only {there}: all {len(is_case)} radiographs, by the "
            f"column {roles[LABEL].column}; without a {absent} there is no ROC curve. "
            f"Add some, or correct comparison.label, comparison.positive or "
            f"comparison.part."
        )


def _is_out(choice: Choice) -> bool:
    return choice.role == LEFT_OUT


def _sizes(parts: pd.Series) -> str:
    n_test = int((parts == TEST).sum())
    return f"test: {n_test:,} radiographs, validation: {len(parts) - n_test:,}"


def _all_roles(roles: Mapping[str, Choice], stated: Mapping[str, str]) -> list[Choice]:
    """Return a choice for each role, and for one that no column has, too."""
    choices = []
    for role in (IMAGE, PATIENT, LABEL, PART):
        chosen = roles.get(role)
        column, reason = (
            (NO_COLUMN, _WITHOUT[role])
            if chosen is None
            else (chosen.column, chosen.reason)
        )
        reasons = [reason, *([stated[role]] if role in stated else [])]
        choices.append(Choice(column=column, role=role, reason="; ".join(reasons)))
    return [*choices, *([roles[SITE]] if SITE in roles else [])]


def _describe(
    choices: list[Choice], columns: ScoreColumns, arranged: pd.DataFrame
) -> pd.DataFrame:
    """Return a row per column: what it was taken as, why, and cautions."""
    asked = [
        Choice(column=name, role=SUBGROUP, reason="by comparison.subgroups")
        for name in columns.subgroups
    ]
    test = arranged[arranged["part"] == TEST]
    is_case = test["is_case"].to_numpy(dtype=bool)
    rows = []
    for choice in [*choices, *asked]:
        cautions = []
        if choice.role == CLASSIFIER:
            cautions = list(cautions_of(test[choice.column].to_numpy(), is_case))
        elif choice.role == PATIENT and choice.column == NO_COLUMN:
            cautions = [_WITHOUT_PATIENTS]
        rows.append((choice.column, choice.role, choice.reason, "; ".join(cautions)))
    return pd.DataFrame(rows, columns=["column", "taken_as", "reason", "caution"])


def _log(described: pd.DataFrame) -> None:
    """Say once what was taken as what, and warn of what was left out."""
    by_role = described[~described["taken_as"].isin([LEFT_OUT, CLASSIFIER])]
    logger.info(
        "Columns of the table: %s; classifiers: %s",
        "; ".join(
            f"{r.taken_as}: {r.column} ({r.reason})" for r in by_role.itertuples()
        ),
        ", ".join(described.loc[described["taken_as"] == CLASSIFIER, "column"]),
    )
    for row in described[described["taken_as"] == LEFT_OUT].itertuples():
        logger.warning("The column %r is left out: %s", row.column, row.reason)
    for row in described[described["caution"] != ""].itertuples():
        logger.warning("The %s %r: %s", row.taken_as, row.column, row.caution)
