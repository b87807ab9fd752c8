"""A table that many nodes read is read from its file once, and belongs to each."""

import pandas as pd
import pytest
from kedro_datasets.pandas import ParquetDataset

from covid_cxr.datasets.shared_table import SharedTableDataset

TABLE = pd.DataFrame({"image_id": ["a", "b"], "resnet": [0.25, 0.5]})


@pytest.fixture
def reads(monkeypatch):
    """Return a list that grows by one with every reading of a file."""
    seen = []
    load = ParquetDataset.load.__wrapped__

    def counted(self):
        seen.append(self._get_load_path())
        return load(self)

    monkeypatch.setattr(ParquetDataset, "load", counted)
    return seen


@pytest.fixture
def dataset(tmp_path, reads):
    made = SharedTableDataset(filepath=str(tmp_path / "scores.parquet"))
    made.save(TABLE)
    return made


def test_the_file_is_read_once(dataset, reads):
    for _ in range(3):
        pd.testing.assert_frame_equal(dataset.load(), TABLE)

    assert len(reads) == 1


def test_what_one_node_does_to_it_no_other_one_sees(dataset):
    first = dataset.load()
    first.loc[0, "resnet"] = 9.0
    first["more"] = 1

    pd.testing.assert_frame_equal(dataset.load(), TABLE)


def test_a_file_that_has_changed_is_read_again(dataset, reads):
    dataset.load()
    dataset.save(pd.concat([TABLE, TABLE]))

    assert len(dataset.load()) == 4
    assert len(reads) == 2


def test_after_the_last_node_nothing_is_kept(dataset, reads):
    dataset.load()
    dataset.release()
    dataset.load()

    assert len(reads) == 2
