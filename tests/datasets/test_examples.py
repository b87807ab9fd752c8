"""Examples on disk: the table in a file, the pixels in the stores that it names."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from covid_cxr.datasets.examples import ExamplesDataset
from covid_cxr.datasets.image_store import ImageStoreDataset
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.radiographs.pooled_store import PooledStore
from covid_cxr.training.examples import Examples


@pytest.fixture
def examples(make_plan, tmp_path):
    """Return the examples of a store of ten images, against its order."""
    store = ImageStoreDataset(filepath=str(tmp_path / "data/primary/store"))
    store.save(make_plan())
    table = {
        "image_id": [f"image_{number}" for number in range(10)],
        "patient_id": "nih:1",
        "part": "train",
        "row": np.arange(10)[::-1],
        "sign": pd.array([True, False] * 4 + [pd.NA] * 2, dtype="boolean"),
    }
    return Examples(
        store=store.load(),
        radiographs=pd.DataFrame(table),
        labels=("sign",),
        intensity=Intensity(mean=0.1 + 0.2, standard_deviation=0.25, n_images=9),
    )


def saved(examples, root):
    dataset = ExamplesDataset(filepath=str(root / "input/examples.parquet"))
    dataset.save(examples)
    return dataset


def assert_same(found, examples):
    pd.testing.assert_frame_equal(found.radiographs, examples.radiographs)
    assert (found.labels, found.intensity) == (examples.labels, examples.intensity)
    assert found.store.fingerprint == examples.store.fingerprint
    images = [one.store.read(one.rows) for one in (found, examples)]
    np.testing.assert_array_equal(*images)


def test_examples_come_back_as_they_were(examples, tmp_path):
    found = saved(examples, tmp_path / "data").load()

    assert_same(found, examples)
    assert not found.radiographs.attrs  # or scores would carry them on


def test_a_data_root_can_be_moved(examples, tmp_path):
    saved(examples, tmp_path / "data")
    before = (tmp_path / "data/input/examples.parquet").read_bytes()
    shutil.copytree(tmp_path / "data", tmp_path / "moved/data")
    shutil.rmtree(tmp_path / "data")

    moved = tmp_path / "moved/data/input/examples.parquet"
    found = ExamplesDataset(filepath=str(moved)).load()

    assert moved.read_bytes() == before
    assert found.store.root == tmp_path / "moved/data/primary/store"
    assert_same(found.part("train"), replace(examples, store=found.store))


def test_several_stores_come_back_in_their_order(examples, tmp_path):
    both = PooledStore(stores=(examples.store, examples.store))
    found = saved(replace(examples, store=both), tmp_path / "data").load()

    assert found.store == both


def test_a_store_that_was_written_anew_is_refused(examples, make_plan, tmp_path):
    dataset = saved(examples, tmp_path / "data")
    root = examples.store.root
    shutil.rmtree(root)

    with pytest.raises(DatasetError, match="no finished image store"):
        dataset.load()
    ImageStoreDataset(filepath=str(root)).save(make_plan(size_px=8))
    with pytest.raises(DatasetError, match=r"examples\.parquet is of another image"):
        dataset.load()
