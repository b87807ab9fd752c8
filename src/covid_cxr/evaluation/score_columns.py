"""Which column of a user's table of scores is what, and why.

What the parameters do not say is recognised by name; what cannot be told is refused
with the parameter that tells it. No column is passed over without its reason.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.user_numbers import line_of

MOST_LEVELS = 30  # of a subgroup: a column with more is a measurement
NO_COLUMN = "none"  # said by the user: there is no such column
IMAGE, PATIENT, LABEL, PART = "image", "patient", "label", "part"
SITE = "site"
ROLES = (IMAGE, PATIENT, LABEL, PART, SITE)
_MAY_LACK = (PART, SITE)  # without saying so
SUBGROUP, CLASSIFIER, LEFT_OUT = "subgroup", "classifier", "left out"

# By letters and digits alone, in lower case: "Patient ID" and "patient_id" are one.
# The first name of a role is taken where several columns have one of its names.
SYNONYMS: Mapping[str, Sequence[str]] = {
    IMAGE: (
        *("image", "imageid", "imagename", "imagefile", "imagepath", "imageindex"),
        *("img", "imgid", "file", "filename", "filepath", "radiograph"),
        *("radiographid", "sopinstanceuid", "path", "id"),
    ),
    PATIENT: (
        *("patient", "patientid", "patientnumber", "patientno", "subject"),
        *("subjectid", "participant", "participantid", "person", "personid"),
        *("pid", "mrn"),
    ),
    LABEL: (
        *("label", "labels", "target", "targets", "truth", "groundtruth", "gt"),
        *("y", "ytrue", "trueclass", "truelabel", "class", "iscase", "outcome"),
        *("diagnosis", "reference", "referencestandard", "groundtruthlabel"),
    ),
    PART: ("part", "split", "set", "fold", "subset", "partition", "datasplit"),
    SITE: (
        *("site", "siteid", "sitename", "centre", "center", "centreid", "centerid"),
        *("hospital", "hospitalid", "institution", "institutionid"),
    ),
}
# A column whose name has words of one of these only, and words beside them, is none of
# scores.
_COVARIATE = re.compile(
    "age|sex|gender|male|female|weight|height|bmi|year|month|day|date|time|width|rows|"
    "columns|site|centre|center|hospital|ward|scanner|view|projection|race|ethnicity|"
    "kvp|mas|exposure|smoker|smoking|dob|los|icu|spo|crp|temperature|offset|death|"
    "died|survival"
)
_NUMBERING = re.compile("index|idx|id|uid|row|nr|no|number|accession")
_BESIDE = re.compile(
    "patient|image|study|exam|series|case|at|in|of|is|on|the|years|yrs|days|months|kg|"
    "cm|mm|band|group|code|admission"
)
_BOOLEANS = frozenset({"true", "false"})
_NUMBER_AS_TEXT = re.compile(r"[+-]?\d*[.,]?\d+(e[+-]?\d+)?\s*%?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ScoreColumns:
    """Which column is what, as read from parameters_comparison.yml.

    For the first five, None recognises the column by its name, and "none" says that
    there is none: rows are named by their number, each is of its own patient, every
    one is of the test part, and no sites are pooled.

    Attributes:
        image: Name of each radiograph, unique.
        patient: Whose it is.
        label: The truth, in two or more values.
        part: Validation or test.
        site: Where it was taken: a subgroup that nobody needs to ask for.
        positive: The value of the label that makes a case, every other one makes a
            control; None where the values speak for themselves, as 1 and 0 do.
        classifiers: Columns of scores, higher for a likelier case; none given takes
            every other numeric column.
        subgroups: Columns such as the sex, in whose levels the AUROC is asked for.
    """

    image: str | None
    patient: str | None
    label: str | None
    part: str | None
    site: str | None
    positive: str | int | float | bool | None
    classifiers: list[str]
    subgroups: list[str]

    def __post_init__(self) -> None:
        """Take names as text, and refuse a table without its truth."""
        for role in ROLES:
            if (name := getattr(self, role)) is not None:
                object.__setattr__(self, role, str(name))
        for names in ("classifiers", "subgroups"):
            said = getattr(self, names)
            listed = [said] if isinstance(said, str) else said  # one, on a command line
            object.__setattr__(self, names, [str(n) for n in listed])
            refuse_doubled(getattr(self, names), f"comparison.{names}")
        if self.label == NO_COLUMN:
            raise ValueError(
                "comparison.label is none, and without the truth nothing can be "
                "compared; name the column that says who is a case."
            )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What one column was taken as.

    Attributes:
        column: Its name in the user's table.
        role: One of the constants of this module.
        reason: Why, for a reader.
    """

    column: str
    role: str
    reason: str


