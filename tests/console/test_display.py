"""What a run shows: its steps as notes, and on a terminal every node at work."""

import io
import logging
import time

import pytest
from rich.console import Console
from rich.text import Text

from covid_cxr.console.channels import (
    NOTE,
    PROGRESS,
    tell_batch,
    tell_node,
    tell_up_to_date,
)
from covid_cxr.console.display import RunDisplay

STEPS = {"curate_nih": "curation", "path_b.phase2.train": "phase2", "write": "phase2"}
BATCH = {
    "stage": "path_b.phase2",
    "epoch": 3,
    "most_epochs": 20,
    "batch": 12,
    "n_batches": 40,
    "loss": 0.4321,
    "images_per_second": 57.0,
    "most_seconds_left": 75.0,
}


@pytest.fixture
def display():
    """Return a display of a run of three nodes that listens."""
    listening = RunDisplay(STEPS)
    listening.begin(None)
    PROGRESS.setLevel(logging.DEBUG)
    yield listening
    listening.end()


def drawn(display, *, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True)
    console.print(display)
    return [
        line.rstrip()
        for line in Text.from_ansi(console.file.getvalue()).plain.splitlines()
    ]


@pytest.mark.parametrize("width", [80, 140])
def test_a_training_is_one_line_with_path_epoch_loss_speed_and_time(
    display, width, monkeypatch
):
    tell_node("path_b.phase2.train", "begins")
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    tell_batch(**BATCH | {"batch": 2})
    monkeypatch.setattr(time, "time", lambda: 1001.0)
    tell_batch(**BATCH)  # ten batches a second, of which 708 are left

    training, run = drawn(display, width=width)
    assert len(training) <= width
    for part in (
        "path_b.phase2",
        "epoch 3 of ≤20",
        "loss 0.4321",
        "57 images/s",
        "≤1:11 left",
    ):
        assert part in training
    assert run.startswith("0 of 3 nodes")


def test_nodes_of_two_workers_are_two_lines_until_they_end(display):
    for worker, node in (("tcp://one", "curate_nih"), ("tcp://two", "write")):
        record = logging.makeLogRecord(
            {"progress": {"begins": node}, "worker": worker, "levelno": logging.INFO}
        )
        PROGRESS.handle(record)
    assert [line.split()[0] for line in drawn(display, width=80)[:2]] == [
        "curate_nih",
        "write",
    ]

    tell_node("curate_nih", "ends")  # from another thread, as of a saved dataset
    lines = drawn(display, width=80)
    assert lines[0].startswith("write")
    assert lines[1].startswith("1 of 3 nodes")


def test_what_is_up_to_date_counts_as_done(display):
    tell_up_to_date(2)

    assert drawn(display, width=80)[-1].startswith("2 of 3 nodes")


def test_a_step_is_noted_once(display, caplog):
    with caplog.at_level(NOTE):
        for node in ("path_b.phase2.train", "write", "curate_nih"):
            tell_node(node, "begins")

    noted = [r.getMessage() for r in caplog.records if r.levelno == NOTE]
    assert noted == ["phase2 begins", "curation begins"]
