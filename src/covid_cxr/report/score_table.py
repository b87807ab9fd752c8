"""A table of scores from any framework, as a user has it."""

from dataclasses import dataclass

import pandas as pd

from covid_cxr.report.scored_part import ScoredPart, ScoredParts

TEST, VALIDATION = "test", "validation"
UNKNOWN = "unknown"
_FIXED = ("image_id", "patient_id", "part", "is_case")
_POSITIVE = {"1", "1.0", "true", "yes", "positive"}
_NEGATIVE = {"0", "0.0", "false", "no", "negative"}
_MOST_LEVELS = 30  # of a subgroup: a column with more is a measurement


@dataclass(frozen=True, kw_only=True)
class ScoreColumns:
    """Which column is what, as read from parameters_comparison.yml.

    Attributes:
        image: Name of each radiograph, unique.
        patient: Whose it is.
        label: The truth: 1 or 0, true or false, yes or no, positive or negative.
        part: "validation" or "test"; None takes every row as of the test part.
        classifiers: Columns of scores, higher for a likelier case; none given takes
            every other numeric column.
        subgroups: Columns such as the sex, in whose levels the AUROC is asked for.
    """

    image: str
    patient: str
    label: str
    part: str | None
    classifiers: list[str]
    subgroups: list[str]


def arrange_scores(table: pd.DataFrame, columns: ScoreColumns) -> pd.DataFrame:
    """Return the table with `image_id, patient_id, part, is_case` and the scores.

    Args:
        table: As the user has it.
        columns: Which column is what.

    Raises:
        ValueError: If there is no row, a column is missing, an image is named twice or
            without a patient, a label or a part is none, a score is missing, or there
            is no score at all.
    """
    classifiers = _classifiers(table, columns)
    arranged = pd.DataFrame(
        {
            "image_id": table[columns.image].astype("str"),
            "patient_id": table[columns.patient].astype("str"),
            "part": table[columns.part].astype("str") if columns.part else TEST,
            "is_case": _as_labels(table[columns.label], columns.label),
            **{name: table[name].astype("float64") for name in classifiers},
        }
    )
    _refuse_rows(arranged, table, columns)
    return arranged


def arrange_levels(table: pd.DataFrame, columns: ScoreColumns) -> pd.DataFrame:
    """Return `image_id`, and as text the level of each image in each subgroup.

    Args:
        table: As the user has it.
        columns: Which column is what.

    Raises:
        ValueError: If a column is missing, or has too many levels for subgroups.
    """
    _require([columns.image, *columns.subgroups], table)
    for name in columns.subgroups:
        n_levels = table[name].nunique()
        if n_levels > _MOST_LEVELS:
            raise ValueError(
                f"The column {name} has {n_levels} levels, and a subgroup at most "
                f"{_MOST_LEVELS}; write bands such as 40-59 instead, or leave it out "
                f"of comparison.subgroups."
            )
    # A whole number beside missing ones is read as a float: 1, not 1.0.
    found = table[columns.subgroups].convert_dtypes()
    levels = found.astype("str").where(found.notna(), UNKNOWN)
    return levels.assign(image_id=table[columns.image].astype("str"))


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

    Args:
        arranged: From `arrange_scores` or `arrange_parts`.

    Raises:
        ValueError: If it has no test part.
    """
    test = _part_of(arranged, TEST)
    if test is None:
        raise ValueError("The arranged scores have no test part; run from the start.")
    return ScoredParts(validation=_part_of(arranged, VALIDATION), test=test)


def _part_of(arranged: pd.DataFrame, part: str) -> ScoredPart | None:
    rows = arranged[arranged["part"] == part].set_index("image_id").sort_index()
    if rows.empty:
        return None
    return ScoredPart(
        is_case=rows["is_case"].to_numpy(dtype=bool),
        scores=rows.drop(columns=[name for name in _FIXED if name in rows]),
        patients=rows["patient_id"].to_numpy(dtype=object),
    )


def _classifiers(table: pd.DataFrame, columns: ScoreColumns) -> list[str]:
    """Return the columns of scores, or refuse a table that has none."""
    named = [columns.image, columns.patient, columns.label]
    named += [columns.part] if columns.part else []
    _require([*named, *columns.classifiers], table)
    if table.empty:
        raise ValueError(
            f"The score table has no rows, only the columns "
            f"{', '.join(map(str, table.columns))}; add one row per radiograph."
        )
    known = {*named, *columns.subgroups}
    classifiers = columns.classifiers or [
        str(name) for name in table.select_dtypes("number").columns if name not in known
    ]
    if not classifiers:
        raise ValueError(
            f"The score table has no column of scores beside {', '.join(named)}; add "
            f"one column per classifier, or name them in comparison.classifiers."
        )
    taken = [name for name in classifiers if name in _FIXED]
    if taken:
        raise ValueError(
            f"A classifier cannot be called {', '.join(taken)}, which has a meaning "
            f"here; rename the column, or name the classifiers in "
            f"comparison.classifiers."
        )
    return classifiers


def _require(names: list[str], table: pd.DataFrame) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(
            f"The score table has no column {', '.join(missing)}; it has "
            f"{', '.join(map(str, table.columns))}. Rename its columns, or say which "
            f"is which: --params=comparison.label=…"
        )


def _as_labels(labels: pd.Series, name: str) -> pd.Series:
    text = labels.astype("str").str.strip().str.lower()
    wrong = labels[~text.isin(_POSITIVE | _NEGATIVE)]
    if len(wrong):
        raise ValueError(
            f"{len(wrong)} of {len(labels)} labels in the column {name} are neither "
            f"positive nor negative, such as {wrong.iloc[0]!r}; write 1 or 0, and "
            f"leave radiographs without a label out."
        )
    return text.isin(_POSITIVE)


def _refuse_rows(
    arranged: pd.DataFrame, table: pd.DataFrame, columns: ScoreColumns
) -> None:
    repeated = arranged.loc[arranged["image_id"].duplicated(), "image_id"]
    if len(repeated):
        raise ValueError(
            f"{len(repeated)} images are named twice in the column {columns.image}, "
            f"such as {repeated.iloc[0]!r}; keep one row per image."
        )
    nameless = table[columns.patient].isna() | table[columns.image].isna()
    if nameless.any():
        raise ValueError(
            f"{nameless.sum()} rows have no {columns.patient} or no {columns.image}; "
            f"give each image its patient, or a patient of its own where unknown."
        )
    other = arranged.loc[~arranged["part"].isin([TEST, VALIDATION]), "part"]
    if len(other) or TEST not in set(arranged["part"]):
        raise ValueError(
            f"The column {columns.part} must say {VALIDATION} or {TEST}, and {TEST} at "
            f"least once; got {', '.join(sorted(set(arranged['part'])))}. Leave "
            f"training rows out."
        )
    scores = arranged.drop(columns=list(_FIXED))
    missing = scores.isna().sum()
    if missing.any():
        found = ", ".join(f"{n} of {name}" for name, n in missing.items() if n)
        raise ValueError(
            f"Scores are missing: {found}. Score those images, or leave them out for "
            f"every classifier."
        )
    both = arranged.groupby("patient_id")["part"].nunique()
    if (both > 1).any():
        raise ValueError(
            f"{(both > 1).sum()} patients are in validation and in test, such as "
            f"{both.index[both > 1][0]!r}; thresholds would be chosen on the patients "
            f"they are judged by."
        )
