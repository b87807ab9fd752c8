"""Statistical disclosure control: what leaves a site tells no small count.

Counts are rounded to the nearest multiple of `least`, as statistical offices do (HESA
rounds to 5), and one that would be `least` or less is withheld, 0 among them. So a
count that is withheld may be anything from 0 to 1.5 times `least`, whatever is
subtracted from what. Shares are made again of what is shown. What exact counts could
be solved from is left out: observed shares, degrees of freedom, bounds of shares, the
AUROC with refusals wrong; and any whole number that is not known to be a count. Other
numbers are given to three digits, and not at all of a class that is withheld.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

Row = dict[str, Any]

_SIZES = (
    *("images", "patients", "cases", "controls"),
    *("n_patients", "n_cases", "n_controls"),
)
_OTHER_COUNTS = ("refused", "n_certain", "fitted_patients", "tested_patients")
_COUNTS = re.compile(
    rf"{'|'.join((*_SIZES, *_OTHER_COUNTS))}"
    r"|(cases|controls)_(positive|negative|refused)"
)
_SHARES = {  # of an operating point: who is called right, of whom
    "sensitivity": ("cases_positive", "cases"),
    "specificity": ("controls_negative", "controls"),
}
_SOLVED_FROM = re.compile(
    r"observed.*|degrees_of_freedom|auroc_refusals_wrong|effective_images"
    r"|uncovered_.*|(ppv|npv|sensitivity|specificity)(_.*)?"
)
_STATED = ("threshold", "above", "max_false_positive_rate", "bootstrap_replicates")
_SPOKEN = ("caution", "reason", "no_difference")
# AUROCs of a few values, as of sex: with its bounds one tells a table of four counts.
_COARSE = ("shortcuts", "membership")


def control_disclosure(
    tables: Mapping[str, Sequence[Row]], least: int
) -> dict[str, list[Row]]:
    """Return tables of an external validation that tell no small count.

    Args:
        tables: Rows by the name of the table; `discrimination` says how many cases
            and controls each classifier predicted.
        least: What counts are rounded to, at least 1, which changes none.
    """
    whole = {
        row.get("classifier"): _controlled(row, least)
        for row in tables["discrimination"]
    }
    return {
        name: [_row(name, row, whole, least) for row in rows]
        for name, rows in tables.items()
    }


def withheld_below(least: int) -> int:
    """Return the smallest count that is shown."""
    return least + (least + 1) // 2 if least > 1 else 0


def _row(name: str, row: Row, whole: Mapping[Any, Row], least: int) -> Row:
    """Return a row as it leaves; of a whole classifier it is as large as that is."""
    own = whole.get(row.get("classifier"), {})
    controlled = _controlled({**_sizes(own, row), **row}, least)
    if "sensitivity" in row:
        controlled |= {
            share: _ratio(controlled[hits], own.get(of))
            for share, (hits, of) in _SHARES.items()
        }
    if "prevalence" in row:
        controlled["prevalence"] = _ratio(controlled["cases"], controlled["images"])
    if name in _COARSE and controlled.get("auroc") is not None:
        controlled |= {"auroc": round(row["auroc"], 2), "lower": None, "upper": None}
    if row.get("measure", "auroc") != "auroc":
        controlled |= {"estimate": None, "lower": None}
    return {column: controlled[column] for column in row}


def _sizes(own: Row, row: Row) -> Row:
    """Return how many there are behind a row that does not say so itself."""
    if "images" in row or not own:
        return {}
    return {column: own.get(column) for column in ("cases", "controls", "patients")}


def _controlled(row: Row, least: int) -> Row:
    counts = dict(_counts(row))
    shown = {column: _rounded(value, least) for column, value in counts.items()}
    sizes = [_rounded(value, least) for value in _sizes_of(row)]
    is_told = None not in sizes
    return {
        column: shown[column]
        if column in shown
        else _told(column, value, is_told=is_told)
        for column, value in row.items()
    }


def _counts(row: Row) -> Iterator[tuple[str, Any]]:
    for column, value in row.items():
        if _COUNTS.fullmatch(column):
            yield column, value


def _sizes_of(row: Row) -> Iterator[Any]:
    """Yield the counts that a row's other numbers are made of, controls among them."""
    for column in (*_SIZES, "tested_patients"):
        if column in row:
            yield row[column]
    if (
        row.get("images") is not None
        and row.get("cases") is not None
        and "auroc" in row
    ):
        yield row["images"] - row["cases"]


def _rounded(value: float | None, least: int) -> int | None:
    """Return a count as it is shown; None for one that is withheld, or not known."""
    if value is None or value < withheld_below(least):
        return None
    return int((value + least / 2) // least) * least


def _told(column: str, value: Any, *, is_told: bool) -> Any:
    if isinstance(value, str):
        # Sentences say how many there are.
        return re.sub(r"\d[\d,.]*", "…", value) if column in _SPOKEN else value
    if value is None or isinstance(value, bool) or column in _STATED:
        return value
    # 0.0 and 1.0 may be shares; of type int they are none.
    is_unknown_count = isinstance(value, Integral) or (
        abs(value) >= 2 and float(value).is_integer()
    )
    if not is_told or is_unknown_count or _SOLVED_FROM.fullmatch(column):
        return None
    return float(f"{value:.3g}")


def _ratio(part: int | None, whole: int | None) -> float | None:
    if part is None or not whole:
        return None
    return round(min(part / whole, 1.0), 3)
