"""A protocol: drafted once, then its owner's."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from covid_cxr.datasets.local import LocalDataset

_HEAD = """\
# What is going to be tested, and what is expected: written before it is run.
# Fill in what is empty, correct what is expected, and keep this file where its date
# can be shown. Its hash goes into the result.
"""


class ProtocolDataset(LocalDataset[Mapping[str, Any], str]):
    """A YAML file that is written with today's date, and never written over.

    Example:
        ```yaml
        external_protocol:
          type: covid_cxr.datasets.protocol_file.ProtocolDataset
          filepath: cohort/external_protocol.yml
        ```
    """

    def load(self) -> str:
        """Return the file's text."""
        return self._filepath.read_text("utf-8")

    def save(self, data: Mapping[str, Any]) -> None:
        """Write a draft.

        Raises:
            FileExistsError: If there is a protocol.
        """
        dated = {"date": datetime.now(UTC).date(), **data}
        text = yaml.safe_dump(dated, sort_keys=False, allow_unicode=True)
        try:
            with self._filepath.open("x", encoding="utf-8") as file:
                file.write(f"{_HEAD}{text}")
        except FileExistsError as error:
            raise FileExistsError(
                f"There is a protocol at {self._filepath}, which is never written "
                f"over; move it away to draft another."
            ) from error
