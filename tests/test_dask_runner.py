"""The Dask runner on a real scheduler with two worker processes, one with a GPU."""

import logging
import os
import signal
import time
from pathlib import Path

import dask
import numpy as np
import pandas as pd
import pytest
from distributed import Client, Nanny, Scheduler, SpecCluster
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from PIL import Image

from covid_cxr.datasets.image_store import ImageStoreDataset
from covid_cxr.devices.backend import THREADS
from covid_cxr.radiographs.curation import Curation, plan_store
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.runners import DaskRunner, chain_lengths
from covid_cxr.workers import as_done, executor


@pytest.fixture(scope="module")
def address():
    options = {"nthreads": 1, "dashboard": False, "host": "127.0.0.1"}
    workers = {
        "plain": {"cls": Nanny, "options": options},
        "with GPU": {"cls": Nanny, "options": {**options, "resources": {"GPU": 1}}},
    }
    # At any free port, for another cluster may have the usual one.
    served = {"dashboard": False, "dashboard_address": ":0", "host": "127.0.0.1"}
    scheduler = {"cls": Scheduler, "options": served}
    with SpecCluster(
        workers=workers, scheduler=scheduler, silence_logs=logging.WARNING
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def run_on_dask(project, address):
    with Client(address) as client:
        client.wait_for_workers(2)  # one may just have been killed
    return DaskRunner(address=address).run


@pytest.fixture
def files(tmp_path):
    """Return a function that makes a catalog of JSON files."""

    def make(*names, folder="files"):
        return {
            name: JSONDataset(filepath=str(tmp_path / folder / f"{name}.json"))
            for name in names
        }

    return make


@pytest.fixture
def make_plan(tmp_path):
    """Return a function that plans the store of ten PNG files."""
    raw = tmp_path / "raw"
    raw.mkdir()
    names = [f"{i}.png" for i in range(10)]
    for i, name in enumerate(names):
        Image.fromarray(np.eye(32, k=i, dtype=np.uint8) * 255).save(raw / name)
    radiographs = pd.DataFrame({"image_id": names, "file": names})

    def make(*, cluster=None):
        curation = Curation(
            size_px=16,
            shard_images=3,
            compression="none",
            workers=1,
            cluster=cluster,
        )
        return plan_store(radiographs, list_folder(raw), curation)

    return make


# Functions that are made here travel as they are: workers cannot import this file.
def arithmetic():
    def double(number):
        return 2 * number

    def add(first, second):
        return first + second

    return Pipeline(
        [
            Node(double, "one", "two", name="double_one"),
            Node(double, "params:three", "six", name="double_three"),
            Node(add, ["two", "six"], "eight", name="add"),
        ]
    )


def test_results_are_those_of_the_sequential_runner(run_on_dask, project, files):
    results = []
    for run, folder in ((run_on_dask, "dask"), (SequentialRunner().run, "alone")):
        written = files("one", "two", "six", "eight", folder=folder)
        catalog = DataCatalog({**written, "params:three": MemoryDataset(3)})
        catalog.save("one", 1)
        run(arithmetic(), catalog)
        results.append([catalog.load(name) for name in written])

    assert results[0] == results[1] == [1, 2, 6, 8]


def test_nodes_run_in_the_workers(run_on_dask, files):
    catalog = DataCatalog(files("process"))

    run_on_dask(Pipeline([Node(os.getpid, None, "process")]), catalog)

    assert catalog.load("process") != os.getpid()


@pytest.mark.slow
def test_a_node_whose_worker_is_killed_runs_again(run_on_dask, files, tmp_path):
    begun = tmp_path / "begun"

    def die_once():
        if not begun.exists():
            begun.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return "done"

    catalog = DataCatalog(files("outcome"))

    run_on_dask(Pipeline([Node(die_once, None, "outcome")]), catalog)

    assert begun.exists()
    assert catalog.load("outcome") == "done"


def test_trainings_go_to_the_workers_with_a_gpu(run_on_dask, files):
    def worker_name():
        from distributed import get_worker  # noqa: PLC0415

        return get_worker().name

    names = [f"worker_{i}" for i in range(4)]
    nodes = [Node(worker_name, None, name, name=name, tags="train") for name in names]
    catalog = DataCatalog(files(*names))

    run_on_dask(Pipeline(nodes), catalog)

    assert {catalog.load(name) for name in names} == {"with GPU"}


def test_the_longest_chain_goes_first(run_on_dask, files):
    """On the one worker with a GPU, where others were handed out before its end."""

    def begin(*_):
        time.sleep(0.05)
        return time.time()

    others = [f"other_{i}" for i in range(20)]
    parents = {"one": None, "two": "one", "three": "two", **dict.fromkeys(others)}
    nodes = [
        Node(begin, parent, name, name=name, tags="train")
        for name, parent in parents.items()
    ]
    catalog = DataCatalog(files(*parents))

    run_on_dask(Pipeline(nodes), catalog)

    began = sorted(parents, key=catalog.load)
    assert began.index("two") < 20, began
    lengths = {"one": 3, "two": 2, "three": 1, **dict.fromkeys(others, 1)}
    assert chain_lengths(Pipeline(nodes)) == lengths


def test_workers_compute_with_the_threads_of_the_run(run_on_dask, files, monkeypatch):
    for name in THREADS:
        monkeypatch.setenv(name, "3")

    def told():
        return {name: value for name, value in os.environ.items() if "OP_THR" in name}

    catalog = DataCatalog(files("told"))

    run_on_dask(Pipeline([Node(told, None, "told")]), catalog)

    assert catalog.load("told") == dict.fromkeys(THREADS, "3")


def test_outputs_in_memory_are_refused_before_anything_runs(run_on_dask, files):
    catalog = DataCatalog({**files("one", "two", "eight"), "params:three": 3})
    catalog.save("one", 1)

    with pytest.raises(ValueError, match=r"what another one keeps in memory: six\."):
        run_on_dask(arithmetic(), catalog)

    assert not catalog.exists("two")


def test_an_error_of_a_node_is_the_error_of_the_run(run_on_dask, files):
    def fail():
        raise ZeroDivisionError("by nought")

    with pytest.raises(ZeroDivisionError, match="by nought"):
        run_on_dask(Pipeline([Node(fail, None, "one")]), DataCatalog(files("one")))


def test_a_store_written_by_a_cluster_is_that_of_one_process(
    make_plan, address, tmp_path
):
    for cluster, name in ((None, "alone"), (address, "cluster")):
        dataset = ImageStoreDataset(filepath=str(tmp_path / name))
        dataset.save(make_plan(cluster=cluster))

    assert contents(tmp_path / "cluster") == contents(tmp_path / "alone")


def test_a_node_shares_its_work_with_the_workers_of_its_cluster(run_on_dask, files):
    def processes():
        def nap():
            time.sleep(0.05)
            return os.getpid()

        with executor(2, cluster=None) as pool:
            return sorted(set(as_done(pool, nap, [()] * 20)))

    catalog = DataCatalog(files("processes"))

    run_on_dask(Pipeline([Node(processes, None, "processes")]), catalog)

    assert len(catalog.load("processes")) == 2


@pytest.fixture
def nowhere():
    """Return an address that no scheduler listens at, and wait a moment only."""
    with dask.config.set({"distributed.comm.timeouts.connect": "200ms"}):
        yield "tcp://127.0.0.1:9"


def test_a_run_on_a_cluster_that_is_not_there_is_told(project, files, nowhere):
    with pytest.raises(ConnectionError, match="No Dask scheduler answers at tcp://127"):
        DaskRunner(address=nowhere).run(
            Pipeline([Node(os.getpid, None, "one")]), DataCatalog(files("one"))
        )


def test_curation_on_a_cluster_that_is_not_there_is_told(make_plan, tmp_path, nowhere):
    dataset = ImageStoreDataset(filepath=str(tmp_path / "store"))

    with pytest.raises(DatasetError, match="No Dask scheduler answers at tcp://127"):
        dataset.save(make_plan(cluster=nowhere))


def contents(root: Path):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }
