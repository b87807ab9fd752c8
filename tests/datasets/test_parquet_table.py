"""What is said of a table of a data root that is not as a run wrote it."""

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from covid_cxr.console.expected import is_expected
from covid_cxr.datasets.parquet_table import ParquetTableDataset


@pytest.fixture
def dataset(tmp_path):
    dataset = ParquetTableDataset(filepath=str(tmp_path / "split.parquet"))
    names = [f"image_{number}" for number in range(50)]
    dataset.save(pd.DataFrame({"image_id": names, "score": 0.5}))
    return dataset


def refusal(dataset):
    """Return the error of loading, or None."""
    try:
        dataset.load()
    except DatasetError as error:
        return error
    return None


@pytest.mark.parametrize("share", np.linspace(0, 0.999, 40))
def test_a_file_that_broke_off_is_named_with_what_to_do(dataset, tmp_path, share):
    file = tmp_path / "split.parquet"
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])

    error = refusal(dataset)

    assert is_expected(error)
    assert f"{file} is damaged" in str(error)
    assert "ResumeRunner" in str(error)


def test_damage_in_the_middle_is_never_a_traceback(dataset, tmp_path):
    file = tmp_path / "split.parquet"
    content = np.frombuffer(file.read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(100):
        damaged = content.copy()
        damaged[rng.integers(len(content), size=20)] = rng.integers(256, size=20)
        file.write_bytes(damaged.tobytes())
        errors.append(refusal(dataset))

    refused = [error for error in errors if error is not None]
    assert len(refused) > 50  # the others lost a cell, which parquet does not see
    assert all(is_expected(error) for error in refused)


def test_a_file_that_is_not_there_is_not_called_damaged(tmp_path):
    error = refusal(ParquetTableDataset(filepath=str(tmp_path / "none.parquet")))

    assert error is not None
    assert "damaged" not in str(error)


def test_no_dataset_of_the_catalog_reads_parquet_otherwise(project):
    for file in (project / "conf").glob("*/catalog*.yml"):
        assert "pandas.ParquetDataset" not in file.read_text("utf-8"), file
