"""A Croissant record that knows where its files are, and what is in them."""

import hashlib
import json
import logging
import os
from typing import Any

from covid_cxr.datasets.local import LocalDataset, local_path

logger = logging.getLogger(__name__)


class CroissantDataset(LocalDataset[dict[str, Any], dict[str, Any]]):
    """Croissant's JSON-LD, with its files' hashes and their places beside its own.

    A file that is not at its place below the data root, since an environment keeps it
    elsewhere, is left out with its records.

    Example:
        ```yaml
        croissant:
          type: covid_cxr.datasets.croissant.CroissantDataset
          filepath: data/08_reporting/croissant.json
          root: data
        ```
    """

    def __init__(
        self, *, filepath: str, root: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the places.

        Args:
            filepath: Of the JSON file.
            root: The folder that `contentUrl`s start from when they are saved.
            metadata: For kedro-viz.
        """
        super().__init__(filepath=filepath, metadata=metadata)
        self._root = local_path(root)

    def load(self) -> dict[str, Any]:
        """Return the record, its `contentUrl`s from the folder of the file."""
        record: dict[str, Any] = json.loads(self._filepath.read_text(encoding="utf-8"))
        return record

    def save(self, data: dict[str, Any]) -> None:
        """Save a record with hashes, without a place on this machine."""
        found = [one for one in map(self._found, data["distribution"]) if one]
        names = {one["@id"] for one in found}
        records = [
            one
            for one in data["recordSet"]
            if one["field"][0]["source"]["fileObject"]["@id"] in names
        ]
        whole = {**data, "distribution": found, "recordSet": records}
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(whole, indent=2, ensure_ascii=False)
        self._filepath.write_text(f"{text}\n", encoding="utf-8")

    def _found(self, file: dict[str, Any]) -> dict[str, Any] | None:
        path = self._root / file["contentUrl"]
        if not path.is_file():
            logger.info("croissant.json is without %s, which is elsewhere", file["@id"])
            return None
        beside = os.path.relpath(path, self._filepath.parent)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return {**file, "contentUrl": beside.replace(os.sep, "/"), "sha256": sha256}
