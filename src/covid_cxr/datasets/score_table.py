"""A user's table of scores: CSV or parquet, read only."""

from pathlib import Path
from typing import Any

import pandas as pd

from covid_cxr.datasets.local import LocalDataset
from covid_cxr.user_csv import read_user_csv

_PARQUET = ".parquet"
_TEXTS = (".csv", ".tsv", ".txt", ".gz")  # the separator is told by the content


class ScoreTableDataset(LocalDataset[pd.DataFrame, pd.DataFrame]):
    """A CSV or parquet file that stays as its owner made it.

    Example:
        ```yaml
        score_table:
          type: covid_cxr.datasets.score_table.ScoreTableDataset
          filepath: scores.csv
        ```
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the file.

        Args:
            filepath: Ends in `.csv`, `.tsv`, `.txt`, `.csv.gz` or `.parquet`.
            metadata: For kedro-viz.

        Raises:
            ValueError: If the file is of another kind.
        """
        super().__init__(filepath=filepath, metadata=metadata)
        self._filepath = self._filepath.expanduser()
        if self._filepath.suffix.lower() not in (*_TEXTS, _PARQUET):
            raise ValueError(
                f"A table of scores is a .csv, .tsv or .parquet file, got "
                f"{filepath!r}; save it as one of these."
            )

    def load(self) -> pd.DataFrame:
        """Return the table.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it cannot be read.
        """
        if not self._exists():
            raise FileNotFoundError(
                f"There is no table of scores at {self._filepath}; name yours with "
                f"--params=scores=/your/table.csv"
            )
        if self._filepath.suffix.lower() == _PARQUET:
            return _read_parquet(self._filepath)
        return read_user_csv(self._filepath)

    def save(self, data: pd.DataFrame) -> None:
        """Refuse: the table is its owner's.

        Raises:
            PermissionError: Always.
        """
        raise PermissionError(
            f"{self._filepath} is the user's own table and is never written."
        )


def _read_parquet(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except Exception as error:  # whatever pyarrow raises on what is none
        raise ValueError(
            f"{file} cannot be read as parquet ({error}); save it again, or as .csv."
        ) from error
