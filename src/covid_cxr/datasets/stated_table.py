"""A user's table of scores, or none where "none" is named."""

from pathlib import PurePath
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from covid_cxr.datasets.score_table import ScoreTableDataset

_NONE = "none"


class StatedTableDataset(AbstractDataset[None, pd.DataFrame | None]):
    """A user's table of scores that need not be there, unless one is named.

    Example:
        ```yaml
        pilot_table:
          type: covid_cxr.datasets.stated_table.StatedTableDataset
          filepath: none
        ```
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the file.

        Args:
            filepath: As for `ScoreTableDataset`; "none" says that there is none.
            metadata: For kedro-viz.

        Raises:
            ValueError: If the file is of another kind.
        """
        # Kedro has made it a path in the project.
        is_none = PurePath(filepath).name == _NONE
        self._table = None if is_none else ScoreTableDataset(filepath=filepath)
        self._filepath = None if self._table is None else self._table._filepath
        self.metadata = metadata

    def load(self) -> pd.DataFrame | None:
        """Return the table, or None for none.

        Raises:
            FileNotFoundError: If a file is named that is not there.
        """
        return None if self._table is None else self._table.load()

    def save(self, data: None) -> None:
        """Refuse: the table is its owner's.

        Raises:
            PermissionError: Always.
        """
        raise PermissionError("A user's table of scores is never written.")

    def _exists(self) -> bool:
        return self._table is None or self._table.exists()

    def _describe(self) -> dict[str, Any]:
        return {"table": _NONE if self._table is None else self._table._describe()}
