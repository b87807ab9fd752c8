"""Tracking by MLflow, where the optional extra is installed."""

import importlib.util
import sqlite3

import pytest
from kedro.config import OmegaConfigLoader


def test_the_runs_are_kept_in_a_database_below_the_data_root(project, tmp_path):
    loader = OmegaConfigLoader(
        str(project / "conf"),
        env="mlflow",
        base_env="base",
        default_run_env="local",
        config_patterns={"mlflow": ["mlflow*"]},
        runtime_params={"data_root": str(tmp_path)},
    )
    uri = loader["mlflow"]["server"]["mlflow_tracking_uri"]

    assert uri == f"sqlite:///{tmp_path}/mlflow.db"


@pytest.mark.skipif(
    importlib.util.find_spec("kedro_mlflow") is None,
    reason="the extra `mlflow` is not installed",
)
def test_a_run_is_tracked_with_its_parameters(kedro_process, hospital):
    finished = kedro_process(
        "run",
        "--env=mlflow",
        "--pipelines=ingestion",
        f"--params=data_root={hospital}",
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    with sqlite3.connect(hospital / "mlflow.db") as store:
        status = store.execute("SELECT status FROM runs").fetchall()
        parameters = dict(store.execute("SELECT key, value FROM params").fetchall())
    store.close()
    assert status == [("FINISHED",)]
    assert "nih_patient" in parameters["rsna_ingestion"]
