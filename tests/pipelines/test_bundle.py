"""A study's classifier becomes a bundle, and predicts as it did in the study."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from covid_cxr.datasets.examples import ExamplesDataset
from covid_cxr.datasets.keras_model import KerasModelDataset
from covid_cxr.pipelines.bundle.nodes import remember_pictures
from covid_cxr.prediction import open_bundle
from covid_cxr.prediction.bundle import KERAS
from covid_cxr.training.exported import KerasNetwork


@pytest.fixture(scope="module")
def bundled(run_kedro, study):
    """Return the folder of the bundle of path b."""
    run_kedro("bundle", data_root=study, params={"bundle": {"path": "b"}})
    (folder,) = (study / "06_models/bundles").glob("covid_cxr-path_b-????????")
    return folder


@pytest.fixture(scope="module")
def held_out(study):
    scores = pd.read_parquet(study / "07_model_output/path_b_phase3_scores.parquet")
    listed = pd.read_parquet(study / "02_intermediate/covid_radiographs.parquet")
    files = listed.set_index("image_id")["file"]
    return scores.assign(file=scores["image_id"].map(files))


@pytest.fixture(scope="module")
def boxes(study):
    crops = pd.read_csv(study / "01_raw/covid/crops.csv")
    edges = crops[["x0", "y0", "x1", "y1"]].to_numpy(float).tolist()
    return dict(zip(crops["image"], map(tuple, edges), strict=True))


def raw_files(study, names):
    root = study / "01_raw/covid/images"
    return [next(root.rglob(Path(name).name)) for name in names]


def boxes_of(files, boxes):
    return {file.name: boxes[file.name] for file in files if file.name in boxes}


def test_a_bundle_holds_no_patient_and_no_code(bundled, study):
    scores = pd.read_parquet(study / "07_model_output/path_b_phase3_scores.parquet")
    content = {p: p.read_bytes() for p in bundled.rglob("*") if p.is_file()}
    names = {*scores["patient_id"], *scores["image_id"]}

    assert {p.suffix for p in content} == {
        *("", ".json", ".md", ".csv", ".keras", ".onnx", ".safetensors"),
        *(".png", ".jpg", ".dcm"),
    }
    for path, octets in content.items():
        assert not any(name.encode() in octets for name in names), path


def test_it_knows_every_picture_of_all_its_trainings(bundled, study):
    expected = set()
    for cohort, drawn in (
        ("nih", "phase1"),
        ("nih", "phase2_nih"),
        ("covid", "phase3"),
    ):
        split = pd.read_parquet(study / f"05_model_input/{drawn}_split.parquet")
        curated = pd.read_parquet(study / f"03_primary/{cohort}_curated.parquet")
        of_image = curated.set_index("image_id")["pixels_sha256"]
        expected |= set(of_image[split.loc[split["part"] == "train", "image_id"]])
    bundle = open_bundle(bundled)

    found = {
        row.tobytes().hex() for row in bundle.seen.pixels_sha256[bundle.seen.part == 1]
    }

    assert bundle.record["origin"]["trainings"][1] == "path_b.phase2"
    assert found == expected


def test_keras_gives_the_scores_of_the_study_bit_for_bit(
    bundled, study, held_out, boxes
):
    classifier = KerasModelDataset(filepath=str(bundled / KERAS)).load()
    bundle = open_bundle(bundled, network=KerasNetwork(classifier))
    # The last bits depend on the batch: no image is left out of it for its age.
    record = {**bundle.record, "youngest_years": None}
    whole = dataclasses.replace(bundle, record=record)

    files = raw_files(study, held_out["file"])
    table = whole.predict(files, boxes=boxes_of(files, boxes))

    expected = held_out["covid19_score"].to_numpy()
    np.testing.assert_array_equal(table["score"].to_numpy(), expected)


def test_onnx_gives_the_scores_of_the_study(bundled, study, held_out, boxes):
    bundle = open_bundle(bundled.with_suffix(".zip"))
    test = held_out[held_out["part"] == "test"]

    files = raw_files(study, test["file"])
    table = bundle.predict(files, boxes=boxes_of(files, boxes))

    assert bundle.check() < 1e-5
    difference = np.abs(table["score"] - test["covid19_score"].to_numpy())
    assert table["score"].notna().mean() >= 0.8, table["reason"].tolist()
    assert difference.max() < 1e-5
    assert (table["was_trained_on"] == "no").all()


def test_training_images_are_refused(bundled, study):
    split = pd.read_parquet(study / "05_model_input/phase3_split.parquet")
    listed = pd.read_parquet(study / "02_intermediate/covid_radiographs.parquet")
    files = listed.set_index("image_id")["file"]
    trained = files[split.loc[split["part"] == "train", "image_id"]]

    table = open_bundle(bundled).predict(raw_files(study, trained))

    assert (table["status"] == "refused").all()
    assert (table["was_trained_on"] == "yes").all()


def test_thresholds_are_those_that_validation_chose_in_the_study(bundled, study):
    results = pd.read_csv(study / "08_reporting/operating.csv")
    own = results[results["classifier"] == "path_b"].drop_duplicates("rule")

    points = json.loads((bundled / "bundle.json").read_text())["operating_points"]

    assert {p["rule"]: p["threshold"] for p in points} == pytest.approx(
        dict(zip(own["rule"], own["threshold"], strict=True))
    )


def test_it_says_how_many_of_its_pictures_were_cropped(bundled, study, boxes):
    split = pd.read_parquet(study / "05_model_input/phase3_split.parquet")
    listed = pd.read_parquet(study / "02_intermediate/covid_radiographs.parquet")
    files = listed.set_index("image_id")["file"]
    known = files[split.loc[split["part"] != "test", "image_id"]]
    expected = np.mean([Path(file).name in boxes for file in known])

    record = json.loads((bundled / "bundle.json").read_text())

    assert 0 < record["preprocessing"]["cropped_share"] == pytest.approx(expected)
    card = (bundled / "MODEL_CARD.md").read_text()
    assert f"{100 * expected:.3g} % of the pictures" in card
    assert "validation" in card
    assert ("refuses" in card) != ("No picture is refused" in card)


@pytest.fixture
def made_with(study):
    """Return path b's provenance, and the tables that it was trained on."""
    provenance = json.loads(
        (study / "06_models/path_b_phase3_provenance.json").read_text()
    )
    tables = {
        f"{name}_examples": ExamplesDataset(
            filepath=str(study / f"05_model_input/{name}_examples.parquet")
        ).load()
        for name in ("phase1", "phase2_nih", "phase3")
    }
    for cohort in ("nih", "covid"):
        tables[f"{cohort}_curated"] = pd.read_parquet(
            study / f"03_primary/{cohort}_curated.parquet"
        )
    return provenance, tables


