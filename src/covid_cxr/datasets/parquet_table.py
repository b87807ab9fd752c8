"""A table that a run keeps as parquet, and what is said where its file is damaged."""

from typing import Any

from kedro.io import DatasetError
from kedro_datasets.pandas import ParquetDataset


class ParquetTableDataset(ParquetDataset):  # type: ignore[misc]  # has no types
    """`pandas.ParquetDataset` that explains a file which is not as it was written.

    Example:
        ```yaml
        phase3_split:
          type: covid_cxr.datasets.parquet_table.ParquetTableDataset
          filepath: data/05_model_input/phase3_split.parquet
        ```
    """

    def load(self) -> Any:  # of a subclass, what it makes of the table
        """Return the table.

        Raises:
            DatasetError: If the file cannot be opened, as where there is none.
            ValueError: If it is damaged.
        """
        try:
            return super().load()
        except DatasetError as error:
            reason = error.__cause__  # whatever pyarrow raises on a damaged file
            is_other = isinstance(reason, FileNotFoundError | MemoryError)
            if is_other or getattr(reason, "errno", None):
                raise
            raise ValueError(
                f"{self._get_load_path()} is damaged, and no table any more "
                f"({reason}). Give the command that wrote it again with "
                f"--runner=covid_cxr.runners.ResumeRunner: what makes it runs anew, "
                f"and what is whole is kept."
            ) from error
