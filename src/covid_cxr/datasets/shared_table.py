"""A table that many nodes read, from its file once."""

from typing import Any

import pandas as pd

from covid_cxr.datasets.parquet_table import ParquetTableDataset


class SharedTableDataset(ParquetTableDataset):
    """`ParquetTableDataset` that reads its file again only where that has changed.

    Every node gets a copy on write: what one does to it no other one sees. Kedro
    releases the table after the last node that asks for it.
    """

    def __init__(self, **settings: Any) -> None:
        """Take the settings of `pandas.ParquetDataset`."""
        super().__init__(**settings)
        self._known: tuple[object, pd.DataFrame] | None = None

    def load(self) -> pd.DataFrame:
        """Return the table, as `ParquetTableDataset` does."""
        path = self._get_load_path()
        file = self._fs.info(str(path)) if self._fs.exists(str(path)) else {}
        stamp = (str(path), file.get("mtime"), file.get("size"), file.get("ino"))
        if self._known is None or self._known[0] != stamp:
            self._known = (stamp, super().load())
        return self._known[1].copy(deep=False)

    def _release(self) -> None:
        self._known = None
        super()._release()
