"""Which rows of a user's table of scores are cases, by the values of its labels."""

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.evaluation.score_columns import is_blank, plain
from covid_cxr.user_numbers import line_of

_POSITIVE = frozenset({"1", "true", "t", "yes", "y", "positive", "pos", "+"})
_NEGATIVE = frozenset({"0", "false", "f", "no", "n", "negative", "neg", "-"})
# Understood where the column has one of these and one of those, and no third value.
_CASE = re.compile(
    "cases?|(covid|sarscov|covid19|sarscov2)(positive|pos)?|abnormal|diseased?|"
    "malignant|detected|present|sick|affected"
)
_CONTROL = re.compile(
    "controls?|normal|healthy|(non|not|no)covid(19)?|covid(19)?(negative|neg)|benign|"
    "(not|un)detected|absent|unaffected|nofindings?"
)
# No value of a truth, whatever makes a case: to call them controls would be a guess.
_UNKNOWN = re.compile(
    "n[ad]|nan|none|null|unknown|uncertain|unclear|missing|pending|inconclusive|"
    "indeterminate|equivocal"
)
_MOST_VALUES = 30  # a column with more is a measurement, or a name
_SHOWN = 10


def read_labels(
    labels: pd.Series, *, positive: object | None, record: str = "comparison"
) -> tuple[NDArray[np.bool_], str]:
    """Return who is a case, and in words by which values.

    Args:
        labels: A column, of text or numbers.
        positive: The value that makes a case, every other one making a control; None
            where the values speak for themselves.
        record: Of the parameters that say what is what.

    Raises:
        ValueError: If a label is blank, or it cannot be told which values are cases.
    """
    _refuse_blank(labels)
    codes, found = pd.factorize(labels.astype("str").str.strip())
    values = [str(value) for value in found]
    _refuse_unknown(labels, codes, values)
    is_case = np.array(
        _as_named(values, labels, positive, record)
        if positive is not None
        else _as_understood(values, labels, record)
    )
    cases, controls = (
        ", ".join(sorted(np.asarray(values)[kind])) or "none"
        for kind in (is_case, ~is_case)
    )
    return is_case[codes], f"case: {cases}; control: {controls}"


def _refuse_blank(labels: pd.Series) -> None:
    blank = is_blank(labels)
    if blank.any():
        place = line_of(labels.to_frame(), int(blank.argmax()))
        raise ValueError(
            f"{blank.sum()} of {len(labels)} labels in the column {labels.name} are "
            f"empty, the first in {place}; leave "
            f"radiographs without a label out."
        )


def _refuse_unknown(
    labels: pd.Series, codes: NDArray[np.intp], values: list[str]
) -> None:
    is_sign = {"+", "-"} if "+" in values else set()
    unknown = [k for k, v in enumerate(values) if _is_unknown(v) and v not in is_sign]
    if unknown:
        is_unknown = np.isin(codes, unknown)
        place = line_of(labels.to_frame(), int(is_unknown.argmax()))
        raise ValueError(
            f"{is_unknown.sum()} of {len(labels)} labels in the column {labels.name} "
            f"are {values[unknown[0]]!r}, which is no label, the first in "
            f"{place}; leave radiographs without "
            f"a label out."
        )


def _as_named(
    values: list[str], labels: pd.Series, positive: object, record: str
) -> list[bool]:
    wanted = _level(str(positive))
    is_case = [_level(value) == wanted for value in values]
    if not any(is_case) or len(values) > _MOST_VALUES:
        raise ValueError(
            f"{record}.positive is {str(positive)!r}, but the column {labels.name} "
            f"says {_shown(values)}. Name one of its values there, or the column of "
            f"the truth in {record}.label; it may have {_MOST_VALUES} values."
        )
    return is_case


def _as_understood(values: list[str], labels: pd.Series, record: str) -> list[bool]:
    words = [plain(_level(value)) for value in values]
    if set(words) <= _POSITIVE | _NEGATIVE:
        return [word in _POSITIVE for word in words]
    is_case = [word in _POSITIVE or bool(_CASE.fullmatch(word)) for word in words]
    is_control = [word in _NEGATIVE or bool(_CONTROL.fullmatch(word)) for word in words]
    is_known = np.logical_or(is_case, is_control)
    kinds = {word for word, case in zip(words, is_case, strict=True) if case}
    if is_known.all() and len(kinds) == 1 and len(set(words)) == 2:
        return is_case
    wrong = values[int(np.argmin(is_known))]
    raise ValueError(
        f"The column {labels.name} says {_shown(values)}, and {wrong!r} does not say "
        f"whether it is a case. Say which value makes a case, and every other one a "
        f"control: --params={record}.positive=…; name the column of the truth in "
        f"{record}.label if it is another one; or write 1 and 0."
    )


def _level(value: str) -> str:
    """Return a value by which 1 and 1.0, COVID and covid are one."""
    text = value.strip().casefold()
    return re.sub(r"^([-+]?\d+)\.0*$", r"\1", text)


def _is_unknown(value: str) -> bool:
    return bool(_UNKNOWN.fullmatch(plain(value))) or not re.search(r"\w", value)


def _shown(values: list[str]) -> str:
    shown = ", ".join(map(repr, sorted(values)[:_SHOWN]))
    more = len(values) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
