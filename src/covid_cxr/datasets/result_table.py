"""A table of results as files: CSV for programs, LaTeX for a paper."""

from typing import Any, ClassVar

import pandas as pd
from kedro_datasets.pandas import CSVDataset


class ResultTableDataset(CSVDataset):  # type: ignore[misc]  # has no types
    """`pandas.CSVDataset` without an index that saves a LaTeX table beside the CSV.

    The CSV has every digit; the LaTeX table has three, and a dash where a value is not
    known. It needs the package booktabs.

    Example:
        ```yaml
        table3:
          type: covid_cxr.datasets.result_table.ResultTableDataset
          filepath: data/08_reporting/table3.csv
        ```
    """

    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {"index": False}
    # A level of a subgroup may be called NA: only what is empty is missing.
    DEFAULT_LOAD_ARGS: ClassVar[dict[str, Any]] = {
        "keep_default_na": False,
        "na_values": [""],
    }

    def save(self, data: pd.DataFrame) -> None:
        """Save the table `data` as CSV and LaTeX of one name."""
        super().save(data)
        path = str(self._get_save_path().with_suffix(".tex"))
        with self._fs.open(path, mode="w", encoding="utf-8") as file:
            file.write(as_latex(data))


def as_latex(table: pd.DataFrame) -> str:
    """Return a LaTeX `tabular` with the table's rows, three decimals and dashes."""
    shown = table.style.hide(axis="index").format(
        precision=3, na_rep="--", escape="latex"
    )
    shown = shown.format_index(escape="latex", axis="columns")
    return str(shown.to_latex(hrules=True))
