"""Users' tables of scores, in whatever file they keep them."""

import gzip

import pandas as pd
import pytest
from kedro.io import DatasetError

from covid_cxr.datasets.score_table import ScoreTableDataset

TEXT = "image,patient,label,m\nx1,004,1,0.5\nx2,4,0,0.25\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.csv", TEXT.encode()),
        ("s.CSV", TEXT.replace(",", ";").encode("utf-16")),
        ("s.tsv", TEXT.replace(",", "\t").encode()),
        ("s.txt", TEXT.replace(",", "\t").encode("utf-8-sig")),
        ("s.csv.gz", gzip.compress(TEXT.encode())),
    ],
)
def test_text_is_read_whatever_wrote_it_and_ids_stay_as_they_are(
    tmp_path, name, content
):
    (tmp_path / name).write_bytes(content)

    table = ScoreTableDataset(filepath=str(tmp_path / name)).load()

    assert table.to_dict("list") == {
        "image": ["x1", "x2"],
        "patient": ["004", "4"],
        "label": ["1", "0"],
        "m": ["0.5", "0.25"],
    }


def test_parquet_keeps_its_types(tmp_path):
    table = pd.DataFrame({"image": ["x1"], "patient": ["004"], "m": [0.5]})
    table.to_parquet(tmp_path / "s.parquet")

    found = ScoreTableDataset(filepath=str(tmp_path / "s.parquet")).load()

    pd.testing.assert_frame_equal(found, table)


@pytest.mark.parametrize("name", ["s.xlsx", "s.json", "s"])
def test_other_files_are_refused(name):
    with pytest.raises(ValueError, match=r"\.csv, \.tsv or \.parquet"):
        ScoreTableDataset(filepath=name)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"no table of scores at .*--params=scores"):
        ScoreTableDataset(filepath=str(tmp_path / "s.csv")).load()


def test_what_is_no_parquet_is_named(tmp_path):
    file = tmp_path / "scores.parquet"
    file.write_bytes(b"image_id,score\n")

    with pytest.raises(DatasetError, match=r"scores\.parquet cannot be read .* \.csv"):
        ScoreTableDataset(filepath=str(file)).load()
