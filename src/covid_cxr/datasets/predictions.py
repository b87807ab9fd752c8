"""Predictions: a table, a page and pictures, written file by file."""

from pathlib import Path

from covid_cxr.datasets.local import LocalDataset
from covid_cxr.prediction.batch import TABLE
from covid_cxr.prediction.request import Request, fulfil


class PredictionsDataset(LocalDataset[Request, Path]):
    """A folder of predictions, as `covid-cxr predict -o FOLDER` writes it.

    Saving a request predicts its radiographs. Each is kept as soon as it is known, so
    that saving again after an interruption goes on.

    Example:
        ```yaml
        predictions:
          type: covid_cxr.datasets.predictions.PredictionsDataset
          filepath: data/08_reporting/predictions/new
        ```
    """

    def load(self) -> Path:
        """Return the place of the table."""
        return self._filepath / TABLE

    def save(self, data: Request) -> None:
        """Predict what the request `data` names; errors are those of `fulfil`."""
        fulfil(data, self._filepath)

    def _exists(self) -> bool:
        return self.load().is_file()
