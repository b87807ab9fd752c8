"""A target of several findings, from raw files to the report, against scikit-learn."""

import itertools
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from sklearn.metrics import roc_auc_score

from covid_cxr.study.current import choose, current

pytestmark = pytest.mark.slow
ENV = "several_tiny"
LABELS = ["pneumothorax", "effusion", "tuberculosis", "nodule"]
STUDY = """\
cohorts:
  nih: {source: nih}
  chest: {source: manifest, title: Chest clinic, short: Clinic}
general:
  cohort: nih
  labels: [effusion, pneumonia]
  split:
    {label: pneumonia, test: official, validation: 0.25, validation_positives: 0.34}
target:
  cohort: chest
  labels: [pneumothorax, effusion, tuberculosis, nodule]
  name:
    pneumothorax: air beside the lung
    effusion: pleural fluid
    tuberculosis: tuberculosis
    nodule: nodule
  reference:
    {pneumothorax: CT, effusion: ultrasound, tuberculosis: sputum culture, nodule: CT}
  split: {label: effusion, test: 0.4, validation: 0.3}
starts:
  shallow: {blocks: [1]}
paths:
  a: [general, target]
  b: [target]
  c: {start: shallow, stages: [target]}
"""
PARAMETERS = """\
nih_ingestion: {max_unmatched_share: 0.5}
network:
  {size_px: 32, blocks: [1, 1], growth_rate: 4, initial_filters: 8, weights: none}
curation: {size_px: 32, shard_images: 8, workers: 1}
duplicates: {min_correlation: 0.97}
phase1: {recipe: {max_epochs: 1, learning_rate: 0.05}}
phase3:
  recipe: {max_epochs: 1, learning_rate: 0.05}
  repetition: {n_seeds: 2}
  saliency: {randomised_images: 4}
evaluation: {bootstrap_replicates: 100}
synthesis:
  nih_images: 120
  rsna_images: 60
  images: {chest: 90}
  raw_size_px: 64
  least_patients: 3
  workers: 1
"""


@pytest.fixture(autouse=True, scope="module")
def _same_study_after():
    before = current()
    yield
    choose(before)
    pipelines.configure("covid_cxr.pipeline_registry")


@pytest.fixture(scope="module")
def run(project, tmp_path_factory):
    """Return a function that runs pipelines of the study above in this process."""
    conf = tmp_path_factory.mktemp("conf") / "conf"
    shutil.copytree(project / "conf", conf)
    (conf / ENV).mkdir()
    (conf / ENV / "study.yml").write_text(STUDY)
    (conf / ENV / "parameters.yml").write_text(PARAMETERS)

    def session(*names, data_root):
        with KedroSession.create(
            project,
            env=ENV,
            conf_source=str(conf),
            runtime_params={"data_root": str(data_root)},
        ) as opened:
            return opened.run(pipeline_names=list(names))

    return session


@pytest.fixture(scope="module")
def root(run, tmp_path_factory):
    """Return the data root of the whole study.

    Some radiographs know nothing of pneumothorax, and no patient of the test part has
    tuberculosis.
    """
    data_root = tmp_path_factory.mktemp("several")
    run("synthesis", "ingestion", "curation", data_root=data_root)
    place = data_root / "01_raw/chest/manifest.csv"
    manifest = pd.read_csv(place, dtype="str")
    split = pd.read_parquet(data_root / "05_model_input/phase3_split.parquet")
    tested = split.loc[split["part"] == "test", "image_id"]
    manifest.loc[manifest.index % 4 == 0, "pneumothorax"] = ""
    manifest.loc[manifest["image"].isin(tested), "tuberculosis"] = "negative"
    manifest.to_csv(place, index=False)
    run("__default__", "pooled", data_root=data_root)
    return data_root


@pytest.fixture(scope="module")
def tables(root):
    """Return a function that reads a table of the report."""
    return lambda name: pd.read_csv(root / f"08_reporting/{name}.csv")


@pytest.fixture(scope="module")
def test_scores(root):
    """Return the scores of the test part, by path."""
    found = {}
    for letter in "abc":
        table = pd.read_parquet(
            root / f"07_model_output/path_{letter}_phase3_scores.parquet"
        )
        found[f"path_{letter}"] = table[table["part"] == "test"]
    return found


def test_table_3_has_the_auroc_of_each_finding_of_the_images_that_know_it(
    tables, test_scores
):
    table3 = tables("table3").set_index(["finding", "path"])["auroc"]

    for path, table in test_scores.items():
        assert table["pneumothorax"].isna().any()
        aurocs = []
        for label in ["pneumothorax", "effusion", "nodule"]:
            known = table[table[label].notna()]
            expected = roc_auc_score(known[label].astype(bool), known[f"{label}_score"])
            assert table3[label, path] == pytest.approx(expected)
            aurocs.append(expected)
        assert table3["macro_average", path] == pytest.approx(np.mean(aurocs))


