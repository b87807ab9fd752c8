"""A study's classifier becomes a bundle, and predicts as it did in the study."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from covid_cxr.datasets.examples import ExamplesDataset
from covid_cxr.datasets.keras_model import KerasModelDataset
from covid_cxr.evaluation.arranged_scores import arrange_paths, parts_of
from covid_cxr.evaluation.ensembles import combine, score_together
from covid_cxr.pipelines.bundle.networks import Exported, StudyMembers
from covid_cxr.pipelines.bundle.nodes import fit_to_validation, remember_pictures
from covid_cxr.pipelines.bundle.settings import Bundling
from covid_cxr.prediction import open_bundle
from covid_cxr.prediction.cli import predict
from covid_cxr.prediction.members import KERAS
from covid_cxr.prediction.refusals import reservations
from covid_cxr.study.current import current
from covid_cxr.training.exported import KerasNetwork


@pytest.fixture(scope="module")
def bundled(run_kedro, study):
    """Return the folder of the bundle of path b."""
    run_kedro("bundle", data_root=study, params={"bundle": {"path": "b"}})
    (folder,) = (study / "06_models/bundles").glob("covid_cxr-path_b-????????")
    return folder


@pytest.fixture(scope="module", params=["mean_logit", "mean_rank"])
def ensemble(run_kedro, study, request):
    """Return a rule, and the folder of the bundle of all paths by it."""
    run_kedro("bundle", data_root=study, params={"bundle": {"path": request.param}})
    (folder,) = (study / "06_models/bundles").glob(
        f"covid_cxr-{request.param}-????????"
    )
    return request.param, folder


@pytest.fixture(scope="module")
def ensembles(study):
    """Return the scores of the study's ensembles on its test part, by image."""
    paths = {
        path.name: pd.read_parquet(
            study / f"07_model_output/{path.name}_phase3_scores.parquet"
        )
        for path in current().paths
    }
    return combine(parts_of(arrange_paths(**paths)))


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


BUNDLING = Bundling(
    path="b",
    refused_share=0.01,
    coverage=0.9,
    max_distance=20,
    max_difference=1e-5,
    tolerance=1e-4,
    seed=1,
)


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

    assert bundle.record["origin"]["members"][0]["trainings"][1] == "path_b.phase2"
    assert found == expected


def test_keras_gives_the_scores_of_the_study_bit_for_bit(
    bundled, study, held_out, boxes
):
    classifier = KerasModelDataset(filepath=str(bundled / "path_b" / KERAS)).load()
    bundle = open_bundle(bundled, networks={"path_b": KerasNetwork(classifier)})
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


def test_an_ensemble_gives_the_scores_of_the_study_bit_for_bit(
    ensemble, ensembles, study, held_out, boxes
):
    rule, folder = ensemble
    networks = {
        path.name: KerasNetwork(
            KerasModelDataset(filepath=str(folder / path.name / KERAS)).load()
        )
        for path in current().paths
    }
    bundle = open_bundle(folder, networks=networks)
    record = {**bundle.record, "youngest_years": None}
    whole = dataclasses.replace(bundle, record=record)

    files = raw_files(study, held_out["file"])
    table = whole.predict(files, boxes=boxes_of(files, boxes))

    scores = pd.Series(table["score"].to_numpy(), held_out["image_id"].to_numpy())
    expected = ensembles[rule]
    np.testing.assert_array_equal(scores[expected.index], expected)


def test_an_ensemble_of_onnx_gives_the_scores_of_the_study(
    ensemble, ensembles, study, held_out, boxes
):
    rule, folder = ensemble
    test = held_out[held_out["part"] == "test"]
    files = raw_files(study, test["file"])

    bundle = open_bundle(folder.with_suffix(".zip"))
    table = bundle.predict(files, boxes=boxes_of(files, boxes))

    assert bundle.check() < 1e-5
    expected = ensembles.loc[test["image_id"], rule].to_numpy()
    difference = np.abs(table["score"] - expected)
    assert table["score"].notna().mean() >= 0.8, table["reason"].tolist()
    assert difference.max() < 1e-5
    trainings = [one["trainings"] for one in bundle.record["origin"]["members"]]
    assert len(trainings) == len(current().paths)
    assert rule in (folder / "bundle.json").read_text()


