"""What a training tells of its epochs: where somebody asks, and not too often."""

import logging

import pytest

from covid_cxr.console.channels import PROGRESS
from covid_cxr.training.progress import epoch_progress


@pytest.fixture
def told(caplog):
    """Return a function that goes through an epoch of four, and what was told of it."""

    def go(*, level):
        with caplog.at_level(level, PROGRESS.name):
            show = epoch_progress("path_b.phase2", epoch=3, most_epochs=5, n_batches=4)
            for _ in range(4):
                show(0.4321, 57.0)
        return [record.progress for record in caplog.records]

    return go


def test_a_display_is_told_of_the_first_and_the_last_batch(told):
    first, last = told(level=logging.DEBUG)

    assert (first["batch"], last["batch"]) == (1, 4)
    assert (last["stage"], last["epoch"]) == ("path_b.phase2", 3)
    assert (last["loss"], last["images_per_second"]) == (0.4321, 57.0)


def test_nothing_is_told_where_nobody_asks(told):
    assert told(level=logging.INFO) == []
