"""The tables that come with the package, for people to read and to correct."""

import csv
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
        ValueError: If it has other columns, or a row has more or fewer cells.
    """
    lines = table.read_text("utf-8-sig").splitlines()
    header, *rows = [*csv.reader(lines)] or [[]]
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
