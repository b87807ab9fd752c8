"""The live display of a run: a line for every node at work, wherever it computes."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from covid_cxr.console.channels import NOTE, PROGRESS

WIDE = 100  # columns, from which on there is room for bars

logger = logging.getLogger(__name__)


@dataclass
class _Node:
    """A node at work, and what its training last told."""

    name: str
    started: float
    training: Mapping[str, Any] = field(default_factory=dict)
    first_told: tuple[float, int] = (0.0, 0)

    def tell(self, event: Mapping[str, Any], now: float) -> None:
        """Take what its training tells."""
        if event["stage"] != self.training.get("stage"):
            self.first_told = now, _n_steps(event)
        self.training = event

    def most_seconds_left(self, now: float) -> float | None:
        """Return how long the training takes at most, by its speed since it began."""
        started, n_before = self.first_told
        n_done = _n_steps(self.training)
        if n_done == n_before:
            return None
        n_left = self.training["most_epochs"] * self.training["n_batches"] - n_done
        return float(n_left * (now - started) / (n_done - n_before))


class RunDisplay(logging.Handler):
    """Takes the progress of all workers: notes each step, and displays what is at work.

    A node is known by its thread: a worker whose node waits for others takes another.
    """

    def __init__(self, steps: Mapping[str, str]) -> None:
        """Begin with nothing done.

        Args:
            steps: By the name of each node of the run, the step that it belongs to.
        """
        super().__init__()
        self._steps = steps
        self._has_steps = len(set(steps.values())) > 1
        self._begun: set[str] = set()
        self._n_done = 0
        self._started = time.time()
        self._nodes: dict[tuple[object, ...], _Node] = {}
        self._live: Live | None = None

    def begin(self, console: Console | None) -> None:
        """Listen from now on; display on this console, if there is one."""
        PROGRESS.addHandler(self)
        if console is not None:
            PROGRESS.setLevel(logging.DEBUG)
            self._live = Live(self, console=console, transient=True)
            self._live.start()

    def end(self) -> None:
        """Take the display away."""
        PROGRESS.removeHandler(self)
        PROGRESS.setLevel(logging.INFO)
        if self._live is not None:
            self._live.stop()
            self._live = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record of `channels.PROGRESS`."""
        event: Mapping[str, Any] = getattr(record, "progress", {})
        place = getattr(record, "worker", ""), record.process, record.thread
        if "begins" in event:
            self._nodes[place] = _Node(event["begins"], record.created)
            self._note_step(event["begins"])
        elif "ends" in event:
            ended = event["ends"]
            self._nodes = {p: n for p, n in self._nodes.items() if n.name != ended}
            self._n_done += 1
        elif "n_kept" in event:
            self._n_done += event["n_kept"]
        elif place in self._nodes:
            self._nodes[place].tell(event, record.created)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        """Draw a line for each node at work, and one for the whole run."""
        is_wide = options.max_width >= WIDE
        now = time.time()
        at_work = Table.grid(padding=(0, 2, 0, 0), expand=True)
        at_work.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for _ in range(6 if is_wide else 4):
            at_work.add_column(no_wrap=True, justify="right")
        for node in list(self._nodes.values()):
            at_work.add_row(*_cells(node, now, is_wide=is_wide))
        n_nodes = len(self._steps)
        run = Table.grid(padding=(0, 2, 0, 0))
        run.add_row(
            f"{self._n_done} of {n_nodes} nodes",
            ProgressBar(n_nodes, self._n_done, width=options.max_width // 3),
            _clock(now - self._started),
        )
        yield at_work
        yield run

    def _note_step(self, node: str) -> None:
        step = self._steps.get(node)
        if step is not None and self._has_steps and step not in self._begun:
            self._begun.add(step)
            logger.log(NOTE, "%s begins", step)


def _cells(node: _Node, now: float, *, is_wide: bool) -> list[Any]:
    told = node.training
    if not told:
        return [node.name, *[""] * (5 if is_wide else 3), _clock(now - node.started)]
    left = node.most_seconds_left(now)
    batch = ProgressBar(told["n_batches"], told["batch"], width=20)
    counted = f"{told['batch']}/{told['n_batches']}"
    return [
        told["stage"],
        f"epoch {told['epoch']} of ≤{told['most_epochs']}",
        *([batch, counted] if is_wide else []),
        f"loss {told['loss']:.4f}",
        f"{told['images_per_second']:.0f} images/s",
        "" if left is None else f"≤{_clock(left)} left",
    ]


def _n_steps(event: Mapping[str, Any]) -> int:
    return int((event["epoch"] - 1) * event["n_batches"] + event["batch"])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
