"""On what a training runs: devices, processes, precision and compiler."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import numpy as np

from covid_cxr.checks import check_flag, check_whole, check_word
from covid_cxr.devices.backend import (
    THREADS,
    deterministic_tensorflow,
    worker_strategy,
)

Strategy = Literal["default", "mirrored", "multi_worker"]
Precision = Literal["float32", "mixed_bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Compute:
    """On what trainings run, as read from parameters.yml.

    Every replica takes `recipe.batch_images` images of each step.

    Attributes:
        strategy: "default", one device; "mirrored", all GPUs of this machine;
            "multi_worker", all machines that the variable TF_CONFIG names.
        precision: "float32", or "mixed_bfloat16" for GPUs that compute in it. It has
            the range of single precision, so no loss needs to be scaled for it.
        threads: Of a process that trains, 0 for one per core. The order of a sum
            depends on it, and so do the last bits of the weights.
        xla: Whether the gradient is compiled by XLA; for GPUs.
        tensorboard: Whether the history is also written for TensorBoard.
    """

    strategy: Strategy = "default"
    precision: Precision = "float32"
    threads: int = 0
    xla: bool = False
    tensorboard: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not exist."""
        place = "parameters.yml"
        choices = {"strategy": get_args(Strategy), "precision": get_args(Precision)}
        for name, allowed in choices.items():
            check_word(f"compute.{name}", getattr(self, name), allowed, place=place)
        check_whole("compute.threads", self.threads, least=0, place=place)
        for name in ("xla", "tensorboard"):
            check_flag(f"compute.{name}", getattr(self, name), place=place)


@cache
def open_strategy(name: Strategy) -> Any:
    """Return the `tf.distribute` strategy of that name, one in a process.

    Raises:
        RuntimeError: If several workers are asked for and none are named.
    """
    tf = deterministic_tensorflow()
    if name == "default":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    return worker_strategy()


def check_threads(compute: Compute) -> None:
    """Refuse to compute with another number of threads than `compute` says.

    Raises:
        RuntimeError: If this process was not told the number before it began.
    """
    told = [os.environ.get(name) for name in THREADS]
    if compute.threads and told != [str(compute.threads)] * len(THREADS):
        raise RuntimeError(
            f"compute.threads is {compute.threads}, but this process has "
            f"{' and '.join(f'{n}={v}' for n, v in zip(THREADS, told, strict=True))}. "
            "Call devices.backend.limit_threads before TensorFlow is first used, or "
            "let compute.threads be 0."
        )


def is_chief(strategy: Any) -> bool:
    """Return whether this process is the one that keeps the training's state."""
    resolver = strategy.cluster_resolver
    return resolver is None or not resolver.task_id


def chiefs_word(strategy: Any, content: bytes) -> bytes:
    """Return what the chief has as `content`, on every worker.

    Workers need no disk in common: what the chief kept reaches them through here.
    """
    if strategy.cluster_resolver is None:
        return content
    own = np.frombuffer(content + b"\0" * (-len(content) % 4), np.int32)
    n_bytes, n_words = _chiefs(strategy, np.array([len(content), len(own)], np.int32))
    if n_words == 0:
        return b""
    words = own if is_chief(strategy) else np.zeros(int(n_words), np.int32)
    return bytes(_chiefs(strategy, words).tobytes()[: int(n_bytes)])


@contextmanager
def naming_lost_workers() -> Iterator[None]:
    """Say so where a step fails because another worker is gone.

    Raises:
        RuntimeError: If it does.
    """
    errors = deterministic_tensorflow().errors
    try:
        yield
    except (errors.UnavailableError, errors.AbortedError) as error:
        raise RuntimeError(
            "A step was not finished: one of the other workers is gone. Start all of "
            "them again; they go on after the last epoch that the chief kept."
        ) from error


def _chiefs(strategy: Any, array: Any) -> Any:
    """Return the chief's array: the sum over replicas of which all others add zeros."""
    tf = deterministic_tensorflow()

    def own_or_zeros(context: Any) -> Any:
        is_first = context.replica_id_in_sync_group == 0
        return tf.constant(array if is_first else np.zeros_like(array))

    shares = strategy.experimental_distribute_values_from_function(own_or_zeros)
    return strategy.reduce("SUM", shares, axis=None).numpy()
