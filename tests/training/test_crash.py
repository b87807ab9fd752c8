"""A training that is killed, in a process of its own, and started again."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "crash_soak.py"


@pytest.mark.slow
def test_a_killed_training_ends_as_if_nothing_had_been():
    """Killed while saving, while taking steps, and while validating, in turn."""
    soak = subprocess.run(
        [sys.executable, str(SOAK), "--kills", "3"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert soak.returncode == 0, soak.stderr
    assert "1 saving, 1 training, 1 validation" in soak.stdout
    assert "bit-identical" in soak.stdout
