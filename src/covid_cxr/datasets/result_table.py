"""A table of results as files: CSV for programs, LaTeX for a paper."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

import pandas as pd
from kedro_datasets.pandas import CSVDataset

# What OWASP lists as the first character of a formula; with apostrophes before it, so
# that text which begins with one comes back as it was.
_COMPUTED = re.compile(r"^(?='*[=+\-@\t])")
_GUARDED = re.compile(r"^'(?='*[=+\-@\t])")
# Columns of names: a classifier, a cohort or a site may be called 007.
_NAMES = (
    *("classifier", "first", "second", "ensemble", "member", "column"),
    *("variable", "level", "site", "path", "cohort"),
)


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
        "dtype": dict.fromkeys(_NAMES, "str"),
    }

    def load(self) -> pd.DataFrame:
        """Return the table, with its text as it was given to `save`."""
        return _map_text(super().load(), lambda text: _GUARDED.sub("", text))

    def save(self, data: pd.DataFrame) -> None:
        """Save the table `data` as CSV and LaTeX of one name.

        In the CSV an apostrophe stands before text that a spreadsheet would compute:
        a site or classifier may be called `=cmd()`.
        """
        super().save(_map_text(data, lambda text: _COMPUTED.sub("'", text)))
        path = str(self._get_save_path().with_suffix(".tex"))
        with self._fs.open(path, mode="w", encoding="utf-8") as file:
            file.write(as_latex(data))


def _map_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return the table with its text changed, in cells as in the names of columns."""

    def of(value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    texts = table.select_dtypes(["object", "str", "category"]).columns
    changed = {name: table[name].astype("object").map(of) for name in texts}
    restored = {
        name: column.astype(table[name].dtype) for name, column in changed.items()
    }
    return table.assign(**restored).rename(columns=of)


def as_latex(table: pd.DataFrame) -> str:
    """Return a LaTeX `tabular` with the table's rows, three decimals and dashes."""
    shown = table.style.hide(axis="index").format(
        precision=3, na_rep="--", escape="latex"
    )
    shown = shown.format_index(escape="latex", axis="columns")
    return str(shown.to_latex(hrules=True))
