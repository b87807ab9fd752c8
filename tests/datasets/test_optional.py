import pandas as pd
import pytest
from kedro.io import DataCatalog

CONFIG = {
    "type": "covid_cxr.datasets.optional.OptionalDataset",
    "dataset": {"type": "pandas.CSVDataset", "save_args": {"index": False}},
    "metadata": {"kedro-viz": {"layer": "raw"}},
}


@pytest.fixture
def catalog(tmp_path):
    wrapped = {**CONFIG["dataset"], "filepath": str(tmp_path / "crops.csv")}
    return DataCatalog.from_config({"crops": {**CONFIG, "dataset": wrapped}})


def test_an_absent_file_is_none(catalog):
    assert catalog.load("crops") is None
    assert not catalog.exists("crops")


def test_a_present_file_is_read_by_the_wrapped_dataset(catalog):
    table = pd.DataFrame({"image": ["a.png"], "x0": [1]})

    catalog.save("crops", table)

    assert catalog.exists("crops")
    pd.testing.assert_frame_equal(catalog.load("crops"), table)


def test_metadata_reaches_the_flow_picture(catalog):
    assert catalog["crops"].metadata == CONFIG["metadata"]
