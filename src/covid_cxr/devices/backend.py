"""TensorFlow, set up so that a training repeats bit for bit, and fast on this CPU.

The environment is read once, when TensorFlow is first imported, so it is written when
this module is: before any pipeline runs, since every `pipeline.py` that trains leads
here. What the user has set stays.
"""

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Any

# TensorFlow's own variables: who the workers are, and how many threads compute.
CLUSTER = "TF_CONFIG"
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")

logger = logging.getLogger(__name__)

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Off by default on AMD processors, where it makes a step 1.1 to 1.35 times as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Its start-up messages are no news; what fails is raised as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def limit_threads(n_threads: int) -> None:
    """Let this process compute with `n_threads`, and those that it starts.

    TensorFlow asks once, at its first operation.
    """
    os.environ.update(dict.fromkeys(THREADS, str(n_threads)))


@cache
def deterministic_tensorflow() -> Any:
    """Return the module `tensorflow`, with operations that repeat bit for bit."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    if CLUSTER in os.environ:
        # Workers must meet before the first operation, whatever is done first.
        worker_strategy()
    return tf


def as_graph(function: Callable[..., Any], **options: Any) -> Any:
    """Return the function as a graph that is traced when it is first called.

    AutoGraph stays off: it takes longer than tracing does, and nothing in a step is
    decided by a tensor.
    """
    return deterministic_tensorflow().function(function, autograph=False, **options)


@cache
def worker_strategy() -> Any:
    """Return the strategy of the workers in TF_CONFIG; wait until all are there.

    Raises:
        RuntimeError: If there is no TF_CONFIG.
    """
    if CLUSTER not in os.environ:
        raise RuntimeError(
            "compute.strategy is multi_worker, but the environment has no TF_CONFIG. "
            'Set it for every worker, such as {"cluster": {"worker": ["host1:12345", '
            '"host2:12345"]}, "task": {"type": "worker", "index": 0}}, or take the '
            "strategy default."
        )
    import tensorflow as tf

    logger.info("waiting for the workers in %s", CLUSTER)
    return tf.distribute.MultiWorkerMirroredStrategy()
