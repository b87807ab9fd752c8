"""Numbers as people write them in tables: with a point, or with a decimal comma."""

from bisect import bisect_right
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import is_numeric_dtype

# Powers of ten are no pixels: "1e3" is a spreadsheet's rounding of something.
PIXELS = r"[+-]?[0-9]+(?:\.[0-9]+)?"
ANY_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_WITH_COMMA = r"\s*[+-]?(?:[0-9]+|[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?)\s*"
_LIKE_THOUSANDS = r"\s*[+-]?(?:[0-9]+|[1-9][0-9]{0,2},[0-9]{3})\s*"


def numbers(
    table: pd.DataFrame, columns: Sequence[str], *, form: str = ANY_NUMBER
) -> pd.DataFrame:
    """Return columns as float64; missing cells stay missing.

    Args:
        table: As read by `read_user_csv`, or with the same index.
        columns: Their names.
        form: What a number looks like, but for blanks around it.

    Raises:
        ValueError: If a cell is no such number: names file, line, column and cell.
    """
    return pd.DataFrame(
        {name: _numbers(table, name, form) for name in columns}, index=table.index
    )


def with_decimal_points(
    table: pd.DataFrame, separator: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return a table with points for decimal commas, and the columns that had them.

    A column has decimal commas if each of its cells is a whole number or one with a
    comma. Where all of those look like thousands ("1,234"), or one has a point, too
    ("1.234,5"), nobody can tell: the column stays, and is no number to any reader.

    Args:
        table: Text.
        separator: Between the table's cells; if it is a comma, decimals have points.
    """
    if separator == ",":
        return table, []
    decimal = [str(name) for name in table if _has_decimal_commas(table[name].dropna())]
    points = {name: table[name].str.replace(",", ".", regex=False) for name in decimal}
    return table.assign(**points), decimal


def line_of(table: pd.DataFrame, row: int) -> str:
    """Return where a row stands, as in "line 3 of crops.csv".

    Args:
        table: From `read_user_csv`; of others, the row's number among the rows is said.
        row: Its place in the table as read, from 0.
    """
    lines = table.attrs.get("lines")
    if not lines:
        return f"row {row + 1} of the table"
    start, line = lines[bisect_right(lines, row, key=lambda pair: pair[0]) - 1]
    return f"line {line + row - start} of {table.attrs['file']}"


def _numbers(table: pd.DataFrame, name: str, form: str) -> pd.Series:
    if is_numeric_dtype(table[name]):
        return table[name].astype("float64")
    text = table[name].astype("str").str.strip()
    text = text.mask(text == "")
    is_other = (text.notna() & ~text.str.fullmatch(form)).to_numpy(bool)
    if is_other.any():
        place = int(is_other.argmax())
        raise ValueError(
            f"{line_of(table, place)}: {name} is {text.iloc[place]!r}, which is no "
            f"number such as {'12' if form == PIXELS else '0.5'}; correct it"
            f"{_hint(text.iloc[place])}."
        )
    return pd.to_numeric(text).astype("float64")


def _hint(text: str) -> str:
    return ", with a decimal point and nothing between thousands" if "," in text else ""


def _has_decimal_commas(cells: pd.Series) -> bool:
    return bool(
        cells.str.contains(",", regex=False).any()
        and cells.str.fullmatch(_WITH_COMMA).all()
        and not cells.str.fullmatch(_LIKE_THOUSANDS).all()
    )
