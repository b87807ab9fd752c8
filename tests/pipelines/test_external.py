"""A study's own bundle on the radiographs of another synthetic hospital."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.pipelines.external.pipeline import create_pipeline
from covid_cxr.prediction import open_bundle


@pytest.fixture(scope="module")
def other(run_kedro, tmp_path_factory):
    """Return the cohort's folder of a hospital of other patients."""
    root = tmp_path_factory.mktemp("other")
    run_kedro("synthesis", data_root=root, params={"synthesis": {"seed": 7}})
    return root / "01_raw/covid"


@pytest.fixture(scope="module")
def bundle(run_kedro, study):
    run_kedro("bundle", data_root=study, params={"bundle": {"path": "a"}})
    (folder,) = (study / "06_models/bundles").glob("covid_cxr-path_a-????????")
    return folder


@pytest.fixture(scope="module")
def results(run_kedro, study, other, bundle):
    asked = {"cohort": str(other), "bundle": str(bundle), "external": {"name": "other"}}
    run_kedro("external", data_root=study, params=asked)
    return study / "08_reporting/external/other"


def test_scores_are_those_of_the_bundle_by_itself(results, other, bundle):
    scores = pd.read_parquet(results / "images/scores.parquet")
    files = [next((other / "images").rglob(name)) for name in scores["image_id"]]

    crops = pd.read_csv(other / "crops.csv").set_index("image")
    cut = crops.loc[crops.index.isin([file.name for file in files])]
    boxes = {name: tuple(corners) for name, corners in cut.iterrows()}

    table = open_bundle(bundle).predict(files, boxes=boxes)

    assert boxes
    np.testing.assert_array_equal(scores["score"], table["score"])
    assert scores["reason"].fillna("").tolist() == table["reason"].fillna("").tolist()
    manifest = pd.read_csv(other / "manifest.csv").set_index("image")
    assert len(scores) == len(manifest)
    said = manifest.loc[scores["image_id"], "rt_pcr"] == "positive"
    assert scores["is_case"].tolist() == said.tolist()


def test_the_difference_is_that_to_the_studys_own_test(results, study):
    (row,) = pd.read_csv(results / "discrimination.csv").to_dict("records")
    own = pd.read_csv(study / "08_reporting/auroc.csv").set_index("classifier")
    scores = pd.read_parquet(results / "images/scores.parquet").dropna(subset="score")

    assert row["internal_auroc"] == pytest.approx(own.loc["path_a", "auroc"])
    assert row["auroc"] == pytest.approx(
        roc_auc_score(scores["is_case"], scores["score"])
    )
    if row["no_difference"] == row["no_difference"]:
        assert "no known error" in row["no_difference"]
        assert np.isnan(row["difference"])
    else:
        assert row["difference"] == pytest.approx(row["auroc"] - row["internal_auroc"])


def test_the_cohort_of_the_study_itself_is_refused(run_kedro, study, bundle, tmp_path):
    cohort = tmp_path / "own"
    cohort.mkdir()
    raw = study / "01_raw/covid"
    (cohort / "images").symlink_to(raw / "images")
    listed = pd.read_csv(raw / "manifest.csv").assign(source="covid")
    listed.to_csv(cohort / "manifest.csv", index=False)

    with pytest.raises(Exception, match="patients are in the study that made"):
        run_kedro(
            "external",
            data_root=study,
            params={"cohort": str(cohort), "bundle": str(bundle)},
        )


def test_its_pictures_are_known_whatever_its_patients_are_called(
    run_kedro, study, bundle
):
    asked = {"cohort": str(study / "01_raw/covid"), "bundle": str(bundle)}
    run_kedro(
        "external", data_root=study, params={**asked, "external": {"name": "same"}}
    )

    folder = study / "08_reporting/external/same"
    scores = pd.read_parquet(folder / "images/scores.parquet")
    split = pd.read_parquet(study / "05_model_input/phase3_split.parquet")
    trained = set(split.loc[split["part"] == "train", "image_id"])
    found = set(scores.loc[scores["was_trained_on"] == "yes", "image_id"])
    assert found == trained
    assert "copies" in set(pd.read_csv(folder / "flags.csv")["flag"])


def test_all_that_is_fitted_waits_for_the_primary_result(project):
    after = {n.name for n in create_pipeline().from_inputs("external_primary").nodes}

    assert {"tabulate_membership", "find_shortcuts", "recalibrate_at_site"} <= after
    before = create_pipeline().to_outputs("external_primary")
    assert not {n.name for n in before.nodes} & after
