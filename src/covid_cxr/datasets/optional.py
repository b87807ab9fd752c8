"""A dataset that may be absent."""

from typing import Any

from kedro.io import AbstractDataset


class OptionalDataset(AbstractDataset[Any, Any]):
    """Another dataset, or None where its file is absent.

    `exists` tells the truth, so a missing optional file is still seen as missing.

    Example:
        ```yaml
        covid_crops:
          type: covid_cxr.datasets.optional.OptionalDataset
          dataset:
            type: covid_cxr.datasets.user_csv.UserCsvDataset
            filepath: data/01_raw/covid/crops.csv
        ```
    """

    def __init__(
        self, *, dataset: dict[str, Any], metadata: dict[str, Any] | None = None
    ) -> None:
        """Wrap a dataset.

        Args:
            dataset: A catalog entry: `type`, `filepath`, …
            metadata: For kedro-viz.
        """
        self._dataset = AbstractDataset.from_config("optional", dict(dataset))
        self.metadata = metadata

    def load(self) -> Any:
        """Return what the wrapped dataset holds, or None if it is absent."""
        return self._dataset.load() if self._dataset.exists() else None

    def save(self, data: Any) -> None:
        """Save `data` to the wrapped dataset."""
        self._dataset.save(data)

    def _exists(self) -> bool:
        return bool(self._dataset.exists())

    def _describe(self) -> dict[str, Any]:
        return {"dataset": self._dataset._describe()}