def test_thresholds_of_an_ensemble_are_chosen_on_its_own_validation_scores(
    ensemble, study
):
    rule, folder = ensemble
    tables = {
        path.name: pd.read_parquet(
            study / f"07_model_output/{path.name}_phase3_scores.parquet"
        )
        for path in current().paths
    }
    together = score_together(tables, rule=rule, label="covid19")
    validation = together[together["part"] == "validation"]
    is_case = validation["covid19"].to_numpy(bool)
    scores = validation["covid19_score"].to_numpy()

    def youden(threshold):
        called = scores >= threshold
        return called[is_case].mean() + (~called[~is_case]).mean()

    points = json.loads((folder / "bundle.json").read_text())["operating_points"]

    (chosen,) = (p["threshold"] for p in points if p["rule"] == "youden")
    assert youden(chosen) == pytest.approx(max(map(youden, scores)))


def test_the_command_cuts_by_the_table_of_the_study(bundled, study, held_out, tmp_path):
    test = held_out[held_out["part"] == "test"]
    (tmp_path / "images").mkdir()
    for file in raw_files(study, test["file"]):
        (tmp_path / "images" / file.name).symlink_to(file)
    crops = study / "01_raw/covid/crops.csv"

    CliRunner().invoke(
        predict,
        [
            *map(str, (bundled, tmp_path / "images", "-o", tmp_path / "out")),
            *("--crops", str(crops), "--workers", "1"),
        ],
        catch_exceptions=False,
    )

    table = pd.read_csv(tmp_path / "out/predictions.csv").set_index("file")
    found = table.loc[[Path(file).name for file in test["file"]]]
    cut = set(pd.read_csv(crops)["image"])
    assert found["steps"].str.contains("cropped to").sum() == len(
        cut & {Path(file).name for file in test["file"]}
    )
    difference = np.abs(found["score"] - test["covid19_score"].to_numpy())
    assert found["score"].notna().mean() >= 0.8
    assert difference.max() < 1e-5


def test_images_whose_label_is_unknown_do_not_count(made_with, study, bundled):
    members, tables = made_with
    content = {"path_b/model.onnx": (bundled / "path_b/model.onnx").read_bytes()}
    exported = Exported(content=content, self_test={})
    scores = pd.read_parquet(study / "07_model_output/path_b_phase3_scores.parquet")
    labelled = scores[scores["part"] == "validation"].index
    labels = scores["covid19"].astype("boolean")
    labels[labelled[:2]] = pd.NA
    stated = {
        "members": members,
        "exported": exported,
        "seen": remember_pictures(members, **tables),
        "examples": tables["phase3_examples"],
        "curated": tables["covid_curated"],
        "bundle": BUNDLING,
    }

    fitted, _ = fit_to_validation(scores=scores.assign(covid19=labels), **stated)
    expected, _ = fit_to_validation(scores=scores.drop(labelled[:2]), **stated)

    assert fitted == expected


def test_two_patients_make_a_bundle_that_says_what_it_does_not_know(
    made_with, study, bundled
):
    members, tables = made_with
    content = {"path_b/model.onnx": (bundled / "path_b/model.onnx").read_bytes()}
    scores = pd.read_parquet(study / "07_model_output/path_b_phase3_scores.parquet")
    validation = scores[scores["part"] == "validation"]
    first = validation.drop_duplicates("covid19")["patient_id"]
    fitted, _ = fit_to_validation(
        members=members,
        exported=Exported(content=content, self_test={}),
        seen=remember_pictures(members, **tables),
        scores=validation[validation["patient_id"].isin(first)],
        examples=tables["phase3_examples"],
        curated=tables["covid_curated"],
        bundle=BUNDLING,
    )

    record = {"preprocessing": {"cropped_share": 0}, **fitted}
    said = " ".join(reservations(record))

    assert fitted["gate"]["limit"] is None
    assert "0 patients are too few to refuse" in said
    assert "1 patients with the finding and 1 without are too few to cover" in said


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
    members = StudyMembers(rule="alone", provenances={"path_b": provenance}, known={})
    return members, tables


