"""The folder that keeps a training's state through a crash."""

from typing import NoReturn

from kedro.io import DatasetError

from covid_cxr.datasets.local import LocalDataset
from covid_cxr.training.state import StateFolder


class TrainingStateDataset(LocalDataset[NoReturn, StateFolder]):
    """A handle to the folder in which a training keeps its states.

    A place, not a value: it exists before there is anything in it, the training itself
    writes there after each epoch, and no node returns it.

    Example:
        ```yaml
        phase1_state:
          type: covid_cxr.datasets.training_state.TrainingStateDataset
          filepath: data/06_models/state/phase1
        ```
    """

    def load(self) -> StateFolder:
        """Return the handle."""
        return StateFolder(self._filepath)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse to save.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(
            f"The states in {self._filepath} are written by the training itself, not "
            "by a node's output. Take the dataset as an input."
        )

    def _exists(self) -> bool:
        return True
