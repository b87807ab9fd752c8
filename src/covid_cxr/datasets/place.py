"""A file or a folder that a user names, or none where "none" is named."""

from pathlib import Path
from typing import Any

from covid_cxr.datasets.local import LocalDataset

_NONE = "none"


class PlaceDataset(LocalDataset[None, Path | None]):
    """The place of a file or folder, for a node that knows how to read it.

    Example:
        ```yaml
        prediction_images:
          type: covid_cxr.datasets.place.PlaceDataset
          filepath: /new/radiographs
        ```
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the place.

        Args:
            filepath: Of the file or folder; "none" says that there is none.
            metadata: For kedro-viz.

        Raises:
            ValueError: If it is a URL.
        """
        super().__init__(filepath=filepath, metadata=metadata)
        # Kedro has made it a path in the project.
        self._is_none = self._filepath.name == _NONE

    def load(self) -> Path | None:
        """Return the path, or None for none."""
        return None if self._is_none else self._filepath

    def save(self, data: None) -> None:
        """Refuse: what is there is its owner's.

        Raises:
            PermissionError: Always.
        """
        raise PermissionError(f"{self._filepath} is a user's, and never written.")

    def _exists(self) -> bool:
        return self._is_none or super()._exists()
