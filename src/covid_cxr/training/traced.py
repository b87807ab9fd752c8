"""Networks whose steps are traced once in a process, and lent to one user at a time.

Tracing a network takes longer than the arithmetic of a small training, and the eleven
trainings of a study have two architectures among them (14 labels, one label). So the
variables of TensorFlow are only a place where something happens: weights are moved in
before and out after, and no classifier that anybody holds shares them.

With several replicas, each has its own copy of the network and a share of every batch.
Gradients are summed over all of them before each step, so that the copies stay equal;
batch normalisation takes the statistics of a replica's own images, and the moving
averages, which are linear in them, are averaged once an epoch.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from covid_cxr.devices.backend import as_graph, deterministic_tensorflow
from covid_cxr.devices.strategy import Compute, Precision, Strategy, open_strategy
from covid_cxr.training.layers import rebuilt
from covid_cxr.training.recipe import Recipe, Trainable
from covid_cxr.training.state import Arrays
from covid_cxr.training.trainable import freeze

ALONE = Compute()


class TracedNetwork:
    """One architecture and its forward pass.

    Attributes:
        lock: Held by whoever has weights of his own in the model.
        model: The Keras model; set and get its weights while holding the lock.
        strategy: Of `tf.distribute`: where the model's copies are.
        is_compiled: Whether XLA compiles its gradient.
    """

    def __init__(
        self,
        architecture: str,
        *,
        strategy: Strategy = "default",
        precision: Precision = "float32",
        xla: bool = False,
        trainable: Trainable = "all",
    ) -> None:
        """Build the network that `classifier.to_json()` describes.

        Args:
            architecture: As Keras writes it.
            strategy: What holds its copies.
            precision: What its convolutions compute in; weights are float32.
            xla: Whether its gradient is to be compiled.
            trainable: What of it is trained.
        """
        tf = deterministic_tensorflow()
        import keras

        self.lock = threading.Lock()
        self.is_compiled = xla
        self.strategy = open_strategy(strategy)
        with self.strategy.scope():
            described = keras.models.model_from_json(architecture)
            self.model = rebuilt(described, precision=precision, xla=xla)
        freeze(self.model, trainable)
        self._head = self.model.layers[-1]
        self._body = keras.Model(self.model.input, self._head.input)
        images = tf.TensorSpec(self.model.inputs[0].shape, tf.float32)
        self._forward = as_graph(self.log_odds, input_signature=[images])
        self._average = as_graph(lambda: self.strategy.run(self._average_own))

    def log_odds(self, images: Any, *, training: bool = False) -> Any:
        """Return the tensor (n, labels) that the head's sigmoid takes.

        Losses and scores start from it, for the sigmoid of a sure network is 1 in
        single precision, and its cross-entropy and its rank are lost.
        """
        tf = deterministic_tensorflow()
        features = tf.cast(self._body(images, training=training), tf.float32)
        return features @ self._head.kernel.value + self._head.bias.value

    def predict(self, batches: Iterable[Any]) -> NDArray[np.float64]:
        """Return the log odds (n, labels) of all images in `batches`."""
        log_odds = [self._forward(images).numpy() for images, _ in batches]
        return np.concatenate(log_odds).astype(np.float64)

    def put(self, weights: Sequence[Any]) -> None:
        """Set all weights, in the order of Keras, whose own way takes longer."""
        for variable, array in zip(self.model.weights, weights, strict=True):
            variable.value.assign(array)

    def average_replicas(self) -> None:
        """Give every replica the mean of all moving averages."""
        if self.strategy.num_replicas_in_sync > 1:
            self._average()

    def _average_own(self) -> None:
        tf = deterministic_tensorflow()
        moving = self.model.non_trainable_variables
        means = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.MEAN, [tf.identity(v.value) for v in moving]
        )
        for variable, mean in zip(moving, means, strict=True):
            variable.value.assign(mean)


class TracedDescent:
    """Stochastic gradient descent in a traced network.

    Attributes:
        network: Where it happens; hold its lock.
    """

    def __init__(
        self,
        network: TracedNetwork,
        *,
        momentum: float,
        weight_decay: float,
        decay: str,
    ) -> None:
        """Prepare the update rule; it is traced with the first step."""
        tf = deterministic_tensorflow()
        self.network = network
        self._weights = network.model.trainable_variables
        self._momentum = momentum
        self._weight_decay = weight_decay
        self._is_coupled = decay == "coupled_l2"
        with network.strategy.scope():
            self._learning_rate = tf.Variable(0.0, trainable=False)
            self._velocity = [
                tf.Variable(np.zeros(weight.shape, np.float32), trainable=False)
                for weight in self._weights
            ]
        self._loss_and_gradients = as_graph(
            self._differentiate, jit_compile=network.is_compiled or None
        )
        self._step = as_graph(self._step_in_replicas, input_signature=self._signature())

    def velocity(self) -> Arrays:
        """Return the optimiser's velocity, one array per trainable weight."""
        return tuple(variable.numpy() for variable in self._velocity)

    def put(
        self, *, weights: Sequence[Any], velocity: Sequence[Any], learning_rate: float
    ) -> None:
        """Set everything that the next step depends on."""
        self.network.put(weights)
        for variable, array in zip(self._velocity, velocity, strict=True):
            variable.assign(array)
        self._learning_rate.assign(learning_rate)

    def step(self, images: Any, is_case: Any) -> tuple[float, float]:
        """Return a batch's loss and number of known labels, after a step down.

        Args:
            images: (n, size, size, 1), or such a tensor for each replica.
            is_case: (n, labels) or likewise: 0, 1, or NaN where it is unknown.
        """
        loss, n_known = self._step(images, is_case)
        return float(loss), float(n_known)

    def _signature(self) -> list[Any] | None:
        """Return what a step takes; several replicas are traced by what comes."""
        if self.network.strategy.num_replicas_in_sync > 1:
            return None
        tf = deterministic_tensorflow()
        model = self.network.model
        ends = (model.inputs[0], model.outputs[0])
        return [tf.TensorSpec(end.shape, tf.float32) for end in ends]

    def _step_in_replicas(self, images: Any, is_case: Any) -> Any:
        strategy = self.network.strategy
        losses, n_known = strategy.run(self._descend, (images, is_case))
        return (
            strategy.reduce("SUM", losses, axis=None),
            strategy.reduce("MEAN", n_known, axis=None),
        )

    def _descend(self, images: Any, is_case: Any) -> Any:
        """Step down the gradient of all replicas' images.

        Return this replica's share of the loss, and the known labels of all.
        """
        tf = deterministic_tensorflow()
        n_known = tf.math.count_nonzero(tf.math.is_finite(is_case), dtype=tf.float32)
        n_known = self._sum_over_replicas([n_known])[0]
        loss, gradients = self._loss_and_gradients(images, is_case, n_known)
        for weight, velocity, gradient in zip(
            self._weights,
            self._velocity,
            self._sum_over_replicas(gradients),
            strict=True,
        ):
            self._update(weight, velocity, gradient)
        return loss, n_known

    def _differentiate(self, images: Any, is_case: Any, n_known: Any) -> Any:
        tf = deterministic_tensorflow()
        is_known = tf.math.is_finite(is_case)
        with tf.GradientTape() as tape:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(
                # Masked before and after: the gradient of NaN times zero is NaN.
                tf.where(is_known, is_case, 0.0),
                self.network.log_odds(images, training=True),
            )
            total = tf.reduce_sum(tf.where(is_known, losses, 0.0))
            loss = tf.math.divide_no_nan(total, n_known)
        return loss, tape.gradient(loss, [weight.value for weight in self._weights])

    def _sum_over_replicas(self, tensors: list[Any]) -> list[Any]:
        if self.network.strategy.num_replicas_in_sync == 1:
            return tensors
        tf = deterministic_tensorflow()
        context = tf.distribute.get_replica_context()
        return list(context.all_reduce(tf.distribute.ReduceOp.SUM, tensors))

    def _update(self, weight: Any, velocity: Any, gradient: Any) -> None:
        """Move a weight; every replica moves its own copy by the same amount."""
        tf = deterministic_tensorflow()
        rate = self._learning_rate
        if _is_kernel(weight) and self._is_coupled:
            gradient = gradient + self._weight_decay * weight.value
        elif _is_kernel(weight):
            weight.value.assign_sub(weight.value * self._weight_decay * rate)
        # velocity <- velocity * momentum - rate * gradient; weight <- weight + velocity
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=weight.value.handle,
            accum=velocity.handle,
            lr=rate,
            grad=gradient,
            momentum=self._momentum,
        )


