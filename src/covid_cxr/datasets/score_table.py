"""A user's table of scores: CSV or parquet, read only."""

from typing import Any

import pandas as pd

from covid_cxr.datasets.local import LocalDataset
from covid_cxr.user_csv import read_user_table, refuse_other_kinds


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
        refuse_other_kinds(self._filepath)

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
        return read_user_table(self._filepath)

    def save(self, data: pd.DataFrame) -> None:
        """Refuse: the table is its owner's.

        Raises:
            PermissionError: Always.
        """
        raise PermissionError(
            f"{self._filepath} is the user's own table and is never written."
        )
