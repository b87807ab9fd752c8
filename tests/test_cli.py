"""What the command line does beyond Kedro's."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from covid_cxr.data_root import HOLDER, DataRootLock

PATIENCE = 120  # seconds until a run begins, on a busy machine
DASK = ["--runner=covid_cxr.runners.DaskRunner", "--runner-params=n_workers=1"]


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on_and_leaves_no_lock(project, tmp_path):
    run = subprocess.Popen(
        [
            *(sys.executable, "-m", "kedro", "run", "--env=test"),
            # So many that it is not done before the signal comes.
            *("--pipelines=synthesis", "--params"),
            f"data_root={tmp_path},synthesis.images.nih=4000",
        ],
        cwd=project,
        env={**os.environ, "COLUMNS": "200", "DO_NOT_TRACK": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + PATIENCE
    while not (tmp_path / HOLDER).exists() and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    said, _ = run.communicate(timeout=PATIENCE)

    assert run.returncode == 130, said
    assert "--runner=covid_cxr.runners.ResumeRunner" in said
    DataRootLock(tmp_path).take()


def test_the_run_command_takes_what_kedros_takes(kedro_command):
    done = kedro_command("run", "--help")

    assert done.exit_code == 0
    for option in ("--pipelines", "--params", "--runner", "--tags", "--from-nodes"):
        assert option in done.stdout


@pytest.mark.parametrize(
    "workers", [[], pytest.param(DASK, marks=pytest.mark.slow)], ids=["here", "Dask"]
)
def test_an_error_that_its_message_explains_comes_without_a_traceback(
    hospital, kedro_process, tmp_path, workers
):
    shutil.copytree(hospital / "01_raw/covid", tmp_path / "01_raw/covid")
    (tmp_path / "01_raw/covid/manifest.csv").write_text("x,y\n")

    done = kedro_process(
        *("run", "--env=test", "--nodes=ingestion.list_covid"),
        *(f"--params=data_root={tmp_path}", *workers),
    )

    assert done.returncode == 1
    error, log = done.stderr.strip().splitlines()
    assert error.startswith("Error: covid_manifest (manifest.csv) lacks the columns")
    assert log == f"The log: {tmp_path / 'run.log'}"
    assert "Traceback" not in done.stdout
    kept = (tmp_path / "run.log").read_text()
    assert "Traceback" in kept
    # What a worker says is in the one log, too.
    [run] = re.findall(r"INFO (\d+) covid_cxr\.console\.hooks: the run ends", kept)
    loading = set(re.findall(r"INFO (\d+) kedro\.io", kept))
    assert len(loading) == 1
    assert (loading == {run}) == (not workers)
