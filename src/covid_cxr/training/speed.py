"""How fast a machine trains a network, from a short measurement with drawn pixels."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from covid_cxr.devices.strategy import Compute
from covid_cxr.training.network import Network, build_classifier
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.traced import traced_descent


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What an image costs.

    Attributes:
        training: Seconds of an image in a step.
        validation: Seconds of an image that is only scored.
        batch_images: How many were in the largest batch that was measured.
        n_weights: Of the network.
    """

    training: float
    validation: float
    batch_images: int
    n_weights: int


def measure_speed(
    network: Network, recipe: Recipe, compute: Compute, *, seconds: float
) -> Speed:
    """Return the speed of one device of this machine.

    Batches grow, up to that of the recipe, as long as the time allows it; what it takes
    to trace the network is not counted.

    Args:
        network: Its weights are drawn: they do not change the speed.
        recipe: Of the batches and the descent.
        compute: As for the trainings, but on one device.
        seconds: How long to measure; one small batch is measured in any case.
    """
    drawn = build_classifier(replace(network, weights="none"), 1)
    alone = replace(compute, strategy="default")
    descent = traced_descent(drawn, recipe, alone)
    shape = (network.size_px, network.size_px, 1)
    pixels = np.random.default_rng(1).standard_normal(
        (recipe.batch_images, *shape), np.float32
    )
    is_case = np.arange(recipe.batch_images, dtype=np.float32)[:, np.newaxis] % 2
    with descent.network.lock:
        velocity = [np.zeros_like(array) for array in descent.velocity()]
        descent.put(weights=drawn.get_weights(), velocity=velocity, learning_rate=1e-6)

        def train(n: int) -> None:
            descent.step(pixels[:n], is_case[:n])

        def score(n: int) -> None:
            descent.network.predict([(pixels[:n], is_case[:n])])

        largest, training = _seconds_per_image(train, recipe.batch_images, seconds / 2)
        _, validation = _seconds_per_image(score, recipe.batch_images, seconds / 2)
    return Speed(
        training=training,
        validation=validation,
        batch_images=largest,
        n_weights=int(drawn.count_params()),
    )


def _seconds_per_image(
    work: Callable[[int], Any], most_images: int, seconds: float
) -> tuple[int, float]:
    """Return the largest batch that there was time for, and what its image took."""
    work(1)  # which also traces it
    end = time.perf_counter() + seconds
    n_images = 1
    while True:
        work(n_images)  # a size that comes for the first time is slower
        started = time.perf_counter()
        work(n_images)
        took = time.perf_counter() - started
        larger = min(2 * n_images, most_images)
        # Twice the images, twice over.
        if larger == n_images or time.perf_counter() + 4 * took > end:
            return n_images, took / n_images
        n_images = larger
