"""Leave one site out: phase 3 trained without a site, tested there."""

import json
import shutil

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.pipeline_registry import register_pipelines
from covid_cxr.pipelines.sites.pipeline import create_pipeline
from covid_cxr.report.sections import sections_of
from covid_cxr.study.current import current


@pytest.fixture(scope="module")
def sites(run_kedro, study, tmp_path_factory):
    """Return a copy of the study's data root to which path f's sites were added."""
    data_root = tmp_path_factory.mktemp("sites") / "data"
    shutil.copytree(study, data_root)
    run_kedro("sites", data_root=data_root, tags=["path_f"])
    run_kedro("reporting", data_root=data_root, node_names=["reporting.write_report"])
    return data_root


def test_the_sites_of_one_path_need_nothing_of_the_others():
    free = create_pipeline().only_nodes_with_tags("path_c").inputs()

    assert {n for n in free if n.startswith("p") and not n.startswith("params:")} == {
        *("phase1_classifier", "phase1_provenance"),
        *("phase3_split", "phase3_examples"),
        *("path_c_phase3_scores", "path_c_site_state"),
    }
    assert "params:path_c.phase3.recipe" in free


def test_every_path_has_one_node_that_trains_and_no_whole_study_has_it():
    pipelines = register_pipelines()

    trainings = [n.name for n in pipelines["sites"].nodes if "gpu" in n.tags]
    assert sorted(trainings) == [f"{p.name}.sites.train" for p in current().paths]
    for name in ("__default__", "demo", "path_b"):
        assert not {n.name for n in pipelines[name].nodes} & set(trainings)


def test_no_patient_of_the_site_that_is_left_out_is_trained_on(sites):
    splits = pd.read_parquet(sites / "05_model_input/site_splits.parquet")
    curated = pd.read_parquet(sites / "03_primary/covid_curated.parquet")

    assert splits["site"].nunique() >= 2
    for site, split in splits.groupby("site"):
        assert split.groupby("patient_id")["part"].nunique().max() == 1
        there = curated.loc[curated["site"] == site]
        learned = split[split["part"] != "test"]
        assert set(learned["patient_id"]).isdisjoint(there["patient_id"])
        tested = split.loc[split["part"] == "test", "image_id"]
        assert sorted(tested) == sorted(there["image_id"])


def test_every_site_has_the_auroc_of_its_own_scores(sites):
    scores = pd.read_parquet(sites / "07_model_output/path_f_site_scores.parquet")
    table = pd.read_csv(sites / "08_reporting/path_f_site_results.csv")
    table = table.set_index("site")

    test = scores[scores["part"] == "test"]
    assert not test.duplicated("image_id").any()
    for site, rows in test.groupby("site"):
        auroc = roc_auc_score(rows["covid19"], rows["covid19_score"])
        assert table.loc[site, "auroc"] == pytest.approx(auroc)
        assert table.loc[site, "images"] == len(rows)


def test_every_training_tells_where_it_comes_from(sites):
    record = json.loads((sites / "06_models/path_f_site_provenance.json").read_text())
    splits = pd.read_parquet(sites / "05_model_input/site_splits.parquet")

    assert set(record) == set(splits["site"])
    for site, training in record.items():
        assert training["stage"] == f"path_f.without {site}.phase3"
        assert [parent["stage"] for parent in training["parents"]] == ["initial"]
    hashes = {training["split_sha256"] for training in record.values()}
    assert len(hashes) == len(record)


def test_the_report_shows_the_sites_of_the_paths_that_were_run(sites, study):
    with_sites = (sites / "08_reporting/report.html").read_text()
    without = (study / "08_reporting/report.html").read_text()

    assert 'id="sites-path_f"' in with_sites
    assert 'id="sites-path_f-figure"' in with_sites
    assert 'id="sites-path_a"' not in with_sites
    assert 'href="#sites"' in with_sites
    assert 'id="sites' not in without


def test_what_was_not_run_leaves_no_section():
    parts = {"table3": 1, "path_a_site_results": None, "path_a_site_figure": None}

    shown = [section.name for section in sections_of(parts, ["path_a"])]

    assert "summary" in shown
    assert "sites" not in shown
