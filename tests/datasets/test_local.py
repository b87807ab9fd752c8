"""Datasets that write folders take no URL for a folder's name."""

from pathlib import Path

import pytest

from covid_cxr.datasets.image_store import ImageStoreDataset
from covid_cxr.datasets.keras_model import KerasModelDataset
from covid_cxr.datasets.local import local_path
from covid_cxr.datasets.node_records import NodeRecordsDataset
from covid_cxr.datasets.radiograph_folder import RadiographFolderDataset
from covid_cxr.datasets.training_state import TrainingStateDataset


@pytest.mark.parametrize(
    "dataset",
    [
        ImageStoreDataset,
        KerasModelDataset,
        NodeRecordsDataset,
        RadiographFolderDataset,
        TrainingStateDataset,
    ],
)
@pytest.mark.parametrize(
    "place", ["s3://bucket/x.keras", "gs:/bucket/x.keras", "file:///x.keras"]
)
def test_a_url_is_refused_when_the_catalog_is_made(dataset, place, tmp_path):
    with pytest.raises(ValueError, match=r"only local or mounted folders"):
        dataset(filepath=place)


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("data/x", "data/x"),
        ("/data/x", "/data/x"),
        ("C:/data/x", "C:/data/x"),
        ("data/at 12:30/x", "data/at 12:30/x"),
    ],
)
def test_a_path_is_taken_as_it_is(place, path):
    assert local_path(place) == Path(path)
