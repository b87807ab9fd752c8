import gzip
import io
from pathlib import Path

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, DatasetError

from covid_cxr.datasets.user_csv import UserCsvDataset
from covid_cxr.study.current import current
from covid_cxr.study.raw_datasets import raw_datasets

TYPE = "covid_cxr.datasets.user_csv.UserCsvDataset"


def catalog_of(path, **options):
    return DataCatalog.from_config(
        {"manifest": {"type": TYPE, "filepath": str(path), **options}}
    )


def test_a_table_comes_back_as_text_without_its_index(tmp_path):
    catalog = catalog_of(tmp_path / "manifest.csv")

    catalog.save("manifest", pd.DataFrame({"patient": ["004", "4"], "n": [1, 2]}))

    assert catalog.load("manifest").to_dict("list") == {
        "patient": ["004", "4"],
        "n": ["1", "2"],
    }


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_table_of_another_country_is_read(tmp_path, pack):
    path = tmp_path / ("manifest.csv.gz" if pack is gzip.compress else "manifest.csv")
    path.write_bytes(pack("image;site\n1.png;Köln\n".encode("cp1252")))

    assert catalog_of(path).load("manifest")["site"].tolist() == ["Köln"]


@pytest.mark.parametrize(
    ("named", "there"), [("a.csv.gz", "a.csv"), ("a.csv", "a.csv.gz")]
)
def test_a_table_is_found_packed_or_unpacked(tmp_path, named, there):
    pack = gzip.compress if there.endswith(".gz") else bytes
    (tmp_path / there).write_bytes(pack(b"image,site\n1.png,x\n"))
    catalog = catalog_of(tmp_path / named)

    assert catalog.exists("manifest")
    assert catalog.load("manifest")["site"].tolist() == ["x"]


def test_of_a_packed_and_an_unpacked_table_the_named_one_is_read(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"image,site\n1.png,x\n")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"image,site\n1.png,y\n"))

    assert catalog_of(tmp_path / "a.csv").load("manifest")["site"].tolist() == ["x"]
    assert catalog_of(tmp_path / "a.csv.gz").load("manifest")["site"].tolist() == ["y"]


def test_a_table_that_is_in_neither_form_is_not_there(tmp_path):
    assert not catalog_of(tmp_path / "a.csv").exists("manifest")


def test_a_fault_names_file_and_line(tmp_path):
    (tmp_path / "manifest.csv").write_text("a,b\n1,2,3\n")

    with pytest.raises(DatasetError, match=r"manifest\.csv, line 2: 3 cells"):
        catalog_of(tmp_path / "manifest.csv").load("manifest")


def test_arguments_without_effect_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="load_args"):
        catalog_of(tmp_path / "a.csv", load_args={"sep": ";"}).load("manifest")


def test_synthetic_tables_are_written_as_before(tmp_path):
    table = pd.DataFrame({"patient": ["004"], "age": [61.5]})

    catalog_of(tmp_path / "a.csv").save("manifest", table)

    written = (tmp_path / "a.csv").read_text()
    pd.testing.assert_frame_equal(
        pd.read_csv(io.StringIO(written), dtype={"patient": "str"}), table
    )


CATALOGS = {
    "/".join(path.parts[-2:]): yaml.safe_load(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "conf").glob("*/catalog*.yml"))
}


@pytest.mark.parametrize(
    "entries",
    [*CATALOGS.values(), raw_datasets(current(), "data")],
    ids=[*CATALOGS, "of the study"],
)
def test_every_raw_table_and_text_goes_through_our_readers(entries):
    # What begins with an underscore is no dataset.
    datasets = [e for name, e in entries.items() if not name.startswith("_")]
    inner = [entry.get("dataset", entry) for entry in datasets]

    others = [
        entry["type"]
        for entry in inner
        if str(entry.get("filepath", "")).endswith((".csv", ".txt", ".json"))
        and ("01_raw" in entry["filepath"] or "covid_root" in entry["filepath"])
        and not entry["type"].startswith("covid_cxr.datasets.user_")
    ]

    assert others == []


@pytest.mark.parametrize(
    ("name", "start"), [("t.tsv", b"a\tb\n"), ("t.csv", b"a,b\n"), ("t.csv.gz", None)]
)
def test_a_table_is_saved_as_its_name_says(name, start, tmp_path):
    table = pd.DataFrame({"a": ["1"], "b": ["x, y"]})
    dataset = UserCsvDataset(filepath=str(tmp_path / name))

    dataset.save(table)

    content = (tmp_path / name).read_bytes()
    if start is None:
        assert gzip.decompress(content).startswith(b"a,b\n")
    else:
        assert content.startswith(start)
    pd.testing.assert_frame_equal(dataset.load(), table, check_dtype=False)