def test_another_split_than_the_trained_one_is_refused(made_with):
    members, tables = made_with
    examples = tables["phase1_examples"]
    tables["phase1_examples"] = examples.where(examples.radiographs.index > 0)

    with pytest.raises(ValueError, match="not the one that phase1 was trained with"):
        remember_pictures(members, **tables)


def test_a_shared_training_is_checked_in_every_path(made_with):
    members, tables = made_with
    (newer,) = members.provenances.values()
    older = json.loads(json.dumps(newer))
    general = next(one for one in older["parents"] if one["stage"] == "phase1")
    general["split_sha256"] = "of another run"
    both = {"path_b": older, "path_c": newer | {"stage": "path_c.phase3"}}
    members = dataclasses.replace(members, rule="mean_logit", provenances=both)

    with pytest.raises(ValueError, match="not the one that phase1 was trained with"):
        remember_pictures(members, **tables)


def test_what_a_path_was_trained_on_is_needed(made_with):
    members, tables = made_with
    tables["phase2_nih_examples"] = None

    with pytest.raises(
        FileNotFoundError, match=r"path_b\.phase2 was trained on phase2_nih_examples"
    ):
        remember_pictures(members, **tables)


def test_a_path_of_the_target_alone_needs_nothing_else_of_the_study(
    run_kedro, study, tmp_path
):
    """As in conf/public, whose users have the cohort of phase 3 alone."""
    for kept in ("covid*", "phase3*", "path_f*"):
        for place in study.glob(f"0[35-7]_*/{kept}"):
            other = tmp_path / place.relative_to(study)
            copy = shutil.copytree if place.is_dir() else shutil.copy2
            other.parent.mkdir(exist_ok=True)
            copy(place, other)

    run_kedro("bundle", data_root=tmp_path, params={"bundle": {"path": "f"}})

    (folder,) = (tmp_path / "06_models/bundles").glob("covid_cxr-path_f-????????")
    split = pd.read_parquet(study / "05_model_input/phase3_split.parquet")
    curated = pd.read_parquet(study / "03_primary/covid_curated.parquet")
    trained = split.loc[split["part"] == "train", "image_id"]
    pictures = curated[curated["image_id"].isin(trained)]["pixels_sha256"]
    bundle = open_bundle(folder)
    assert bundle.record["seen"]["n_training"] == pictures.nunique()
    assert bundle.check() < 1e-5


def test_a_trained_picture_that_is_curated_no_more_stops_the_bundle(made_with):
    members, tables = made_with
    drawn = tables["phase3_examples"].part("train").radiographs["image_id"]
    curated = tables["covid_curated"]
    tables["covid_curated"] = curated[curated["image_id"] != drawn[0]]

    with pytest.raises(ValueError, match=f"covid_curated, such as {drawn[0]}"):
        remember_pictures(members, **tables)


def test_the_youngest_patient_is_one_that_the_training_had(study, bundled):
    split = pd.read_parquet(study / "05_model_input/phase3_split.parquet")
    curated = pd.read_parquet(study / "03_primary/covid_curated.parquet")
    known = split.loc[split["part"] != "test", "image_id"]
    years = curated.set_index("image_id").loc[known, "age_years"]

    record = json.loads((bundled / "bundle.json").read_text())

    assert record["youngest_years"] == pytest.approx(years.min())


def test_a_path_that_there_is_not_is_named(run_kedro, study, bundled):
    with pytest.raises(ValueError, match=r"'x'.*paths a, b.*mean_rank"):
        run_kedro("bundle", data_root=study, params={"bundle": {"path": "x"}})
