"""The whole study on the smallest synthetic hospital, from raw files to report."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.study.current import current

SPLITS = ["phase1", "phase2_nih", "phase2_rsna", "phase3"]


def read(study, place):
    return pd.read_parquet(study / f"{place}.parquet")


@pytest.mark.parametrize("training_set", SPLITS)
def test_no_patient_is_in_two_parts(study, training_set):
    split = read(study, f"05_model_input/{training_set}_split")

    assert split.groupby("patient_id")["part"].nunique().max() == 1


@pytest.mark.parametrize("cohort", ["nih", "rsna", "covid"])
def test_every_listed_radiograph_is_curated_or_rejected(study, cohort):
    listed = set(read(study, f"02_intermediate/{cohort}_radiographs")["image_id"])
    curated = set(read(study, f"03_primary/{cohort}_curated")["image_id"])
    rejected = set(read(study, f"03_primary/{cohort}_rejected")["image_id"])

    assert listed <= curated | rejected
    assert curated.isdisjoint(rejected)


def test_the_study_trained_eleven_classifiers(study):
    models = sorted(path.name for path in (study / "06_models").glob("*.keras"))

    assert len(models) == 11 + 1  # and the one that every path starts from
    assert sum("phase1" in name for name in models) == 1
    assert sum("phase2" in name for name in models) == 4
    assert sum("phase3" in name for name in models) == 6


def test_all_six_paths_are_scored_on_the_same_test_images(study):
    tests = [
        read(study, f"07_model_output/{path.name}_phase3_scores").query("part=='test'")
        for path in current().paths
    ]

    for scores in tests:
        assert list(scores["image_id"]) == list(tests[0]["image_id"])
        assert scores["covid19_score"].between(0, 1).all()


def test_a_classifier_knows_everything_it_was_trained_on(study):
    record = json.loads((study / "06_models/path_a_phase3_provenance.json").read_text())

    text = json.dumps(record)
    assert all(stage in text for stage in ("phase1", "phase2", "phase3"))


def test_table_3_holds_what_the_scores_say(study):
    table = pd.read_csv(study / "08_reporting/table3.csv")
    for path, printed in zip(current().paths, table["auroc"], strict=True):
        scores = read(study, f"07_model_output/{path.name}_phase3_scores")
        test = scores[scores["part"] == "test"]

        assert roc_auc_score(test["covid19"], test["covid19_score"]) == pytest.approx(
            printed, abs=1e-9
        )


def test_every_table_and_figure_is_written(study):
    written = {path.stem for path in (study / "08_reporting").iterdir()}

    assert {f"table{n}" for n in range(1, 6)} <= written
    assert {f"figure{n}" for n in range(1, 8)} <= written


def test_every_path_is_scored_without_the_lungs(study):
    table = pd.read_csv(study / "08_reporting/shortcut.csv")

    of_paths = table.dropna(subset="path")
    assert of_paths["path"].nunique() == len(current().paths)
    assert (of_paths.groupby("path").size() == 5).all()
    assert (of_paths["images"] == of_paths["images"].iloc[0]).all()
    assert of_paths["images"].iloc[0] > 0
    assert {"intensity", "metadata: view"} <= set(table["input"])
    report = (study / "08_reporting/report.html").read_text()
    assert "What is left without the lungs" in report


def test_the_report_says_that_the_data_are_synthetic(study):
    report = (study / "08_reporting/report.html").read_text()

    assert "synthetic" in report.lower()


def test_one_path_alone_gives_its_own_report(run_kedro, study, capsys):
    of_scores = ["path_c.evaluation", "path_c.reporting"]
    run_kedro("path_c", data_root=study, namespaces=of_scores)

    place = study / "08_reporting/path_c/report.html"
    auroc = pd.read_csv(place.parent / "table3.csv").loc[0, "auroc"]
    said = capsys.readouterr().out
    assert "Path (c)" in place.read_text()
    assert "What is left without the lungs" in place.read_text()
    assert f"Report: {place}" in said
    assert f"{auroc:.3f}" in said


def test_a_second_run_gives_the_same_scores_to_the_last_digit(
    run_kedro, study, tmp_path
):
    run_kedro("synthesis", data_root=tmp_path)
    run_kedro("path_f", data_root=tmp_path)

    first = read(study, "07_model_output/path_f_phase3_scores")
    second = read(tmp_path, "07_model_output/path_f_phase3_scores")
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert np.isfinite(second["covid19_score"]).all()


@pytest.mark.filterwarnings("ignore:Option '--pipeline' is deprecated")
@pytest.mark.parametrize("option", ["--pipeline", "--pipelines"])
def test_a_path_is_run_from_the_command_line(option, kedro_command, hospital):
    listed = hospital / "02_intermediate/covid_radiographs.parquet"
    listed.unlink(missing_ok=True)

    finished = kedro_command(
        "run",
        "--env=test",
        f"{option}=path_f",
        "--to-outputs=covid_radiographs",
        f"--params=data_root={hospital}",
    )

    assert finished.exit_code == 0, finished.output
    assert listed.is_file()


def test_every_table_and_figure_of_the_report_is_there_for_print(study):
    folder = study / "08_reporting"
    tables = [*folder.glob("table*.csv"), folder / "leakage.csv"]

    assert len(tables) == 5 + 1
    for table in tables:
        assert r"\toprule" in table.with_suffix(".tex").read_text()
    for figure in folder.glob("*.png"):
        assert figure.with_suffix(".pdf").stat().st_size > 0
        assert figure.with_suffix(".svg").stat().st_size > 0


def test_the_splits_of_the_report_are_those_that_were_trained_on(study):
    facts = pd.read_csv(study / "08_reporting/provenance.csv").set_index("name")
    record = json.loads((study / "06_models/path_a_phase3_provenance.json").read_text())
    parents = {parent["stage"]: parent for parent in record["parents"]}

    for name, trained in {
        "phase1_split": parents["phase1"],
        "phase2_rsna_split": parents["path_a.phase2"],
        "phase3_split": record,
    }.items():
        assert facts.loc[name, "value"] == trained["split_sha256"]