def test_another_split_than_the_trained_one_is_refused(made_with):
    provenance, tables = made_with
    examples = tables["phase1_examples"]
    tables["phase1_examples"] = examples.where(examples.radiographs.index > 0)

    with pytest.raises(ValueError, match="not the one that phase1 was trained with"):
        remember_pictures(provenance, **tables)


def test_a_trained_picture_that_is_curated_no_more_stops_the_bundle(made_with):
    provenance, tables = made_with
    drawn = tables["phase3_examples"].part("train").radiographs["image_id"]
    curated = tables["covid_curated"]
    tables["covid_curated"] = curated[curated["image_id"] != drawn[0]]

    with pytest.raises(ValueError, match=f"covid_curated, such as {drawn[0]}"):
        remember_pictures(provenance, **tables)


def test_the_youngest_patient_is_one_that_the_training_had(study, bundled):
    split = pd.read_parquet(study / "05_model_input/phase3_split.parquet")
    curated = pd.read_parquet(study / "03_primary/covid_curated.parquet")
    known = split.loc[split["part"] != "test", "image_id"]
    years = curated.set_index("image_id").loc[known, "age_years"]

    record = json.loads((bundled / "bundle.json").read_text())

    assert record["youngest_years"] == pytest.approx(years.min())


def test_a_path_that_was_not_trained_is_named(run_kedro, study, bundled):
    with pytest.raises(FileNotFoundError, match="path_x_phase3_classifier"):
        run_kedro("bundle", data_root=study, params={"bundle": {"path": "x"}})
