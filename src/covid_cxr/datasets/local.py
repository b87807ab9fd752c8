"""Datasets that are kept in files of this machine, and nowhere else."""

import re
from pathlib import Path
from typing import Any, TypeVar

from kedro.io import AbstractDataset

_Saved = TypeVar("_Saved")
_Loaded = TypeVar("_Loaded")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # no drive: it has one letter


class LocalDataset(AbstractDataset[_Saved, _Loaded]):
    """A dataset that is a file or a folder on a local or mounted disk."""

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the place.

        Args:
            filepath: Of the file or folder, which need not exist.
            metadata: For kedro-viz.

        Raises:
            ValueError: If it is a URL.
        """
        self._filepath = local_path(filepath)
        self.metadata = metadata

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def local_path(filepath: str) -> Path:
    """Return the path of a file or folder on a local or mounted disk.

    Raises:
        ValueError: If it is a URL, which would become a folder of that name.
    """
    if _URL.match(filepath):
        raise ValueError(
            f"The place is {filepath}, but only local or mounted folders can be "
            f"written to here: name one, such as where the bucket is mounted."
        )
    return Path(filepath)
