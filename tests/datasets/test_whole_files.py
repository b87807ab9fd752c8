"""Files appear whole or not at all, whatever dataset writes them."""

import os
import subprocess
import sys

import fsspec
import pandas as pd
import pytest
from kedro.io import DatasetError
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset, ParquetDataset
from kedro_datasets.text import TextDataset

from covid_cxr.datasets.figure import FigureDataset
from covid_cxr.datasets.result_table import ResultTableDataset
from covid_cxr.datasets.whole_files import PART, WholeFileSystem


class Unwritable:
    """Something that cannot be turned into text."""

    def __str__(self):
        raise OSError("disk full")

    __repr__ = __str__


TABLE = pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]})
BROKEN = pd.DataFrame({"a": [1.5], "b": [Unwritable()]})


@pytest.mark.parametrize(
    ("dataset", "name", "good", "bad"),
    [
        (CSVDataset, "t.csv", TABLE, BROKEN),
        (ResultTableDataset, "t.csv", TABLE, BROKEN),
        (ParquetDataset, "t.parquet", TABLE, BROKEN),
        (JSONDataset, "t.json", {"a": 1}, {"a": 2, "b": Unwritable()}),
        (TextDataset, "t.txt", "whole", 17),
    ],
)
def test_a_save_that_fails_leaves_the_file_as_it_was(
    project, tmp_path, dataset, name, good, bad
):
    saved = dataset(filepath=str(tmp_path / name))
    saved.save(good)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises((DatasetError, OSError, TypeError)):
        saved.save(bad)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_first_save_that_fails_leaves_nothing(project, tmp_path):
    with pytest.raises(DatasetError):
        JSONDataset(filepath=str(tmp_path / "t.json")).save({"b": Unwritable()})

    assert not list(tmp_path.iterdir())


WRITING_SLOWLY = """
import sys, time
from covid_cxr.datasets.whole_files import WholeFileSystem
with WholeFileSystem().open(sys.argv[1], "w") as file:
    file.write("half")
    file.flush()
    print("half", flush=True)
    time.sleep(60)
"""


def test_a_process_that_is_killed_while_it_writes_leaves_the_file_as_it_was(
    project, tmp_path
):
    path = tmp_path / "report.html"
    path.write_text("before")
    with subprocess.Popen(
        [sys.executable, "-c", WRITING_SLOWLY, str(path)],
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout.readline() == "half\n"
        writer.kill()

    assert path.read_text() == "before"
    assert (tmp_path / f"report.html{PART}").read_text() == "half"


def test_every_dataset_of_the_catalog_that_writes_to_this_disk_does_so(project):
    assert isinstance(fsspec.filesystem("file"), WholeFileSystem)
    assert isinstance(FigureDataset(filepath="f.png")._fs, WholeFileSystem)


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "t.csv").symlink_to(tmp_path / "disk" / "t.csv")

    with WholeFileSystem().open(str(tmp_path / "t.csv"), "wb") as file:
        file.write(b"1")

    assert (tmp_path / "t.csv").is_symlink()
    assert (tmp_path / "disk" / "t.csv").read_bytes() == b"1"


def test_a_file_that_is_closed_without_a_block_is_there(tmp_path):
    file = WholeFileSystem().open(str(tmp_path / "t.txt"), "w")
    file.write("whole")
    assert not (tmp_path / "t.txt").exists()
    file.close()
    file.close()

    assert (tmp_path / "t.txt").read_text() == "whole"
