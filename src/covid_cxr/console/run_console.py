"""The console and the log of a run, from its first node to its end.

Quiet unless `COVID_CXR_VERBOSE` is set: notes and warnings reach the console, the rest
the log. What C++ libraries write past Python to standard error goes there too, also
from the processes that a run starts, which inherit it.
"""

import logging
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from rich.console import Console

from covid_cxr.console.channels import NOTE
from covid_cxr.console.display import RunDisplay

VERBOSE = "COVID_CXR_VERBOSE"
SETTINGS = Path(__file__).with_name("logging.yml")  # as conf/logging.yml
LOG = "run.log"
LINE = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"
STANDARD_ERROR = 2
LOG_BYTES, N_LOGS = 10_000_000, 5

# Loggers whose warnings are for the log: what they warn of, the run says in its own
# words, or mends itself. A machine whose memory runs short is not among it.
FOR_THE_LOG = (
    *("absl", "asyncio", "bokeh", "distributed", "fontTools", "matplotlib", "tornado"),
    *("py.warnings", "tensorflow", "kedro.runner", "kedro.pipeline.node"),
    "covid_cxr.runners",
)
FOR_PEOPLE = ("distributed.worker.memory", "distributed.nanny.memory")


def is_verbose() -> bool:
    """Whether everything is to be on the console."""
    return os.environ.get(VERBOSE, "") not in {"", "0"}


def is_for_people(record: logging.LogRecord) -> bool:
    """Whether a line belongs on the console of a quiet run."""
    is_quiet = _is_of(record.name, FOR_THE_LOG) and not _is_of(record.name, FOR_PEOPLE)
    return record.levelno == NOTE or not is_quiet


class RunConsole:
    """One run's console and log; a process has one at a time."""

    def __init__(self) -> None:
        """Begin with neither."""
        self._until_end = ExitStack()
        self.log: Path | None = None

    def begin(self, root: Path, steps: Mapping[str, str], console: Console) -> None:
        """Open the log in `root`, and the display where there is a terminal.

        Args:
            root: The data root, which exists.
            steps: By the name of each node of the run, the step that it belongs to.
            console: Where people look.
        """
        self.end()
        self.log = root / LOG
        self._until_end.enter_context(_log_kept(self.log))
        self._until_end.enter_context(_console_as_asked())
        display = RunDisplay(steps)
        is_live = console.is_interactive and not is_verbose()
        self._until_end.callback(display.end)
        display.begin(console if is_live else None)
        self._until_end.enter_context(_streams_beside_display())

    def end(self) -> None:
        """Give the terminal and standard error back; close the log."""
        self._until_end.close()


RUN_CONSOLE = RunConsole()


@contextmanager
def _log_kept(file: Path) -> Iterator[None]:
    """Let all lines of the run go to `file`, which is put aside when it is long."""
    handler = RotatingFileHandler(
        file, maxBytes=LOG_BYTES, backupCount=N_LOGS, encoding="utf-8"
    )
    handler.rotator = _put_aside
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter(LINE))
    logging.root.addHandler(handler)
    logging.captureWarnings(capture=True)
    try:
        with nullcontext() if is_verbose() else errors_diverted(file):
            yield
    finally:
        logging.captureWarnings(capture=False)
        logging.root.removeHandler(handler)
        handler.close()


def _put_aside(log: str, aside: str) -> None:
    """Copy a log and empty it, rather than rename it.

    Standard error, also of processes that run by now, goes to the file that is open.
    """
    shutil.copyfile(log, aside)
    os.truncate(log, 0)


@contextmanager
def errors_diverted(file: Path) -> Iterator[None]:
    """Append to `file` what this process and its children write to standard error."""
    if any(handler.stream is sys.stderr for handler in _consoles()):
        yield  # somebody's own logging, which is to be seen
        return
    kept = os.dup(STANDARD_ERROR)
    with file.open("ab") as log:
        os.dup2(log.fileno(), STANDARD_ERROR)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, STANDARD_ERROR)
        os.close(kept)


@contextmanager
def _console_as_asked() -> Iterator[None]:
    """Let the console of conf/logging.yml show all, or what is for people."""
    ours = [handler for handler in _consoles() if handler.level == NOTE]
    for handler in ours:
        if is_verbose():
            handler.setLevel(logging.INFO)
        else:
            handler.addFilter(is_for_people)
    try:
        yield
    finally:
        for handler in ours:
            handler.setLevel(NOTE)
            handler.removeFilter(is_for_people)


@contextmanager
def _streams_beside_display() -> Iterator[None]:
    """Let lines go through a live display, which has taken standard output's place."""
    before = {handler: handler.stream for handler in _consoles()}
    for handler, stream in before.items():
        if stream is sys.__stdout__:
            handler.setStream(sys.stdout)
    try:
        yield
    finally:
        for handler, stream in before.items():
            handler.setStream(stream)


def _consoles() -> list[logging.StreamHandler[TextIO]]:
    return [
        handler
        for handler in logging.root.handlers
        if isinstance(handler, logging.StreamHandler)
        and not isinstance(handler, logging.FileHandler)
    ]


def _is_of(name: str, loggers: Iterable[str]) -> bool:
    return any(f"{name}.".startswith(f"{logger}.") for logger in loggers)
