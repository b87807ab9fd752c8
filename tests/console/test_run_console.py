"""Where a run's lines go: the log all, the console what is for people."""

import io
import logging
import os
import pty
import subprocess
import sys

import pytest
import yaml
from rich.console import Console

from covid_cxr.console import run_console
from covid_cxr.console.channels import NOTE
from covid_cxr.console.run_console import VERBOSE, RunConsole


@pytest.fixture
def written(project, monkeypatch, tmp_path):
    """Return a function that says things in a run; it returns console and log."""

    def write(*, verbose):
        monkeypatch.setenv(VERBOSE, verbose)
        settings = yaml.safe_load((project / "conf/logging.yml").read_text())
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setLevel(settings["handlers"]["console"]["level"])
        kept, logging.root.handlers[:] = logging.root.handlers[:], [handler]
        monkeypatch.setattr(logging.root, "level", logging.INFO)
        console = RunConsole()
        console.begin(tmp_path, {}, Console(file=io.StringIO()))
        try:
            logging.getLogger("covid_cxr.training").log(NOTE, "trained")
            logging.getLogger("covid_cxr.audit").warning("a leak")
            logging.getLogger("kedro.io").info("Loading data")
            logging.getLogger("distributed.nanny").warning("still alive")
            logging.getLogger("distributed.worker.memory").warning("memory is short")
            os.write(2, b"Could not find cuda drivers\n")
        finally:
            console.end()
            logging.root.handlers[:] = kept
        return stream.getvalue().splitlines(), (tmp_path / "run.log").read_text()

    return write


def test_people_read_notes_and_warnings_and_the_log_has_all(written):
    shown, log = written(verbose="")

    assert shown == ["trained", "a leak", "memory is short"]
    for line in (*shown, "Loading data", "still alive", "cuda drivers"):
        assert line in log


def test_a_verbose_run_shows_all(written):
    shown, _ = written(verbose="1")

    assert {"Loading data", "still alive"} <= set(shown)


def test_standard_error_is_given_back(tmp_path):
    code = (
        "import os, pathlib, sys; from rich.console import Console\n"
        "from covid_cxr.console.run_console import RUN_CONSOLE\n"
        "RUN_CONSOLE.begin(pathlib.Path(sys.argv[1]), {}, Console())\n"
        "os.write(2, b'during')\n"
        "RUN_CONSOLE.end()\n"
        "os.write(2, b'after')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        env={**os.environ, VERBOSE: ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == "after"
    assert (tmp_path / "run.log").read_text() == "during"


def test_standard_error_follows_the_log_when_it_is_put_aside(tmp_path, monkeypatch):
    monkeypatch.setenv(VERBOSE, "")
    monkeypatch.setattr(run_console, "LOG_BYTES", 1000)
    monkeypatch.setattr(logging.root, "level", logging.INFO)
    kept, logging.root.handlers[:] = logging.root.handlers[:], []
    console = RunConsole()
    console.begin(tmp_path, {}, Console(file=io.StringIO()))
    try:
        os.write(2, b"before\n")
        child = subprocess.Popen(
            ["/bin/sh", "-c", "read _; echo of a child >&2"], stdin=subprocess.PIPE
        )
        logging.getLogger("covid_cxr").info("first")
        logging.getLogger("covid_cxr").info("x" * 1000)
        os.write(2, b"of this process\n")
        child.communicate(b"\n")
    finally:
        console.end()
        logging.root.handlers[:] = kept

    aside, log = (tmp_path / name for name in ("run.log.1", "run.log"))
    assert aside.read_text().startswith("before\n")
    assert aside.read_text().endswith("first\n")
    assert log.read_text().endswith("xxx\nof this process\nof a child\n")
    assert log.read_bytes()[:4] != b"\0" * 4


def test_a_terminal_shows_nodes_at_work_below_the_lines_and_is_given_back(tmp_path):
    code = (
        "import logging, pathlib, sys, time; from rich import get_console\n"
        "import kedro.framework.project\n"
        "from covid_cxr.console.channels import tell_node\n"
        "from covid_cxr.console.run_console import RUN_CONSOLE\n"
        "root, steps = pathlib.Path(sys.argv[1]), {'curate': 'a', 'train': 'b'}\n"
        "RUN_CONSOLE.begin(root, steps, get_console())\n"
        "tell_node('train', 'begins')\n"
        "logging.getLogger('covid_cxr').warning('a leak')\n"
        "time.sleep(0.5)\n"
        "RUN_CONSOLE.end()\n"
        "print('the last word')\n"
    )
    own, terminal = pty.openpty()
    settings = {**os.environ, VERBOSE: "", "TERM": "xterm-256color", "COLUMNS": "100"}
    settings["KEDRO_LOGGING_CONFIG"] = str(run_console.SETTINGS)
    running = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        env=settings,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    written = b"".join(iter(lambda: _read(own), b"")).decode()
    os.close(own)

    assert running.wait() == 0, written
    assert written.index("a leak") < written.rindex("0 of 2 nodes")
    assert "train" in written
    assert written.rindex("\x1b[?25h") > written.index("\x1b[?25l")  # the cursor
    assert written.rstrip().endswith("the last word")


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so at the end
        return b""


def test_the_packages_logging_is_that_of_the_project(project):
    packaged = (run_console.SETTINGS).read_text("utf-8")

    assert packaged == (project / "conf/logging.yml").read_text("utf-8")
