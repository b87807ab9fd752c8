"""Where work that many processes share gets its workers: this machine, or Dask."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from multiprocessing import current_process, get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

import cv2

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Enough for two tasks on each of 256 workers; more would only fill the memory.
_N_WAITING = 512

# Of a worker on this machine, before it starts: one core each. In place of Dask's own
# variables, among which MALLOC_TRIM_THRESHOLD_ makes the allocator return every array
# to the system, which takes longer than drawing a radiograph.
_WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": 1,
    "OPENBLAS_NUM_THREADS": 1,
    "OPENCV_FOR_THREADS_NUM": 1,
}


def executor(
    n_workers: int, *, cluster: str | None
) -> AbstractContextManager[Executor]:
    """Return an executor, to be used in a `with` block.

    Inside a Dask task it is that of the task's own cluster; with an address, that of
    the cluster there; otherwise it starts processes on this machine. One worker, and a
    process that may not have children, get a thread.

    Args:
        n_workers: How many processes to start where they are of this machine.
        cluster: Address of a Dask scheduler, or None.

    Raises:
        ConnectionError: If no scheduler answers at the address.
        RuntimeError: At the end of the block, if a worker was ended from outside, as
            for lack of memory.
    """
    if _is_dask_task():
        return _own_cluster()
    if cluster is not None:
        return _other_cluster(cluster)
    if n_workers > 1 and not current_process().daemon:
        return _processes(n_workers)
    if n_workers > 1:
        logger.info("this process may not start others; it works alone")
    return ThreadPoolExecutor(1)


def available_cores() -> int:
    """Return how many cores this process may use, which a container may limit."""
    allowed = getattr(os, "sched_getaffinity", None)  # not of every system
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@contextmanager
def dask_client(address: str | None, *, n_workers: int | None) -> Iterator[Any]:
    """Give a `distributed.Client` of the cluster at `address`, or of one started here.

    Args:
        address: Of a Dask scheduler; None starts a cluster that ends with the block.
        n_workers: Its processes; None for one per core.

    Raises:
        ConnectionError: If no scheduler answers at the address.
    """
    import dask  # noqa: PLC0415

    # No console of Dask's own: its lines are of the process's log, as all others.
    dask.config.set(logging={"version": 1, "disable_existing_loggers": False})
    from distributed import Client, LocalCluster  # noqa: PLC0415

    if address is None:
        with (
            dask.config.set(
                {"distributed.nanny.pre-spawn-environ": _WORKER_ENVIRONMENT}
            ),
            LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=n_workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",  # any: another cluster may have the usual one
            ) as cluster,
            Client(cluster) as client,  # type: ignore[no-untyped-call]
        ):
            yield client
        return
    try:
        client = Client(address)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ConnectionError(
            f"No Dask scheduler answers at {address}: {error}. Start one with `dask "
            f"scheduler`, or leave the address out to use this machine."
        ) from error
    with client:
        yield client


def as_done(
    pool: Executor, work: Callable[..., T], arguments: Iterable[tuple[object, ...]]
) -> Iterator[T]:
    """Yield what `work(*arguments)` returns for each of `arguments`, in any order.

    Only so many calls wait at a time that memory stays the same however many there are.
    """
    remaining = iter(arguments)
    waiting: set[Future[T]] = set()
    try:
        while True:
            free = _N_WAITING - len(waiting)
            waiting |= {pool.submit(work, *call) for call in islice(remaining, free)}
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in waiting:
            future.cancel()


def _is_dask_task() -> bool:
    if "distributed" not in sys.modules:
        return False
    from distributed import get_worker  # noqa: PLC0415

    try:
        get_worker()
    except ValueError:
        return False
    return True


@contextmanager
def _own_cluster() -> Iterator[Executor]:
    from distributed import worker_client  # noqa: PLC0415

    # The worker takes other tasks while this one waits for those that it hands out.
    with worker_client() as client, _executor_of(client) as pool:
        yield pool


@contextmanager
def _other_cluster(address: str) -> Iterator[Executor]:
    with dask_client(address, n_workers=None) as client, _executor_of(client) as pool:
        yield pool


@contextmanager
def _executor_of(client: Any) -> Iterator[Executor]:
    from distributed import KilledWorker  # noqa: PLC0415

    try:
        # Not pure: a call that was made before is made again.
        with client.get_executor(pure=False) as pool:
            yield pool
    except KilledWorker as error:
        raise RuntimeError(
            f"The same task ended several workers of the cluster, most often for lack "
            f"of memory; give the workers more, or each task less, and run again: "
            f"{error}"
        ) from error


@contextmanager
def _processes(n_workers: int) -> Iterator[Executor]:
    # Spawned, because a process forked after TensorFlow has started would hang.
    pool = ProcessPoolExecutor(
        n_workers, mp_context=get_context("spawn"), initializer=_begin_worker
    )
    try:
        with pool:
            yield pool
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"One of {n_workers} worker processes was ended from outside, most often "
            f"for lack of memory; run again with fewer workers, or less for each: what "
            f"is whole is kept."
        ) from error


def _begin_worker() -> None:
    """Leave the cores to the other workers, and interrupts and the end to the run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
