"""The pooled control: trained once on all cohorts, judged as the paths are."""

import json
import shutil

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.pipelines.pooled.pipeline import create_pipeline
from covid_cxr.radiographs.store import open_store
from covid_cxr.study.current import current
from covid_cxr.training.kept_labels import keep_labels


@pytest.fixture(scope="module")
def pooled(run_kedro, study, tmp_path_factory):
    """Return a copy of the study's data root to which the control was added."""
    data_root = tmp_path_factory.mktemp("pooled") / "data"
    shutil.copytree(study, data_root)
    run_kedro("pooled", data_root=data_root)
    return data_root


def test_the_pooled_control_needs_the_study_and_nothing_else():
    free = {n for n in create_pipeline().inputs() if not n.startswith("params:")}

    scores = {f"{path.name}_phase3_scores" for path in current().paths}
    assert scores | {"initial_classifier", "initial_provenance"} <= free
    assert not {name for name in free if name.endswith(("_images", "_entries"))}


def test_it_is_trained_on_all_cohorts_and_all_labels(pooled):
    record = json.loads((pooled / "06_models/pooled_provenance.json").read_text())
    split = pd.read_parquet(pooled / "05_model_input/pooled_split.parquet")

    trained = split.loc[split["part"] == "train", "image_id"].str.partition(":")[0]
    assert set(trained) == {"nih", "rsna", "covid"}
    assert record["n_images"]["train"] == len(trained)
    assert len(record["labels"]) == 15
    assert [parent["stage"] for parent in record["parents"]] == ["initial"]


def test_no_patient_of_another_part_is_trained_on(pooled):
    split = pd.read_parquet(pooled / "05_model_input/pooled_split.parquet")
    phase3 = pd.read_parquet(pooled / "05_model_input/phase3_split.parquet")

    assert split.groupby("patient_id")["part"].nunique().max() == 1
    tested = set(phase3.loc[phase3["part"] == "test", "patient_id"])
    assert tested.isdisjoint(split.loc[split["part"] != "test", "patient_id"])
    # Test parts of cohorts before the target have no use here.
    own = phase3.loc[phase3["part"] == "test", "image_id"]
    kept = split.loc[split["part"] == "test", "image_id"]
    assert sorted(kept) == sorted("covid:" + own)


def test_it_is_scored_on_the_test_images_of_phase_3(pooled):
    folder = pooled / "07_model_output"
    scores = pd.read_parquet(folder / "pooled_scores.parquet")
    control = pd.read_parquet(folder / "path_f_phase3_scores.parquet")

    columns = ["image_id", "patient_id", "part", "covid19"]
    pd.testing.assert_frame_equal(scores[columns], control[columns])
    assert scores["covid19_score"].between(0, 1).all()


def test_the_target_is_normalised_as_the_pool_was_in_training(pooled):
    record = json.loads((pooled / "06_models/pooled_provenance.json").read_text())
    table = pd.read_parquet(pooled / "05_model_input/phase3_examples.parquet")
    scores = pd.read_parquet(pooled / "07_model_output/pooled_scores.parquet")
    place = pooled / "06_models/pooled_classifier.keras"
    classifier = keras.saving.load_model(place, compile=False)
    rows = table.set_index("image_id").loc[scores["image_id"].head(4), "row"]
    images = open_store(pooled / "03_primary/covid_store").read(rows.to_numpy())
    intensity = record["intensity"]

    grey = (images / 255 - intensity["mean"]) / intensity["standard_deviation"]
    told = classifier(grey[..., np.newaxis].astype(np.float32))
    expected = keras.ops.convert_to_numpy(told)[:, 14]
    np.testing.assert_allclose(scores["covid19_score"].head(4), expected, rtol=1e-3)


def test_the_comparison_holds_what_the_scores_say(pooled):
    table = pd.read_csv(pooled / "08_reporting/pooled_comparison.csv")
    table = table.set_index("training")
    scores = pd.read_parquet(pooled / "07_model_output/pooled_scores.parquet")
    test = scores[scores["part"] == "test"]
    auroc = roc_auc_score(test["covid19"], test["covid19_score"])

    assert list(table.index) == ["pooled", *(path.name for path in current().paths)]
    assert table.loc["pooled", "auroc"] == pytest.approx(auroc)
    others = table.drop(index="pooled")
    np.testing.assert_allclose(others["difference"], others["auroc"] - auroc, atol=1e-9)


def test_a_study_that_was_not_run_is_asked_for(run_kedro, tmp_path):
    with pytest.raises(FileNotFoundError, match="path_a_phase3_scores"):
        run_kedro("pooled", data_root=tmp_path)


def test_a_label_is_kept_as_the_classifier_told_it(pooled):
    place = pooled / "06_models/pooled_classifier.keras"
    classifier = keras.saving.load_model(place, compile=False)
    shape = (2, *classifier.input_shape[1:])
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)

    kept = keep_labels(classifier, [14])

    assert kept.output_shape == (None, 1)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(kept(images)),
        keras.ops.convert_to_numpy(classifier(images))[:, 14:],
        rtol=1e-5,
    )
