"""One run at a time in a data root, and none that could not save what it computes."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from covid_cxr.data_root import DataRootHeldError, DataRootLock, refuse_unwritable

HOLDING = """
import sys
from pathlib import Path
from covid_cxr.data_root import DataRootLock
lock = DataRootLock(Path(sys.argv[1]))
lock.take()
print("taken", flush=True)
sys.stdin.readline()
lock.release()
"""


@pytest.fixture
def holder(project, tmp_path):
    """Return a process that has the lock of `tmp_path`, until it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "taken\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_with_the_first_ones_process_and_start(
    holder, run_kedro, tmp_path
):
    began = json.loads((tmp_path / ".run.json").read_text())["started"]

    with pytest.raises(DataRootHeldError, match=re.escape(began)) as refusal:
        run_kedro("synthesis", data_root=tmp_path)

    assert f"process {holder.pid} on " in str(refusal.value)
    assert {path.name for path in tmp_path.iterdir()} == {".run.lock", ".run.json"}


def test_a_run_that_is_killed_leaves_no_lock_behind(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()

    lock = DataRootLock(tmp_path)
    lock.take()
    lock.release()

    assert not (tmp_path / ".run.json").exists()


def test_a_run_that_ends_lets_the_next_one_in(holder, tmp_path):
    holder.communicate("end\n")

    DataRootLock(tmp_path).take()


def test_two_data_roots_have_two_locks(holder, tmp_path):
    DataRootLock(tmp_path / "other").take()


@pytest.mark.parametrize("pipeline", ["ingestion", "synthesis"])
def test_a_run_that_fails_lets_the_next_one_in(run_kedro, tmp_path, pipeline):
    (tmp_path / "01_raw").write_text("a file, where a folder is needed")

    for _ in range(2):
        with pytest.raises(Exception, match=r"01_raw|missing") as error:
            run_kedro(pipeline, data_root=tmp_path)
        assert error.type is not DataRootHeldError
    DataRootLock(tmp_path).take()  # as another process would


def test_a_disk_without_locks_is_said_and_another_fault_is_raised(
    tmp_path, monkeypatch, caplog
):
    def fail(self, *args, **options):
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(FileLock, "acquire", fail)
    fault = errno.ENOLCK
    DataRootLock(tmp_path).take()
    assert "has no locks" in caplog.text

    fault = errno.EACCES
    with pytest.raises(PermissionError):
        DataRootLock(tmp_path).take()


def test_folders_that_are_not_there_yet_are_no_fault(tmp_path):
    refuse_unwritable([tmp_path / "new" / "folder", tmp_path])


def test_what_cannot_be_written_is_said_before_the_first_node(
    run_kedro, tmp_path, caplog
):
    (tmp_path / "08_reporting").write_text("a file, where a folder is needed")

    with pytest.raises(PermissionError, match=r"no file can be written to .*08_rep"):
        run_kedro("comparison", data_root=tmp_path, params=comparison(tmp_path))

    assert "Running node" not in caplog.text


def test_a_folder_in_which_nobody_can_make_files_is_refused():
    read_only = Path("/proc/sys/kernel")  # even to the superuser
    if not read_only.exists() or os.access(read_only, os.W_OK):
        pytest.skip("needs a folder in which nobody can make files")

    with pytest.raises(PermissionError, match=r"/proc/sys/kernel.*data_root="):
        refuse_unwritable([read_only / "study" / "08_reporting"])


def comparison(folder):
    """Return parameters of a comparison of two small classifiers."""
    table = folder / "scores.csv"
    table.write_text("image,patient,label,part,a\n1,1,1,test,.5\n2,2,0,test,.4\n")
    return {"scores": str(table)}
