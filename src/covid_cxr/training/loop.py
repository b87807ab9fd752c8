"""The training loop: an epoch is a function from one training state to the next.

A state is arrays and numbers, so that it can be compared, kept and continued.
"""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import get_console
from rich.progress import track

from covid_cxr.training.batches import plain_batches, training_batches
from covid_cxr.training.recipe import Plateau, Recipe
from covid_cxr.training.traced import Arrays, TracedDescent, traced_descent
from covid_cxr.training.training_set import Part, TrainingSet

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingState:
    """A training after some epochs: all that the next epoch depends on.

    Attributes:
        weights: Of the network, with its moving averages, in the order of Keras.
        velocity: Of the optimiser, one array per trainable weight.
        plateau: Counters, and which epoch had the lowest validation loss.
        best_weights: Of that epoch.
        history: One record per epoch: `epoch` (from 1), `loss` and `validation_loss`
            (cross-entropy, without weight decay), `learning_rate`, `seconds`, and
            `images_per_second` while training.
    """

    weights: Arrays
    velocity: Arrays
    plateau: Plateau
    best_weights: Arrays
    history: tuple[Mapping[str, float], ...]

    @property
    def n_epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.history)


def fit(
    classifier: Any, training_set: TrainingSet, recipe: Recipe, *, stage: str
) -> TrainingState:
    """Return the last state of a training that starts from `classifier`.

    Args:
        classifier: A Keras model of this project. It stays as it is.
        training_set: With a training and a validation part.
        recipe: Of the phase.
        stage: The training's name, as in "path_b.phase2". Its last word, the phase,
            keys the random numbers, which are thereby common to all paths.

    Raises:
        ValueError: If a loss is no longer a number.
    """
    training = _Training(
        descent=traced_descent(classifier, recipe),
        train=training_set.part("train"),
        validation=training_set.part("validation"),
        recipe=recipe,
        stage=stage,
    )
    state = _first_state(classifier, training.descent)
    while state.n_epochs < recipe.max_epochs and not state.plateau.is_over(recipe):
        state = _after_epoch(state, training)
        _log_epoch(state, stage=stage)
    return state


def phase_of(stage: str) -> str:
    """Return the phase of a training, as in "phase2" of "path_b.phase2"."""
    return stage.rsplit(".", 1)[-1]


def cross_entropy(log_odds: NDArray[np.float64], is_case: NDArray[np.float32]) -> float:
    """Return the mean binary cross-entropy over images and labels, in nats.

    Args:
        log_odds: Shape (n, labels).
        is_case: 0 or 1, shape (n, labels).
    """
    return float(np.mean(np.logaddexp(0, log_odds) - is_case * log_odds))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Training:
    """What stays the same through all epochs of a training."""

    descent: TracedDescent
    train: Part
    validation: Part
    recipe: Recipe
    stage: str


def _first_state(classifier: Any, descent: TracedDescent) -> TrainingState:
    weights = tuple(classifier.get_weights())
    return TrainingState(
        weights=weights,
        velocity=tuple(np.zeros_like(array) for array in descent.velocity()),
        plateau=Plateau(),
        best_weights=weights,
        history=(),
    )


def _after_epoch(state: TrainingState, training: _Training) -> TrainingState:
    """Return the state after one more epoch and its validation."""
    epoch = state.n_epochs + 1
    rate = state.plateau.learning_rate(training.recipe)
    descent = training.descent
    started = time.perf_counter()
    with descent.network.lock:
        descent.put(weights=state.weights, velocity=state.velocity, learning_rate=rate)
        loss = _descend(training, epoch=epoch, learning_rate=rate)
        trained = time.perf_counter()
        validation_loss = _validate(training, epoch=epoch, learning_rate=rate)
        weights = tuple(descent.network.model.get_weights())
        velocity = descent.velocity()
    plateau = state.plateau.after_epoch(epoch, validation_loss, training.recipe)
    record = {
        "epoch": epoch,
        "loss": loss,
        "validation_loss": validation_loss,
        "learning_rate": rate,
        "seconds": time.perf_counter() - started,
        "images_per_second": len(training.train.rows) / (trained - started),
    }
    return TrainingState(
        weights=weights,
        velocity=velocity,
        plateau=plateau,
        best_weights=weights if plateau.best_epoch == epoch else state.best_weights,
        history=(*state.history, record),
    )


def _descend(training: _Training, *, epoch: int, learning_rate: float) -> float:
    """Take the epoch's steps; return the mean loss per image before each."""
    recipe, n_images = training.recipe, len(training.train.rows)
    batches = track(
        training_batches(training.train, recipe, phase_of(training.stage), epoch=epoch),
        description=f"{training.stage}, epoch {epoch}",
        total=-(-n_images // recipe.batch_images),
        console=get_console(),
        transient=True,
        disable=not get_console().is_interactive,
    )
    total = 0.0
    for number, (images, is_case) in enumerate(batches, start=1):
        loss = training.descent.step(images, is_case)
        if not math.isfinite(loss):
            raise ValueError(
                _diverged(training, epoch, f"batch {number}", learning_rate)
            )
        total += loss * len(images)
    return total / n_images


def _validate(training: _Training, *, epoch: int, learning_rate: float) -> float:
    """Return the validation loss of the weights that are in the network."""
    batches = plain_batches(training.validation, n_images=training.recipe.batch_images)
    log_odds = training.descent.network.predict(batches)
    loss = cross_entropy(log_odds, training.validation.is_case)
    if not math.isfinite(loss):
        raise ValueError(_diverged(training, epoch, "validation", learning_rate))
    return loss


def _diverged(training: _Training, epoch: int, place: str, learning_rate: float) -> str:
    return (
        f"{training.stage}: the loss is not a number in epoch {epoch}, {place}, at the "
        f"learning rate {learning_rate:g}. Lower recipe.learning_rate, or look for "
        "damaged images in the training part."
    )


def _log_epoch(state: TrainingState, *, stage: str) -> None:
    last = state.history[-1]
    logger.info(
        "%s epoch %d: loss %.4f, validation loss %.4f%s, learning rate %.2g, "
        "%.0f images/s",
        stage,
        last["epoch"],
        last["loss"],
        last["validation_loss"],
        " (lowest)" if state.plateau.best_epoch == last["epoch"] else "",
        last["learning_rate"],
        last["images_per_second"],
    )
