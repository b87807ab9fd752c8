"""What is displayed of an epoch: everything on a terminal, nothing elsewhere."""

import io

import pytest
import rich
from rich.console import Console

from covid_cxr.training.progress import epoch_display


@pytest.fixture
def displayed(monkeypatch):
    """Return a function that shows one batch of four; it returns what was printed."""

    def display(*, is_terminal):
        console = Console(
            file=io.StringIO(),
            force_terminal=is_terminal,
            force_interactive=is_terminal,
            width=160,
        )
        monkeypatch.setattr(rich, "_console", console)
        with epoch_display(
            "path_b.phase2, epoch 3", n_batches=4, learning_rate=0.001
        ) as show:
            show(0.4321, 57.0)
        return console.file.getvalue()

    return display


def test_a_terminal_shows_epoch_batch_loss_rate_and_speed(displayed):
    text = displayed(is_terminal=True)

    for part in ("path_b.phase2, epoch 3", "1/4", "0.4321", "rate 0.001", "57 images"):
        assert part in text


def test_nothing_is_displayed_elsewhere(displayed):
    assert displayed(is_terminal=False) == ""
