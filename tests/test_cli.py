"""What the command line does beyond Kedro's."""

import os
import signal
import subprocess
import sys
import time

from covid_cxr.data_root import HOLDER, DataRootLock

PATIENCE = 120  # seconds until a run begins, on a busy machine


def test_an_interrupted_run_says_how_to_go_on_and_leaves_no_lock(project, tmp_path):
    run = subprocess.Popen(
        [
            *(sys.executable, "-m", "kedro", "run", "--env=test"),
            *("--pipelines=synthesis", f"--params=data_root={tmp_path}"),
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

    assert done.returncode == 0
    for option in ("--pipelines", "--params", "--runner", "--tags", "--from-nodes"):
        assert option in done.stdout
