import hashlib
import json

import pandas as pd
import pytest

from covid_cxr.datasets.croissant import CroissantDataset
from covid_cxr.report.croissant import describe_data

IDS = ["b.png", "a.png", "ä.png"]


@pytest.fixture
def tables():
    curated = pd.DataFrame(
        {
            "image_id": IDS,
            "patient_id": ["nih:1", "nih:2", "nih:3"],
            "view": "PA",
            "sex": "F",
            "age_years": 50.0,
            "study_date": "20200101",
            "site": "somewhere",
            "source": "nih",
            "is_synthetic": False,
            "pneumonia": pd.array([True, False, None], "boolean"),
        }
    )
    split = curated.loc[:1, ["image_id", "patient_id"]].assign(part=["train", "test"])
    left_out = curated.loc[2:, ["image_id", "patient_id"]].assign(reason="of no use")
    return {
        "nih_curated": curated,
        "phase1_split": split,
        "phase1_left_out": left_out,
    }


@pytest.fixture
def saved(tables, tmp_path):
    """Return the file, saved beside the tables that it describes."""
    root = tmp_path / "root"
    for name, table in tables.items():
        stage = "03_primary" if name == "nih_curated" else "05_model_input"
        (root / stage).mkdir(parents=True, exist_ok=True)
        table.to_parquet(root / stage / f"{name}.parquet")
    path = root / "08_reporting/croissant.json"
    dataset = CroissantDataset(filepath=str(path), root=str(root))
    dataset.save(describe_data(**tables))
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # in mlcroissant itself
def test_the_reference_reader_finds_no_error_and_the_same_records(saved, tables):
    mlcroissant = pytest.importorskip("mlcroissant")

    data = mlcroissant.Dataset(str(saved))

    assert not data.metadata.issues.errors
    for name, table in tables.items():
        read = pd.DataFrame(data.records(name))
        images = [image.decode() for image in read[f"{name}/image_id"]]
        assert images == table["image_id"].tolist()
    parts = pd.DataFrame(data.records("phase1_split"))["phase1_split/part"]
    assert parts.tolist() == [b"train", b"test"]


def test_every_file_has_its_hash_and_no_place_on_a_machine(saved):
    record = json.loads(saved.read_text(encoding="utf-8"))

    for file in record["distribution"]:
        content = (saved.parent / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["contentUrl"].startswith("../0")
    assert str(saved.parents[1]) not in saved.read_text(encoding="utf-8")


def test_patients_are_not_described_beyond_their_ids(saved):
    record = json.loads(saved.read_text(encoding="utf-8"))

    fields = {field["name"] for one in record["recordSet"] for field in one["field"]}
    assert not fields & {"sex", "age_years", "study_date", "site", "file"}
    assert {"patient_id", "pneumonia", "part", "reason"} <= fields


def test_each_cohort_stands_with_licence_citation_and_address(tables):
    (nih,) = describe_data(**tables)["isBasedOn"]

    assert "attribution" in nih["license"]
    assert "Wang et al. 2017" in nih["citation"]
    assert nih["url"].startswith("https://nihcc")


def test_drawn_radiographs_are_called_synthetic(tables):
    drawn = tables["nih_curated"].assign(is_synthetic=True)

    record = describe_data(**{**tables, "nih_curated": drawn})

    assert record["description"].startswith("SYNTHETIC")
    assert "SYNTHETIC" not in describe_data(**tables)["description"]


def test_a_table_that_is_kept_elsewhere_is_left_out(saved, tables):
    root = saved.parents[1]
    (root / "05_model_input/phase1_left_out.parquet").unlink()

    CroissantDataset(filepath=str(saved), root=str(root)).save(describe_data(**tables))

    record = json.loads(saved.read_text(encoding="utf-8"))
    assert [one["@id"] for one in record["recordSet"]] == [
        "nih_curated",
        "phase1_split",
    ]
