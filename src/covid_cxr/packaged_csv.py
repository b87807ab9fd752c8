"""The tables that come with the package, for people to read and to correct."""

import csv
import io
from collections.abc import Sequence
from importlib.resources.abc import Traversable


def read_packaged_csv(
    table: Traversable, columns: Sequence[str]
) -> list[dict[str, str]]:
    """Return the rows of a table, its cells by column and without blanks around them.

    Args:
        table: The file; a spreadsheet may have saved it as UTF-8 with a mark.
        columns: Those it must have, in order.

    Raises:
        ValueError: If it has other columns, a row has more or fewer cells, or a
            quotation mark lacks its other.
    """
    text = io.StringIO(table.read_text("utf-8-sig"), newline="")
    try:
        header, *rows = [*csv.reader(text, strict=True)] or [[]]
    except csv.Error as error:  # a lone quotation mark would swallow rows
        raise ValueError(
            f"{table.name} is no CSV ({error}): look for a quotation mark without its "
            f"other, and write one within a cell twice."
        ) from error
    if tuple(header) != tuple(columns):
        raise ValueError(
            f"{table.name} must have the columns {', '.join(columns)}, separated by "
            f"commas; it begins with {header}. Save it as CSV (UTF-8)."
        )
    for row in filter(None, rows):
        if len(row) != len(columns):
            raise ValueError(
                f"{table.name} has a row of {len(row)} cells, expected {len(columns)}: "
                f"{row}. Put a cell that holds a comma in quotation marks."
            )
    return [dict(zip(columns, map(str.strip, row), strict=True)) for row in rows if row]