def test_a_finding_without_positives_says_so_and_the_others_go_on(tables):
    table3 = tables("table3")
    without = table3[table3["finding"] == "tuberculosis"]

    assert list(without["path"]) == ["path_a", "path_b", "path_c"]
    assert without["auroc"].isna().all()
    assert without["reason"].str.fullmatch(r"no case among \d+ radiographs").all()
    assert table3.loc[table3["finding"] != "tuberculosis", "reason"].isna().all()


def test_all_findings_and_pairs_are_one_family_that_counts_what_was_planned(tables):
    pairs, adjusted = tables("table4"), tables("table5")

    keys = ["finding", "first", "second"]
    expected = [
        (label, first, second)
        for label in LABELS
        for first, second in itertools.combinations(["path_a", "path_b", "path_c"], 2)
    ]
    assert list(pairs[keys].itertuples(index=False, name=None)) == expected
    assert adjusted[keys].equals(pairs[keys])
    p = pairs["p_clustered"].to_numpy()
    np.testing.assert_allclose(adjusted["p_clustered"], np.minimum(12 * p, 1))
    np.testing.assert_allclose(adjusted["p_holm"], slow_holm(p))
    known = adjusted[adjusted["finding"] != "tuberculosis"]
    assert (known["p_max_t"] <= known["p_clustered"] + 0.01).all()
    assert adjusted["p_max_t"].isna().sum() == 3


def slow_holm(p_values):
    """Each hypothesis in turn, with how many are not rejected before it."""
    ranked = sorted(p_values, key=lambda p: 2 if np.isnan(p) else p)
    largest, found = 0.0, {}
    for place, p in enumerate(ranked):
        largest = max(largest, min(1, (len(ranked) - place) * p))
        found.setdefault(p, largest)
    return [np.nan if np.isnan(p) else found[p] for p in p_values]


@pytest.mark.parametrize(
    "name", ["auroc", "operating", "calibration", "subgroup", "ensemble"]
)
def test_what_is_beyond_aurocs_is_told_of_each_finding_with_an_auroc(tables, name):
    found = list(tables(name)["finding"].unique())

    assert found == ["pneumothorax", "effusion", "nodule"]


def test_seeds_and_the_pooled_control_are_told_of_each_finding(root, tables):
    seeds = tables("seed_variance")
    assert list(seeds["finding"].unique()) == ["pneumothorax", "effusion", "nodule"]
    assert (seeds.groupby("finding").size() == 3).all()
    pooled = tables("pooled_comparison")
    assert (pooled.groupby("finding").size() == 4).all()


def test_what_is_asked_of_one_finding_only_is_of_the_stated_one(root, tables):
    maps = pd.read_parquet(root / "07_model_output/path_b_phase3_maps.parquet")
    scores = pd.read_parquet(root / "07_model_output/path_b_phase3_scores.parquet")
    of_image = scores.set_index("image_id")["effusion_score"]

    assert maps["score"].tolist() == of_image[maps["image_id"]].tolist()
    shortcuts = tables("shortcut")
    whole = shortcuts[shortcuts["input"] == "whole"].set_index("path")["auroc"]
    table3 = tables("table3")
    effusion = table3[table3["finding"] == "effusion"].set_index("path")["auroc"]
    np.testing.assert_allclose(whole, effusion)


def test_the_report_and_the_drafts_speak_of_the_findings_by_their_words(root):
    page = (root / "08_reporting/report.html").read_text("utf-8")
    bare = re.sub(r"<(style|script)\b.*?</\1>|data:[^\"']+", "", page, flags=re.S)
    said = " ".join(re.sub(r"<[^>]+>", " ", bare).split())

    assert "Three paths to a 4 findings classifier" in said
    assert "Tuberculosis has no AUROC on the test part: no case among" in said
    assert "AUROC of pleural fluid with a part of the radiograph hidden" in said
    assert "Air beside the lung" in said
    assert not re.search(r"covid-19|\bnan\b", said, re.IGNORECASE)
    for name in ("model_card", "claim_2024", "tripod_ai"):
        draft = (root / f"08_reporting/{name}.md").read_text("utf-8")
        assert "Air beside the lung: Path (" in draft
        assert "pleural fluid: ultrasound" in draft
        assert not re.search(r"\bnan\b", draft)
