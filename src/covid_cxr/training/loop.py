"""The training loop: an epoch is a function from one training state to the next.

A state is arrays and numbers, so that it can be compared, kept and continued. An epoch
depends on nothing else: a training that was killed in the middle of one begins it again
and ends as if nothing had been.
"""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from covid_cxr.devices.shares import Share
from covid_cxr.devices.strategy import (
    Compute,
    check_threads,
    chiefs_word,
    is_chief,
    naming_lost_workers,
)
from covid_cxr.training.batches import plain_batches, training_batches
from covid_cxr.training.examples import Examples
from covid_cxr.training.progress import epoch_progress, write_summary
from covid_cxr.training.provenance import training_origin
from covid_cxr.training.recipe import Plateau, Recipe
from covid_cxr.training.state import (
    Arrays,
    KeptStates,
    StateFolder,
    TrainingState,
    state_from_bytes,
)
from covid_cxr.training.traced import ALONE, TracedDescent, traced_descent

VALIDATION_IMAGES = 32  # at a time; no image depends on the others

logger = logging.getLogger(__name__)


def fit(
    classifier: Any,
    examples: Examples,
    recipe: Recipe,
    *,
    stage: str,
    compute: Compute = ALONE,
    states: StateFolder | None = None,
) -> TrainingState:
    """Return the last state of a training that starts from `classifier`.

    Args:
        classifier: A Keras model of this project. It stays as it is.
        examples: With a training and a validation part.
        recipe: Of the phase.
        stage: The training's name, as in "path_b.phase2". Its last word, the phase,
            keys the random numbers, which are thereby common to all paths.
        compute: What it runs on.
        states: Where the state after each epoch is kept, and a killed training goes
            on; None to keep none.

    Raises:
        ValueError: If a loss is no longer a number.
        OSError: If a state cannot be kept.
        RuntimeError: If this process has other threads than `compute` says.
    """
    check_threads(compute)
    validation = examples.part("validation")
    training = _Training(
        descent=traced_descent(classifier, recipe, compute),
        train=examples.part("train"),
        validation=validation,
        validation_batches=plain_batches(validation, n_images=VALIDATION_IMAGES),
        recipe=recipe,
        stage=stage,
    )
    kept = None
    if states is not None and training.is_chief:
        origin = training_origin(stage, classifier, examples, recipe, compute)
        kept = states.of(origin)
    state = _kept_state(training, kept) or _first_state(classifier, training.descent)
    while state.n_epochs < recipe.max_epochs and not state.plateau.is_over(recipe):
        with naming_lost_workers():
            state = _after_epoch(state, training)
        _log_epoch(state, training)
        if kept is not None:
            kept.keep(state)
            if compute.tensorboard:
                write_summary(kept.folder, state.history[-1])
    return state


def phase_of(stage: str) -> str:
    """Return the phase of a training, as in "phase2" of "path_b.phase2_rsna"."""
    return stage.rsplit(".", 1)[-1].partition("_")[0]