def find_roles(table: pd.DataFrame, columns: ScoreColumns) -> dict[str, Choice]:
    """Return the columns of images, patients, labels, parts and sites, by role.

    A role that the user says no column has is not in the answer.

    Args:
        table: As the user has it, its columns named by text.
        columns: What the user says.

    Raises:
        ValueError: If a column that is named is missing or named twice, or if one
            that is needed cannot be told by name.
    """
    _refuse_repeated_names(table)
    roles: dict[str, Choice] = {}
    for role in ROLES:
        choice = _find_role(role, table, columns)
        if choice is None or (role == SITE and _why_no_site(choice, table)):
            continue
        roles[role] = choice
    taken = [choice.column for choice in roles.values()]
    twice = sorted({name for name in taken if taken.count(name) > 1})
    if twice:
        raise ValueError(
            f"The column {', '.join(twice)} is taken for two things at once: "
            f"{', '.join(f'{k} {c.column}' for k, c in roles.items())}. Say which "
            f"column is which: --params=comparison.{IMAGE}=…"
        )
    return roles


def find_classifiers(
    table: pd.DataFrame, columns: ScoreColumns, roles: Mapping[str, Choice]
) -> tuple[dict[str, NDArray[np.float64]], list[Choice]]:
    """Return the scores of each classifier, and a choice for every other column.

    Args:
        table: As the user has it, its columns named by text.
        columns: What the user says.
        roles: From `find_roles`.

    Raises:
        ValueError: If a column of scores has a cell that is no finite number, or there
            is no such column.
    """
    known = {*(choice.column for choice in roles.values()), *columns.subgroups}
    if columns.classifiers:
        require_columns(columns.classifiers, table)
        return _named_classifiers(table, columns.classifiers, known)
    scores: dict[str, NDArray[np.float64]] = {}
    choices = []
    for name in table.columns:
        if name in known:
            continue
        numbers = _as_numbers(table[name])
        reason = _why_no_classifier(name, table[name], numbers)
        if reason is None:
            _refuse_cells(name, table[name], numbers)
            scores[name] = numbers
            reason = "a column of numbers with no other meaning"
            choices.append(Choice(column=name, role=CLASSIFIER, reason=reason))
        else:
            choices.append(Choice(column=name, role=LEFT_OUT, reason=reason))
    if not scores:
        raise ValueError(_no_scores(choices, known))
    refuse_doubled(scores, "the columns of scores")
    return scores, choices


def cautions_of(
    scores: NDArray[np.float64], is_case: NDArray[np.bool_]
) -> Iterator[str]:
    """Yield what a reader should know of the scores of the test part.

    Args:
        scores: Shape (n,).
        is_case: Shape (n,), with both values.
    """
    cases, controls = scores[is_case], scores[~is_case]
    if (scores == scores[0]).all():
        yield "every radiograph has the same score, so that its AUROC says nothing"
        return
    if cases.min() > controls.max():
        yield "every case is above every control: perfect, or the truth leaked into it"
    if cases.max() < controls.min():
        yield "every case is below every control: higher scores must mean a case"
    if _are_whole(scores):
        n_values = len(np.unique(scores))
        yield (
            f"whole numbers only ({n_values} values): a rating or a hard output, or no "
            f"classifier at all; then name the others in comparison.classifiers"
        )


def refuse_doubled(names: Iterable[str], what: str) -> None:
    """Refuse names that a reader would take for one.

    Args:
        names: Of classifiers, readers or modalities.
        what: Where they stand, for the message.

    Raises:
        ValueError: If two are the same but for blanks.
    """
    seen: dict[str, str] = {}
    for name in names:
        alike = re.sub(r"\s+", "", name)
        if alike in seen:
            raise ValueError(
                f"{name!r} and {seen[alike]!r} in {what} are one name, but for blanks: "
                f"nobody could tell them apart. Rename one, or write both alike where "
                f"they are one."
            )
        seen[alike] = name


