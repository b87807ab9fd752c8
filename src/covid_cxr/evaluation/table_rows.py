"""The rows of a table as records, as templates and tables of tables take them."""

from typing import Any

import pandas as pd


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each row by the names of its columns."""
    return [
        {str(name): value for name, value in row.items()}
        for row in table.to_dict(orient="records")
    ]