def cross_entropy(log_odds: NDArray[np.float64], is_case: NDArray[np.float32]) -> float:
    """Return the mean binary cross-entropy over the known labels, in nats.

    Args:
        log_odds: Shape (n, labels).
        is_case: 0 or 1, NaN where unknown, shape (n, labels).
    """
    with np.errstate(invalid="ignore"):  # what is no number stays so, for the caller
        losses = np.logaddexp(0, log_odds) - is_case * log_odds
    return float(np.mean(losses, where=~np.isnan(is_case)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Training:
    """What stays the same through all epochs of a training."""

    descent: TracedDescent
    train: Examples
    validation: Examples
    validation_batches: Any
    recipe: Recipe
    stage: str

    @property
    def strategy(self) -> Any:
        """What the replicas are held together by."""
        return self.descent.network.strategy

    @property
    def is_chief(self) -> bool:
        """Whether this process keeps the states."""
        return is_chief(self.strategy)

    @property
    def n_batches(self) -> int:
        """The number of steps of an epoch."""
        n_replicas = self.strategy.num_replicas_in_sync
        share = Share(n_replicas=n_replicas, first=0, n_own=1)
        images = np.arange(len(self.train.rows))
        return len(share.cut(images, batch_images=self.recipe.batch_images))

    def batches(self, *, epoch: int) -> Iterator[Any]:
        """Yield the images and labels of each step, for each replica its own."""
        phase = phase_of(self.stage)
        if self.strategy.num_replicas_in_sync == 1:
            yield from training_batches(self.train, self.recipe, phase, epoch=epoch)
            return

        def of_this_process(context: Any) -> Any:
            n_replicas = context.num_replicas_in_sync
            n_own = n_replicas // context.num_input_pipelines
            share = Share(
                n_replicas=n_replicas,
                first=context.input_pipeline_id * n_own,
                n_own=n_own,
            )
            return training_batches(
                self.train, self.recipe, phase, epoch=epoch, share=share
            )

        yield from self.strategy.distribute_datasets_from_function(of_this_process)


def _kept_state(training: _Training, kept: KeptStates | None) -> TrainingState | None:
    """Return the state to go on from, the same on all workers; None to begin."""
    state = None if kept is None else kept.newest()
    content = chiefs_word(training.strategy, state.to_bytes() if state else b"")
    if not content:
        return None
    state = state_from_bytes(content)
    logger.info("%s goes on after epoch %d", training.stage, state.n_epochs)
    return state


def _first_state(classifier: Any, descent: TracedDescent) -> TrainingState:
    weights = tuple(classifier.get_weights())
    return TrainingState(
        weights=weights,
        velocity=tuple(np.zeros_like(array) for array in descent.velocity()),
        mean_weights=(),
        plateau=Plateau(),
        best_weights=weights,
        history=(),
        seconds=(),
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
        descent.network.average_replicas()
        weights = tuple(descent.network.model.get_weights())
        velocity = descent.velocity()
        mean_weights = _mean_weights(state, weights, training.recipe.averaging)
        if mean_weights:
            descent.network.put(mean_weights)
        validation_loss = _validate(training, epoch=epoch, learning_rate=rate)
    plateau = state.plateau.after_epoch(epoch, validation_loss, training.recipe)
    record = {
        "epoch": epoch,
        "loss": loss,
        "validation_loss": validation_loss,
        "learning_rate": rate,
    }
    validated = mean_weights or weights
    return TrainingState(
        weights=weights,
        velocity=velocity,
        mean_weights=mean_weights,
        plateau=plateau,
        best_weights=validated if plateau.best_epoch == epoch else state.best_weights,
        history=(*state.history, record),
        seconds=(*state.seconds, time.perf_counter() - started),
    )


def _mean_weights(state: TrainingState, weights: Arrays, averaging: float) -> Arrays:
    """Return the running mean after one more epoch; none where nothing is averaged.

    The first epochs are averaged with equal weight: the mean is of what was trained,
    not of the weights that the training began with. Moving averages of batch
    normalisation are averaged as the rest is.
    """
    if averaging == 0:
        return ()
    taken = np.float32(1 - min(averaging, state.n_epochs / (state.n_epochs + 1)))
    before = state.mean_weights or weights
    # By the difference: what is not trained is 0 apart, and stays to the last bit.
    return tuple(
        mean + taken * (new - mean) for mean, new in zip(before, weights, strict=True)
    )


def _descend(training: _Training, *, epoch: int, learning_rate: float) -> float:
    """Take the epoch's steps; return the mean loss per known label before each."""
    n_batches = training.n_batches
    total = n_known = 0.0
    started = time.perf_counter()
    show = epoch_progress(
        training.stage,
        epoch=epoch,
        most_epochs=training.recipe.max_epochs,
        n_batches=n_batches,
    )
    for number, batch in enumerate(training.batches(epoch=epoch), start=1):
        loss, n_labels = training.descent.step(*batch)
        if not math.isfinite(loss):
            raise ValueError(
                _diverged(training, epoch, f"batch {number}", learning_rate)
            )
        total += loss * n_labels
        n_known += n_labels
        n_images = len(training.train.rows) * number / n_batches
        show(loss, n_images / (time.perf_counter() - started))
    return total / n_known


def _validate(training: _Training, *, epoch: int, learning_rate: float) -> float:
    """Return the validation loss of the weights that are in the network."""
    log_odds = training.descent.network.predict(training.validation_batches)
    loss = cross_entropy(log_odds, training.validation.is_case)
    if not math.isfinite(loss):
        raise ValueError(_diverged(training, epoch, "validation", learning_rate))
    return loss


def _diverged(training: _Training, epoch: int, place: str, learning_rate: float) -> str:
    return (
        f"{training.stage}: the loss is not a number in epoch {epoch}, {place}, at the "
        f"learning rate {learning_rate:g}. The epochs before it are kept. Lower "
        "recipe.learning_rate, or look for damaged images in the training part."
    )


def _log_epoch(state: TrainingState, training: _Training) -> None:
    last = state.history[-1]
    logger.info(
        "%s epoch %d: loss %.4f, validation loss %.4f%s, learning rate %.2g, "
        "%.0f images/s",
        training.stage,
        last["epoch"],
        last["loss"],
        last["validation_loss"],
        " (lowest)" if state.plateau.best_epoch == last["epoch"] else "",
        last["learning_rate"],
        len(training.train.rows) / state.seconds[-1],
    )