def require_columns(names: Sequence[str], table: pd.DataFrame) -> None:
    """Refuse a table in which a named column is not.

    Args:
        names: Of columns.
        table: As the user has it, its columns named by text.

    Raises:
        ValueError: If one is missing.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(
            f"The score table has no column {', '.join(map(str, missing))}; it has "
            f"{_listed(table)}. Rename its columns, or say which is which: "
            f"--params=comparison.label=…"
        )


def read_names(cells: pd.Series) -> pd.Series:
    """Return names or numbers of images, patients or parts as text: 4, never 4.0.

    Args:
        cells: Of one column, none of them blank.

    Raises:
        ValueError: If one is blank.
    """
    blank = is_blank(cells)
    if blank.any():
        raise ValueError(
            f"{blank.sum()} rows have no {cells.name}, the first in "
            f"{line_of(cells.to_frame(), int(blank.argmax()))}; give each radiograph "
            f"its name and its patient, or a patient of its own where unknown."
        )
    if pd.api.types.is_float_dtype(cells.dtype) or cells.dtype == object:
        cells = cells.astype("object").map(_without_decimals)
    return cells.astype("str").str.strip()


def _without_decimals(value: object) -> object:
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return int(value) if is_whole else value  # type: ignore[call-overload]


def is_blank(cells: pd.Series) -> NDArray[np.bool_]:
    """Return which cells are empty or hold white space only.

    Args:
        cells: Of one column.
    """
    blank = cells.isna().to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return blank
    text = cells.astype("str").str.strip()
    return blank | (text == "").to_numpy(dtype=bool)


def _find_role(role: str, table: pd.DataFrame, columns: ScoreColumns) -> Choice | None:
    said = getattr(columns, role)
    if said is not None and said in table.columns:
        return Choice(column=said, role=role, reason=f"by comparison.{role}")
    if said == NO_COLUMN:
        return None
    if said is not None:
        require_columns([said], table)
    found = _named_like(role, table, columns)
    first = [name for name in found if plain(name) == SYNONYMS[role][0]]
    chosen = first if len(first) == 1 else found
    if len(chosen) > 1:
        raise ValueError(
            f"Several columns may be the {role}: {', '.join(chosen)}. Say which it "
            f"is: --params=comparison.{role}={chosen[0]}"
        )
    if not chosen:
        if role in _MAY_LACK:
            return None
        raise ValueError(_missing_role(role, table))
    return Choice(column=chosen[0], role=role, reason="by its name")


def _why_no_site(choice: Choice, table: pd.DataFrame) -> str | None:
    """Return why sites that nobody named are not pooled, or None."""
    cells = table[choice.column]
    n_sites = cells[~is_blank(cells)].nunique()
    if choice.reason.startswith("by comparison") or 1 < n_sites <= MOST_LEVELS:
        return None
    few = "one site only" if n_sites else "every cell is empty"
    many = f"{n_sites} sites, and a subgroup has at most {MOST_LEVELS} levels"
    return many if n_sites > 1 else few


def _named_like(role: str, table: pd.DataFrame, columns: ScoreColumns) -> list[str]:
    """Return the columns with a name of this role that the user gave no other one."""
    said = {getattr(columns, other) for other in ROLES if other != role}
    said |= {*columns.classifiers, *columns.subgroups}
    return [
        name
        for name in table.columns
        if name not in said and plain(name) in SYNONYMS[role]
    ]


def _missing_role(role: str, table: pd.DataFrame) -> str:
    message = (
        f"The score table has no column that is called {role} or alike "
        f"({', '.join(SYNONYMS[role][1:5])}, …); it has {_listed(table)}. Say which "
        f"one it is: --params=comparison.{role}=…"
    )
    if role == PATIENT:
        return (
            f"{message} If patients are not known, --params=comparison.patient=none "
            f"takes each radiograph as a patient of its own: where a patient has "
            f"several, intervals then come out too narrow and p values too small."
        )
    if role == IMAGE:
        return (
            f"{message} If radiographs have no name, --params=comparison.image=none "
            f"names them by the number of their row."
        )
    return message


def _named_classifiers(
    table: pd.DataFrame, names: Sequence[str], known: set[str]
) -> tuple[dict[str, NDArray[np.float64]], list[Choice]]:
    scores = {}
    for name in names:
        if name in known:
            raise ValueError(
                f"The column {name} cannot be a classifier and something else at "
                f"once; take it out of comparison.classifiers, or say what else the "
                f"other column is."
            )
        scores[name] = _as_numbers(table[name])
        _refuse_cells(name, table[name], scores[name])
    reason = "not among comparison.classifiers"
    return scores, [
        Choice(column=name, role=CLASSIFIER, reason="by comparison.classifiers")
        if name in scores
        else Choice(column=name, role=LEFT_OUT, reason=reason)
        for name in table.columns
        if name not in known
    ]


def _why_no_classifier(
    name: str, cells: pd.Series, numbers: NDArray[np.float64]
) -> str | None:
    """Return why a column that nobody named is no classifier, or None."""
    site = Choice(column=name, role=SITE, reason="")
    if plain(name) in SYNONYMS[SITE] and (few := _why_no_site(site, cells.to_frame())):
        return few
    reason = _why_no_numbers(cells, numbers)
    if reason is not None:
        return reason
    role = next((role for role, like in SYNONYMS.items() if plain(name) in like), None)
    if role is not None:
        return f"its name is like that of the {role}, which is another column"
    if _is_index(numbers):
        return "an index: it counts the rows"
    if not name.strip() or re.fullmatch(r"Unnamed: [\d.]+", name):
        return "an index, or something else without a name"
    return _why_no_score_by_name(name, numbers)


def _why_no_score_by_name(name: str, numbers: NDArray[np.float64]) -> str | None:
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]
    words = [word for word in words if not _BESIDE.fullmatch(word)]
    if not words:
        return None
    if all(map(_COVARIATE.fullmatch, words)) and not _are_fractions(numbers):
        return "its name is that of a covariate"
    if all(map(_NUMBERING.fullmatch, words)) and _are_whole(numbers):
        return "an index: its name is that of a numbering"
    return None


def _why_no_numbers(cells: pd.Series, numbers: NDArray[np.float64]) -> str | None:
    """Return why these are no numbers, or None for numbers, with faults or without."""
    wrong = np.isnan(numbers)
    if not wrong.any():
        return None
    blank = is_blank(cells)
    if blank.all():
        return "every cell is empty"
    text = cells[wrong & ~blank].astype("str").str.strip()
    levels = text.unique()
    if wrong.all() and {level.lower() for level in levels} <= _BOOLEANS:
        return "true or false is no score; write 1 and 0 to have it compared"
    alike = [level for level in levels if _NUMBER_AS_TEXT.fullmatch(level)]
    n_alike = int((~wrong).sum()) + int(text.isin(alike).sum())
    if n_alike * 2 >= len(cells):
        return None
    return "text" if n_alike == 0 else "mostly empty or text"


def _refuse_cells(name: str, cells: pd.Series, numbers: NDArray[np.float64]) -> None:
    wrong = ~np.isfinite(numbers)
    if not wrong.any():
        return
    row = int(wrong.argmax())
    raise ValueError(
        f"The column {name} has {wrong.sum()} cells that are no score, the first in "
        f"{line_of(cells.to_frame(), row)}: {_what_is_wrong(cells.iloc[row])}. Correct "
        f"them, leave those radiographs out for every classifier, or name the columns "
        f"of scores without it in comparison.classifiers."
    )


def _what_is_wrong(cell: object) -> str:
    text = "" if pd.isna(cell) else str(cell).strip()  # type: ignore[call-overload]
    if not text:
        return "it is empty, scores are missing"
    if text.endswith("%"):
        return f"{text!r} is per cent; write a share such as 0.318"
    if "," in text:
        return (
            f"{text!r} has a comma; write a decimal point, or separate the columns "
            f"by semicolons"
        )
    if text.lower() in _BOOLEANS:
        return f"{text!r} is true or false; write 1 and 0"
    return f"{text!r} is no finite number"


def _as_numbers(cells: pd.Series) -> NDArray[np.float64]:
    """Return the cells as numbers, NaN for every other one."""
    if pd.api.types.is_bool_dtype(cells.dtype):
        return np.full(len(cells), np.nan)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    text = cells.astype("str").str.strip()
    return pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _is_index(numbers: NDArray[np.float64]) -> bool:
    """Whether these count the rows: from any whole number upwards, one by one."""
    rises = len(numbers) > 1 and bool((np.diff(numbers) == 1).all())
    return rises and float(numbers[0]).is_integer()


def _are_whole(numbers: NDArray[np.float64]) -> bool:
    return bool((numbers == np.round(numbers)).all())


def _are_fractions(numbers: NDArray[np.float64]) -> bool:
    """Whether these look like probabilities: on [0, 1], and not 0 and 1 alone."""
    inside = bool(((numbers >= 0) & (numbers <= 1)).all())
    return inside and not _are_whole(numbers)


def _no_scores(choices: Sequence[Choice], known: set[str]) -> str:
    left_out = "; ".join(f"{choice.column}: {choice.reason}" for choice in choices)
    return (
        f"The score table has no column of scores beside {', '.join(sorted(known))}"
        f"{f' (left out: {left_out})' if left_out else ''}; add one column per "
        f"classifier, or name them in comparison.classifiers."
    )


def _refuse_repeated_names(table: pd.DataFrame) -> None:
    repeated = table.columns[table.columns.duplicated()].unique()
    if len(repeated):
        raise ValueError(
            f"The score table has two columns that are called "
            f"{', '.join(map(repr, repeated))}; give each column a name of its own."
        )


def _listed(table: pd.DataFrame) -> str:
    return ", ".join(map(str, table.columns))


def plain(text: str) -> str:
    """Return letters and digits alone, in lower case; all of what begins with a sign.

    Args:
        text: A column's name, or a value such as "Non-COVID" or "-1".
    """
    if re.match(r"\s*[-+]", text):
        return text.strip()
    return re.sub(r"[^a-z0-9]", "", text.lower())
