"""A table that somebody else wrote, read as text."""

from pathlib import PurePosixPath
from typing import Any, ClassVar

import pandas as pd
from kedro_datasets.pandas import CSVDataset

from covid_cxr.user_csv import read_user_csv


class UserCsvDataset(CSVDataset):  # type: ignore[misc]  # has no types
    """`pandas.CSVDataset` that saves without an index, and loads with our own reader.

    It saves with tabs what is called `.tsv`, and packed what is called `.gz`.

    Every column comes as text, and only an empty cell is missing: `read_user_csv` tells
    code, separator and decimal sign by the file, which may be packed with gzip: where
    `table.csv` is absent, `table.csv.gz` is read, and the other way round.

    Example:
        ```yaml
        covid_manifest:
          type: covid_cxr.datasets.user_csv.UserCsvDataset
          filepath: data/01_raw/covid/manifest.csv
        ```
    """

    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {"index": False}

    def __init__(self, *, filepath: str, **options: Any) -> None:
        """Name the file.

        Args:
            filepath: Of a CSV file.
            options: As `pandas.CSVDataset` takes them, but `load_args`.

        Raises:
            ValueError: If `load_args` are given, which would have no effect.
        """
        if options.get("load_args"):
            raise ValueError(
                f"{filepath} has load_args, which its reader does not take: it tells "
                f"encoding, separator and decimal sign by the file. Remove them from "
                f"the catalog."
            )
        suffixes = PurePosixPath(filepath).suffixes
        form: dict[str, Any] = {"sep": "\t"} if ".tsv" in suffixes else {}
        if ".gz" in suffixes:
            form["compression"] = {"method": "gzip", "mtime": 0}
            options.setdefault("fs_args", {"open_args_save": {"mode": "wb"}})
        save_args = {**form, **(options.pop("save_args", None) or {})}
        super().__init__(filepath=filepath, save_args=save_args, **options)

    def load(self) -> pd.DataFrame:
        """Return the table, all text.

        Raises:
            ValueError: If the file is no table: names line and column.
        """
        path = self._get_load_path()
        with self._fs.open(str(path), mode="rb") as file:
            return read_user_csv(file.read(), name=path.name)

    def _get_load_path(self) -> PurePosixPath:
        path: PurePosixPath = super()._get_load_path()
        if self._fs.exists(str(path)):
            return path
        is_packed = path.suffix == ".gz"
        other = path.with_suffix("") if is_packed else path.with_name(f"{path.name}.gz")
        return other if self._fs.exists(str(other)) else path
