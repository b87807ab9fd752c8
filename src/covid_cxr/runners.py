"""Runners: each node on a Dask worker; only the nodes that are not up to date."""

import logging
import os
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from typing import Any

from kedro.framework import project
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import AbstractRunner, SequentialRunner
from kedro.runner.task import Task
from pluggy import PluginManager

from covid_cxr.console.channels import NOTE, tell_up_to_date
from covid_cxr.devices.backend import THREADS
from covid_cxr.resume import stale_nodes
from covid_cxr.study.current import choose, current
from covid_cxr.study.design import Study
from covid_cxr.workers import dask_client

logger = logging.getLogger(__name__)

GPU = "GPU"  # the resource that workers offer with `--resources "GPU=1"`
GPU_TAGS = frozenset({"gpu", "train"})


class DaskRunner(AbstractRunner):
    """Runs nodes that do not wait for each other at the same time, on Dask workers.

    Of those that wait for a worker, the one that begins the longest chain of nodes
    goes first. A node whose worker is lost is run again on another one. Nodes that are
    tagged `train` or `gpu` go to workers that offer a GPU, if the cluster has any.
    Workers need this package and the same data root.

    Example:
        ```
        kedro run --runner=covid_cxr.runners.DaskRunner
        kedro run --runner=covid_cxr.runners.DaskRunner \
            --runner-params=address=tcp://10.0.0.1:8786
        ```
    """

    def __init__(
        self,
        *,
        address: str | None = None,
        n_workers: int | None = None,
        is_async: bool = False,
    ) -> None:
        """Say where the workers are; they are asked for when a run begins.

        Args:
            address: Of a Dask scheduler; None starts workers on this machine.
            n_workers: How many to start; None for one per core.
            is_async: Load and save the datasets of a node in threads.
        """
        super().__init__(is_async=is_async)
        self._address = address
        self._n_workers = n_workers
        self._urgency: dict[str, int] = {}

    def _get_executor(self, max_workers: int) -> Executor:
        return _NodeExecutor(self._address, self._n_workers, self._urgency)

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        in_memory = sorted(
            name
            for name in pipeline.all_outputs()
            if isinstance(catalog[name], MemoryDataset)
        )
        if in_memory:
            raise ValueError(
                f"A Dask worker cannot read what another one keeps in memory: "
                f"{', '.join(in_memory)}. Give each an entry in the catalog, or run "
                f"with another runner."
            )
        self._urgency = chain_lengths(pipeline)
        super()._run(pipeline, catalog, hook_manager, run_id)


def chain_lengths(pipeline: Pipeline) -> dict[str, int]:
    """Return by node name how many nodes the longest chain has that begins with it."""
    parents_of = pipeline.node_dependencies
    lengths = dict.fromkeys(pipeline.nodes, 1)
    for node in reversed(pipeline.nodes):
        for parent in parents_of[node]:
            lengths[parent] = max(lengths[parent], lengths[node] + 1)
    return {node.name: length for node, length in lengths.items()}


class _Resuming(AbstractRunner):
    """Lets a runner see only the nodes that are missing or stale."""

    def run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
        only_missing_outputs: bool = False,  # noqa: FBT001, FBT002 - as in AbstractRunner
    ) -> dict[str, Any]:
        """Return the datasets that the pipeline ends in, after running what must.

        Raises:
            ValueError: With `--only-missing-outputs`, which would keep stale outputs.
        """
        if only_missing_outputs:
            raise ValueError(
                "--only-missing-outputs keeps every output that is there, however old; "
                f"{type(self).__name__} runs what is missing or stale. Give one of the "
                "two."
            )
        stale = stale_nodes(pipeline, catalog)
        n_nodes = len(pipeline.nodes)
        n_kept = n_nodes - len(stale)
        logger.log(NOTE, "%d of %d nodes are up to date", n_kept, n_nodes)
        tell_up_to_date(n_kept)
        if stale:
            due = pipeline.filter(node_names=stale)
            super().run(due, catalog, hook_manager, run_id)
        return {name: catalog[name] for name in pipeline.outputs()}


class ResumeRunner(_Resuming, SequentialRunner):
    """Runs the nodes that are not up to date, one after the other.

    Example:
        ```
        kedro run --runner=covid_cxr.runners.ResumeRunner
        ```
    """


class DaskResumeRunner(_Resuming, DaskRunner):
    """Runs the nodes that are not up to date on Dask workers."""


class _NodeExecutor(Executor):
    """Takes Kedro's tasks, one node each, and runs them on a cluster."""

    def __init__(
        self,
        address: str | None,
        n_workers: int | None,
        urgency: Mapping[str, int],
    ) -> None:
        self._urgency = urgency
        self._until_shutdown = ExitStack()
        self._client = self._until_shutdown.enter_context(
            dask_client(address, n_workers=n_workers)
        )
        from covid_cxr.console.forwarding import bring_home  # noqa: PLC0415

        bring_home(self._client, is_own=address is None)
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        self._has_gpus = any(worker["resources"].get(GPU) for worker in workers)

    def submit(self, task: Task, /) -> Future[Node]:  # type: ignore[override]
        from dask.base import annotate  # noqa: PLC0415

        needs_gpu = self._has_gpus and not GPU_TAGS.isdisjoint(task.node.tags)
        # Not pure: a node that ran before is run again.
        executor = self._client.get_executor(
            pure=False, resources={GPU: 1} if needs_gpu else None
        )
        urgency = self._urgency[task.node.name]
        with annotate(priority=urgency):
            future: Future[Node] = executor.submit(
                _run_node,
                project.PACKAGE_NAME,
                {
                    "node": task.node,
                    "catalog": task.catalog,
                    "is_async": task.is_async,
                    "run_id": task.run_id,
                },
                urgency=urgency,
                threads={n: os.environ[n] for n in THREADS if n in os.environ},
                study=current(),
            )
        return future

    def shutdown(
        self,
        wait: bool = True,  # noqa: FBT001, FBT002 - as in Executor
        *,
        cancel_futures: bool = False,
    ) -> None:
        self._until_shutdown.close()


def _run_node(
    package_name: str,
    task: dict[str, Any],
    *,
    urgency: int,
    threads: dict[str, str],
    study: Study,
) -> Node:
    """Run one node in a worker, which knows nothing of the project yet."""
    from dask.base import annotate  # noqa: PLC0415

    os.environ.update(threads)
    choose(study)
    project.configure_project(package_name, preserve_logging=True)
    # Hooks do not travel; Kedro makes the project's hooks anew.
    hook_manager = Task._run_node_synchronization()
    with annotate(priority=urgency):  # what it hands out is as urgent as itself
        return Task(**task, hook_manager=hook_manager).execute()
