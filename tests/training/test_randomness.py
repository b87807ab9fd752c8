"""Random numbers that depend on what they are for only."""

import subprocess
import sys

from covid_cxr.training.randomness import random_stream


def first_number(*key):
    return int(random_stream(*key).integers(2**62))


def test_every_argument_changes_the_stream():
    keys = [
        (1, "order"),
        (2, "order"),
        (1, "augmentation"),
        (1, "order", 0),
        (1, "order", 0, 0),
        (1, "order", 1),
    ]

    assert len({first_number(*key) for key in keys}) == len(keys)


def test_another_process_draws_the_same_numbers():
    code = (
        "from covid_cxr.training.randomness import random_stream; "
        "print(random_stream(5, 'phase1 batch order', 3).integers(2**62))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "99"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(finished.stdout) == first_number(5, "phase1 batch order", 3)
