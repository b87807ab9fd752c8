import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import current_process

import cv2
import pytest

from covid_cxr.workers import as_done, available_cores, dask_client, executor


def test_several_workers_are_processes_of_their_own():
    with executor(2, cluster=None) as pool:
        workers = set(as_done(pool, os.getpid, [()] * 4))

    assert os.getpid() not in workers


def test_one_worker_works_in_this_process():
    with executor(1, cluster=None) as pool:
        assert pool.submit(os.getpid).result() == os.getpid()


def test_a_process_that_may_not_start_others_works_alone(monkeypatch, caplog):
    monkeypatch.setattr(current_process(), "daemon", True)

    with caplog.at_level(logging.INFO), executor(2, cluster=None) as pool:
        assert pool.submit(os.getpid).result() == os.getpid()

    assert "works alone" in caplog.text


def test_a_dask_worker_of_this_machine_keeps_to_one_core_and_to_its_memory(monkeypatch):
    # Dask sets it in this process, too, once any cluster has been started here.
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)

    with dask_client(None, n_workers=1) as client:
        environment = client.submit(lambda: dict(os.environ)).result()
        n_threads = client.submit(cv2.getNumThreads).result()

    assert n_threads == 1
    assert environment["OMP_NUM_THREADS"] == "1"
    assert "MALLOC_TRIM_THRESHOLD_" not in environment


def test_a_worker_that_dies_is_told():
    message = "One of 2 worker processes was ended from outside"

    with pytest.raises(RuntimeError, match=message), executor(2, cluster=None) as pool:
        list(as_done(pool, os._exit, [(1,)]))


def test_every_call_is_made_with_its_arguments():
    calls = [(base, 2) for base in range(1000)]

    with ThreadPoolExecutor(3) as pool:
        results = list(as_done(pool, pow, calls))

    assert sorted(results) == [base**2 for base in range(1000)]


def test_only_so_many_calls_wait_at_a_time():
    taken = []
    calls = ((taken.append(number) or number,) for number in range(5000))

    with ThreadPoolExecutor(1) as pool:
        results = as_done(pool, abs, calls)
        for _ in range(100):
            next(results)
            assert len(taken) < 1500
        results.close()


def test_an_error_ends_the_calls_that_wait():
    done = []

    def work(number):
        time.sleep(0.001)
        done.append(number)
        return 1 / number

    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        list(as_done(pool, work, [(0,), *[(number,) for number in range(1, 400)]]))

    assert len(done) < 400


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_cores_that_a_process_may_not_use_are_not_counted():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})

        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_cores() == len(allowed)
