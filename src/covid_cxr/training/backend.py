"""TensorFlow, set up so that a training repeats bit for bit, and fast on this CPU.

The environment is read once, when TensorFlow is first imported, so it is written when
this module is: before any pipeline runs, since every `pipeline.py` that trains leads
here. What the user has set stays.
"""

import os
from functools import cache
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Off by default on AMD processors, where it makes a step 1.1 to 1.35 times as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Its start-up messages are no news; what fails is raised as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@cache
def deterministic_tensorflow() -> Any:
    """Return the module `tensorflow`, with operations that repeat bit for bit."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    return tf
