"""A study whose trainings each learn from several cohorts, from raw files to report."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.validation.exceptions import ParameterValidationError

from covid_cxr.study.current import choose, current

pytestmark = pytest.mark.slow
ENV = "two_general"
STUDY = """\
cohorts:
  nih: {source: nih}
  stanford: {source: chexpert, title: Our CheXpert}
  covid: {source: covid}
general:
  cohorts:
    nih: {split: {label: pneumonia, test: official, validation: 0.25}}
    stanford:
      labels: [effusion, lung_opacity]
      split: {label: lung_opacity, test: official, validation: 0.3}
  labels: [pneumonia, effusion, lung_opacity]
related:
  both:
    cohorts:
      nih: {split: {eligible: official_test, validation: 0.34}}
      stanford: {labels: [pneumonia], split: {validation: 0.3}}
    labels: [pneumonia]
target:
  cohort: covid
  labels: [covid19]
  name: COVID-19
  reference: RT-PCR
  split: {test: 0.3, validation: 0.3}
paths:
  a: [general, both, target]
  b: [target]
"""


@pytest.fixture(scope="module")
def run(project, tmp_path_factory):
    """Return a function that runs pipelines of the study in this process."""
    before = current()
    conf = tmp_path_factory.mktemp("conf") / "conf"
    shutil.copytree(project / "conf", conf)
    shutil.copytree(conf / "test", conf / ENV)
    (conf / ENV / "study.yml").write_text(STUDY)
    for unused in ("parameters_curation.yml", "parameters_ingestion.yml"):
        (conf / ENV / unused).unlink()
    (conf / ENV / "parameters_pooled.yml").write_text("""\
curation: {size_px: 32, shard_images: 8}
duplicates: {min_correlation: 0.97}
nih_ingestion: {max_unmatched_share: 0.5}
covid_ingestion: {max_unmatched_share: 0.5}
defects: {in_two_cohorts: 1}
synthesis: {images: {stanford: 60}}
""")

    def session(*names, data_root, params=None):
        with KedroSession.create(
            project,
            env=ENV,
            conf_source=str(conf),
            runtime_params={"data_root": str(data_root), **(params or {})},
        ) as opened:
            return opened.run(pipeline_names=list(names))

    yield session
    choose(before)
    pipelines.configure("covid_cxr.pipeline_registry")


@pytest.fixture(scope="module")
def reported(run, tmp_path_factory):
    data_root = tmp_path_factory.mktemp("two_general")
    run("demo", data_root=data_root)
    return data_root


def read(root, place):
    return pd.read_parquet(root / f"{place}.parquet")


def test_every_curated_image_is_in_the_pooled_set_once_or_left_out(reported):
    for name in ("phase1", "phase2_both"):
        places = [
            read(reported, f"05_model_input/{name}_{kind}")["image_id"]
            for kind in ("split", "left_out")
        ]
        curated = read(reported, f"03_primary/{name}_curated")["image_id"]
        assert sorted(pd.concat(places)) == sorted(curated)
        assert set(curated.str.partition(":")[0]) == {"nih", "stanford"}
    split = read(reported, "05_model_input/phase1_split")
    assert split.groupby("patient_id")["part"].nunique().max() == 1
    assert set(split["part"]) == {"train", "validation", "test"}


def test_an_image_does_not_count_for_what_its_cohort_does_not_tell(reported):
    scores = read(reported, "07_model_output/phase1_scores")
    cohort = scores["image_id"].str.partition(":")[0]

    known = scores[["pneumonia", "effusion", "lung_opacity"]].notna()
    told = known.groupby(cohort).mean()
    assert told.loc["nih"].tolist() == [1, 1, 0]
    # Phase 2 has pneumonia from the table of CheXpert; phase 1 is to do without.
    assert told.loc["stanford", "pneumonia"] == 0
    assert (told.loc["stanford", ["effusion", "lung_opacity"]] > 0.7).all()
    # Of some images its reports leave open (-1) whether there is an effusion.
    curated = read(reported, "03_primary/stanford_curated")
    assert 0.7 < curated["effusion"].notna().mean() < 1
    table = pd.read_csv(reported / "08_reporting/table1.csv").set_index("finding")
    test = scores[scores["part"] == "test"]
    for label in known:
        tested = test[label].dropna()
        assert table.loc[label, "cases"] == tested.sum()
        assert table.loc[label, "controls"] == (~tested).sum()


def test_the_pixels_are_those_of_each_images_own_store(reported, run):
    """The intensity was measured on them: it is the mean of all training pixels."""
    record = json.loads((reported / "06_models/phase1_provenance.json").read_text())
    split = read(reported, "05_model_input/phase1_split")
    trained = split.loc[split["part"] == "train", "image_id"]
    means = pd.concat(
        read(reported, f"03_primary/{cohort}_curated").assign(
            image_id=lambda table, cohort=cohort: cohort + ":" + table["image_id"]
        )
        for cohort in ("nih", "stanford")
    ).set_index("image_id")["mean"]

    assert (
        record["intensity"]["n_images"] == len(trained) == record["n_images"]["train"]
    )
    np.testing.assert_allclose(record["intensity"]["mean"], means[trained].mean())
    assert record["labels"] == ["pneumonia", "effusion", "lung_opacity"]


def test_the_report_says_which_cohort_tells_what(reported):
    report = (reported / "08_reporting/report.html").read_text()

    assert "Told by" in report
    assert "Our CheXpert" in report
    flow = pd.read_csv(reported / "08_reporting/flow.csv")
    drawn = flow[flow["training_set"] == "phase1"]
    assert set(drawn["cohort"]) == {"nih", "stanford"}


def test_what_the_pool_changes_can_be_changed_from_the_command_line(run, reported):
    with pytest.raises(ValueError, match=r"stanford\.validation meant"):
        run(
            "curation",
            data_root=reported,
            params={"phase1_split": {"stanford": {"vaildation": 0.5}}},
        )
    with pytest.raises(ParameterValidationError, match="must be a share above 0"):
        run(
            "curation",
            data_root=reported,
            params={"phase1_split": {"stanford": {"validation": -1}}},
        )