def traced_network(classifier: Any) -> TracedNetwork:
    """Return the traced network of the classifier's architecture, whatever is in it."""
    return _traced_network(classifier.to_json(), ALONE, "all")


def traced_descent(
    classifier: Any, recipe: Recipe, compute: Compute = ALONE
) -> TracedDescent:
    """Return the recipe's descent in the classifier's architecture."""
    return _traced_descent(
        _traced_network(
            classifier.to_json(),
            # What the network is traced for; a process has one number of threads.
            replace(compute, tensorboard=False, threads=0),
            recipe.trainable,
        ),
        recipe.momentum,
        recipe.weight_decay,
        recipe.decay,
    )


@lru_cache(maxsize=4)
def _traced_network(
    architecture: str, compute: Compute, trainable: Trainable
) -> TracedNetwork:
    return TracedNetwork(
        architecture,
        strategy=compute.strategy,
        precision=compute.precision,
        xla=compute.xla,
        trainable=trainable,
    )


@lru_cache(maxsize=4)
def _traced_descent(
    network: TracedNetwork, momentum: float, weight_decay: float, decay: str
) -> TracedDescent:
    return TracedDescent(
        network, momentum=momentum, weight_decay=weight_decay, decay=decay
    )


def _is_kernel(weight: Any) -> bool:
    return bool(weight.name == "kernel")
