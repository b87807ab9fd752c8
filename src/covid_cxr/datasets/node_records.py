"""Records of what each node of the flow was made from when it last ran."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from covid_cxr.datasets.local import LocalDataset

# By ingredient: "code", "wiring", and the names of datasets and parameters. None where
# there is nothing, or nothing that another run could find again.
Hashes = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class NodeRecord:
    """What a node was made from, and what it made.

    Attributes:
        ingredients: Hashes of its code, wiring, parameters and inputs.
        outputs: Hashes by dataset.
    """

    ingredients: Hashes
    outputs: Hashes

    def changes(self, now: "NodeRecord") -> list[str]:
        """Return what is not `now` as it was; nothing if the node is up to date."""
        before = {**self.ingredients, **self.outputs}
        present = {**now.ingredients, **now.outputs}
        return [
            name
            for name in dict.fromkeys([*present, *before])
            if present.get(name) is None or present[name] != before.get(name)
        ]


@dataclass(frozen=True, kw_only=True)
class NodeRecords:
    """The records of a study, one JSON file per node.

    Attributes:
        root: Their folder.
    """

    root: Path

    def read(self, node: str) -> NodeRecord | None:
        """Return a node's record, or None where there is none that can be read."""
        try:
            return NodeRecord(**json.loads(self._file(node).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, node: str, record: NodeRecord) -> None:
        """Write a node's record: all of it appears, or nothing."""
        self.root.mkdir(parents=True, exist_ok=True)
        part = self._file(node).with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(vars(record), indent=2) + "\n")
        part.replace(self._file(node))

    def _file(self, node: str) -> Path:
        return self.root / f"{node}.json"


class NodeRecordsDataset(LocalDataset[None, NodeRecords]):
    """The folder of the records; nodes neither read nor write it.

    Example:
        ```yaml
        node_records:
          type: covid_cxr.datasets.node_records.NodeRecordsDataset
          filepath: data/.fingerprints
        ```
    """

    def load(self) -> NodeRecords:
        """Return a handle to the records."""
        return NodeRecords(root=self._filepath)

    def save(self, data: None) -> None:
        """Refuse: records are written one by one, through the handle.

        Raises:
            TypeError: Always.
        """
        raise TypeError(
            f"The records in {self._filepath} are written by the hooks of a run; a "
            "node cannot save them."
        )
