"""What the hooks refuse, fill in and say."""

import io
import logging
import os
import re
from dataclasses import replace

import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from kedro_datasets.text import TextDataset
from rich.console import Console

from covid_cxr import hooks
from covid_cxr.devices.backend import THREADS
from covid_cxr.hooks import ReportHooks, _mark_up_kedro_only
from covid_cxr.study.current import choose, current


def test_what_the_report_may_print_holds_no_secret_and_no_place(project, tmp_path):
    ingestion = {"layout": "ricord", "pseudonym_salt": "a secret of sixteen"}
    given = {"data_root": str(tmp_path), "covid_ingestion": ingestion}
    with KedroSession.create(project, env="test", runtime_params=given) as session:
        shown = session.load_context().catalog.load("params:printable")

    assert shown["covid_ingestion"]["layout"] == "ricord"
    assert shown["phase3"]["recipe"]["max_epochs"] == 1
    assert str(tmp_path) not in str(shown)
    assert "a secret of sixteen" not in str(shown)


def test_the_run_and_its_workers_are_told_the_number_of_threads(project, monkeypatch):
    for name in THREADS:
        monkeypatch.setenv(name, "7")  # is put back after the test
    given = {"compute": {"threads": 3}}
    with KedroSession.create(project, env="test", runtime_params=given) as session:
        session.load_context()

    assert [os.environ[name] for name in THREADS] == ["3", "3"]


def test_brackets_in_our_log_lines_are_no_markup():
    ours = logging.makeLogRecord({"name": "covid_cxr.sources.nih"})
    kedros = logging.makeLogRecord({"name": "kedro.io.data_catalog"})

    assert _mark_up_kedro_only(ours)
    assert _mark_up_kedro_only(kedros)
    assert (ours.markup, kedros.markup) == (False, True)


def test_brackets_in_the_last_word_are_no_markup(tmp_path, monkeypatch):
    before, said = current(), io.StringIO()
    choose(replace(before, target=replace(before.target, name="x [/y]")))
    monkeypatch.setattr(hooks, "get_console", lambda: Console(file=said, width=300))
    monkeypatch.setattr(hooks.RUN_CONSOLE, "log", tmp_path / "[bold]of me/run.log")
    place = tmp_path / "study [/v2]/report.html"
    row = {"path": "path_a", "auroc": 0.8, "lower": 0.7, "upper": 0.9}
    catalog = DataCatalog(
        {
            "table3": MemoryDataset(pd.DataFrame([{**row, "paper_auroc": 0.8}])),
            "report": TextDataset(filepath=str(place)),
            "params:reporting.level": MemoryDataset(0.95),
        }
    )
    whole = pipeline(
        [node(lambda level: level, "params:reporting.level", ["table3", "report"])]
    )

    try:
        ReportHooks().after_pipeline_run(whole, catalog)
    finally:
        choose(before)

    assert "X [/y] on the test part" in said.getvalue()
    assert f"Report: {place}\n" in said.getvalue()
    assert f"Log:    {tmp_path}/[bold]of me/run.log\n" in said.getvalue()


def test_missing_raw_files_stop_the_run_with_one_message(run_kedro, tmp_path):
    with pytest.raises(FileNotFoundError) as stopped:
        run_kedro("path_f", data_root=tmp_path)

    message = str(stopped.value)
    assert re.search(r"covid_images: .*01_raw/covid", message)
    assert "covid_crops" not in message  # it may be missing
    assert "--pipelines=synthesis" in message


def test_a_wrong_parameter_stops_the_run_before_any_node(run_kedro, hospital):
    with pytest.raises(Exception, match=r"learning_rate") as stopped:
        run_kedro(
            "path_f",
            data_root=hospital,
            params={"phase3": {"recipe": {"learning_rate": -1.0}}},
        )

    assert "-1" in str(stopped.value)


def test_an_unknown_parameter_stops_the_run_before_any_node(run_kedro, hospital):
    with pytest.raises(Exception, match=r"learning_speed"):
        run_kedro(
            "path_f",
            data_root=hospital,
            params={"phase3": {"recipe": {"learning_speed": 1.0}}},
        )
