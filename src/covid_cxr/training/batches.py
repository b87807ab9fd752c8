"""Batches for the network: read, distort, normalise, with `tf.data` running ahead.

Which images stand in a batch, and how they are distorted, depends on the seed, the
phase and the epoch only; threads decide when a batch is ready, never what it holds.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.devices.backend import deterministic_tensorflow
from covid_cxr.devices.shares import WHOLE, Share
from covid_cxr.radiographs.normalisation import normalise
from covid_cxr.training.augmentation import distort, draw_distortion
from covid_cxr.training.examples import Examples
from covid_cxr.training.randomness import random_stream
from covid_cxr.training.recipe import Recipe

# Batches that are made at the same time. Not tf.data.AUTOTUNE: the thread that tunes
# wakes at intervals that grow to seconds, and an epoch's end waits for it.
N_THREADS = min(os.cpu_count() or 1, 16)
# Pixels that a network is called with at once, as 2 images of 512 px: layer by layer,
# DenseNet121 takes 1 GB for each.
CALLED_PX = 2**19

Read = Callable[[NDArray[np.int64]], NDArray[np.uint8]]


def training_batches(
    part: Examples,
    recipe: Recipe,
    phase: str,
    *,
    epoch: int,
    share: Share = WHOLE,
    n_threads: int = N_THREADS,
) -> Any:
    """Return the batches of one epoch, in random order and distorted.

    Each is (images (n, size, size, 1), labels (n, labels)), both float32; the last
    one is smaller where the images do not fill it.

    Args:
        part: The training part.
        recipe: How many images a batch has, how they are distorted, and the seed.
        phase: As in "phase1"; keys the random numbers together with the seed.
        epoch: From 1; so does the epoch.
        share: Which replicas' images are wanted; a batch is then what one of them
            takes.
        n_threads: How many batches are made at the same time.
    """

    def read_distorted(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        images = part.store.read(rows)
        distortions = (
            draw_distortion(recipe, phase, epoch=epoch, row=int(row)) for row in rows
        )
        return np.stack(
            [distort(*pair) for pair in zip(images, distortions, strict=True)]
        )

    stream = random_stream(recipe.seed, f"{phase} batch order", epoch)
    order = stream.permutation(len(part.rows))
    return _batches(
        part,
        share.cut(order, batch_images=recipe.batch_images),
        read_distorted,
        n_threads=n_threads,
    )


def plain_batches(part: Examples, *, n_images: int) -> Any:
    """Return batches of the part as it is and in its order, like `training_batches`."""
    pieces = WHOLE.cut(np.arange(len(part.rows)), batch_images=n_images)
    return _batches(part, pieces, part.store.read, n_threads=N_THREADS)


def input_batches(examples: Examples) -> Iterator[NDArray[np.float32]]:
    """Yield the network's input (n, size, size, 1), as much at a time as memory holds.

    Args:
        examples: In the order in which they are wanted.
    """
    n_images = max(1, CALLED_PX // examples.store.size_px**2)
    for first in range(0, len(examples.rows), n_images):
        images = examples.store.read(examples.rows[first : first + n_images])
        yield normalise(images, examples.intensity)


def _batches(
    part: Examples, pieces: list[NDArray[np.int64]], read: Read, *, n_threads: int
) -> Any:
    tf = deterministic_tensorflow()
    cv2.setNumThreads(1)  # a thread makes a whole batch; more would be in their way

    def load(number: np.int64) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        chosen = pieces[number]
        images = normalise(read(part.rows[chosen]), part.intensity)
        return images, part.is_case[chosen]

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def as_tensors(number: Any) -> tuple[Any, Any]:
        # With deterministic operations, a stateful one would run in a single thread.
        images, is_case = tf.numpy_function(
            load, [number], (tf.float32, tf.float32), stateful=False
        )
        size_px, n_labels = part.store.size_px, part.is_case.shape[1]
        return (
            tf.ensure_shape(images, (None, size_px, size_px, 1)),
            tf.ensure_shape(is_case, (None, n_labels)),
        )

    options = tf.data.Options()
    options.autotune.enabled = False
    batches = tf.data.Dataset.range(len(pieces)).with_options(options)
    return batches.map(
        as_tensors, num_parallel_calls=n_threads, deterministic=True
    ).prefetch(2)
