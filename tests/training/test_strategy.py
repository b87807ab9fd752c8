"""Trainings on several replicas: two logical devices, and two real processes."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from covid_cxr.devices.backend import THREADS, limit_threads
from covid_cxr.devices.strategy import Compute, check_threads, open_strategy

SCRIPT = Path(__file__).with_name("replicas.py")
PATIENCE = 300  # seconds for two processes, import included, on a busy machine


def start(mode, folder, **environment):
    folder.mkdir(exist_ok=True)
    with (folder / "log.txt").open("w") as log:
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), mode, str(folder)],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )


def start_workers(folders):
    """Start a worker for each folder, on ports that are free."""
    with socket.socket() as first, socket.socket() as second:
        for place in (first, second):
            place.bind(("localhost", 0))
        ports = [place.getsockname()[1] for place in (first, second)]
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    tasks = [{"type": "worker", "index": index} for index in range(len(folders))]
    return [
        start(
            "worker", folder, TF_CONFIG=json.dumps({"cluster": cluster, "task": task})
        )
        for folder, task in zip(folders, tasks, strict=True)
    ]


def arrays(path):
    with np.load(path) as found:
        return [found[name] for name in found.files]


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirrored")
    process = start("mirrored", folder)
    assert process.wait(PATIENCE) == 0, (folder / "log.txt").read_text()
    return folder


@pytest.mark.slow
def test_two_replicas_are_one_device_with_the_same_global_batch(mirrored):
    on_two = arrays(mirrored / "head_on_two.npz")
    on_one = arrays(mirrored / "head_on_one.npz")

    for array, other in zip(on_two, on_one, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_step_on_two_replicas_is_that_of_two_half_batches(mirrored):
    stepped = arrays(mirrored / "step.npz")
    calculated = arrays(mirrored / "calculated.npz")

    for array, expected in zip(stepped, calculated, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_training_on_two_replicas_repeats_bit_for_bit(mirrored):
    results = [(mirrored / f"result_{number}.txt").read_text() for number in (1, 2)]

    assert results[0] == results[1]


@pytest.mark.slow
def test_two_workers_go_on_after_one_was_killed(mirrored, tmp_path):
    """They end bit for bit as two replicas in one process, whom nobody killed."""
    folders = [tmp_path / "chief", tmp_path / "other"]
    chief, other = start_workers(folders)
    give_up = time.monotonic() + PATIENCE
    while not list(folders[0].glob("state/*/epoch_0003.state")):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    other.kill()
    other.wait()
    assert chief.wait(PATIENCE) != 0
    assert "one of the other workers is gone" in (folders[0] / "log.txt").read_text()
    resumed = start_workers(folders)
    assert [worker.wait(PATIENCE) for worker in resumed] == [0, 0]

    expected = (mirrored / "result_1.txt").read_text()
    for folder in folders:  # only the chief has the states
        assert (folder / "result.txt").read_text() == expected
        assert "goes on after epoch" in (folder / "log.txt").read_text()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("strategy", "horovod"),
        ("precision", "float16"),
        ("xla", "yes"),
        ("threads", -1),
    ],
)
def test_nonsense_is_refused_by_name_and_value(setting, value):
    with pytest.raises(ValueError, match=rf"compute\.{setting} must be .*, got "):
        Compute(**{setting: value})


def test_a_number_of_threads_that_the_process_was_not_told_is_refused(monkeypatch):
    for name in THREADS:
        monkeypatch.setenv(name, "2")

    check_threads(Compute())
    check_threads(Compute(threads=2))
    with pytest.raises(RuntimeError, match=r"threads is 1, but .*INTRAOP_THREADS=2"):
        check_threads(Compute(threads=1))

    limit_threads(1)
    check_threads(Compute(threads=1))


def test_a_worker_without_its_cluster_is_told_what_to_set(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)

    with pytest.raises(RuntimeError, match="the environment has no TF_CONFIG"):
        open_strategy("multi_worker")
