"""The folder of a training's states, as the catalog knows it."""

import pytest
from kedro.io import DatasetError

from covid_cxr.datasets.training_state import TrainingStateDataset
from covid_cxr.training.state import StateFolder


def test_the_folder_exists_before_there_is_anything_in_it(tmp_path):
    dataset = TrainingStateDataset(filepath=str(tmp_path / "state" / "phase1"))

    assert dataset.exists()
    assert dataset.load() == StateFolder(tmp_path / "state" / "phase1")
    assert not (tmp_path / "state").exists()


def test_it_is_no_output_of_a_node(tmp_path):
    dataset = TrainingStateDataset(filepath=str(tmp_path))

    with pytest.raises(DatasetError, match="written by the training itself"):
        dataset.save(StateFolder(tmp_path))
