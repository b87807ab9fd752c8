"""Networks whose steps are traced once in a process, and lent to one user at a time.

Tracing a network takes longer than the arithmetic of a small training, and the eleven
trainings of a study have two architectures among them (14 labels, one label). So the
variables of TensorFlow are only a place where something happens: weights are moved in
before and out after, and no classifier that anybody holds shares them.
"""

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from covid_cxr.training.backend import deterministic_tensorflow
from covid_cxr.training.recipe import Recipe

Arrays = tuple[NDArray[np.float32], ...]


class TracedNetwork:
    """One architecture and its forward pass.

    Attributes:
        lock: Held by whoever has weights of his own in the model.
        model: The Keras model; set and get its weights while holding the lock.
    """

    def __init__(self, architecture: str) -> None:
        """Build the network that `classifier.to_json()` describes."""
        tf = deterministic_tensorflow()
        import keras

        self.lock = threading.Lock()
        self.model = keras.models.model_from_json(architecture)
        self._head = self.model.layers[-1]
        self._body = keras.Model(self.model.input, self._head.input)
        images = tf.TensorSpec(self.model.inputs[0].shape, tf.float32)
        self._forward = tf.function(self.log_odds, input_signature=[images])

    def log_odds(self, images: Any, *, training: bool = False) -> Any:
        """Return the tensor (n, labels) that the head's sigmoid takes.

        Losses and scores start from it, for the sigmoid of a sure network is 1 in
        single precision, and its cross-entropy and its rank are lost.
        """
        features = self._body(images, training=training)
        return features @ self._head.kernel.value + self._head.bias.value

    def predict(self, batches: Iterable[Any]) -> NDArray[np.float64]:
        """Return the log odds (n, labels) of all images in `batches`."""
        log_odds = [self._forward(images).numpy() for images, _ in batches]
        return np.concatenate(log_odds).astype(np.float64)


class TracedDescent:
    """Stochastic gradient descent in a traced network.

    Attributes:
        network: Where it happens; hold its lock.
    """

    def __init__(
        self, network: TracedNetwork, momentum: float, weight_decay: float, decay: str
    ) -> None:
        """Prepare the update rule; it is traced with the first step."""
        tf = deterministic_tensorflow()
        import keras

        self.network = network
        self._weights = network.model.trainable_variables
        self._coupled = weight_decay if decay == "coupled_l2" else 0.0
        self._optimizer = keras.optimizers.SGD(
            momentum=momentum,
            weight_decay=weight_decay if decay == "decoupled" else None,
        )
        self._optimizer.exclude_from_weight_decay(
            [weight for weight in self._weights if not _is_kernel(weight)]
        )
        self._optimizer.build(self._weights)
        images = tf.TensorSpec(network.model.inputs[0].shape, tf.float32)
        is_case = tf.TensorSpec(network.model.outputs[0].shape, tf.float32)
        self._step = tf.function(self._descend, input_signature=[images, is_case])

    def velocity(self) -> Arrays:
        """Return the optimiser's velocity, one array per trainable weight."""
        return tuple(variable.numpy() for variable in self._optimizer.momentums)

    def put(
        self, *, weights: Sequence[Any], velocity: Sequence[Any], learning_rate: float
    ) -> None:
        """Set everything that the next step depends on."""
        self.network.model.set_weights(weights)
        variables = self._optimizer.momentums
        for variable, array in zip(variables, velocity, strict=True):
            variable.assign(array)
        self._optimizer.learning_rate = learning_rate

    def step(self, images: Any, is_case: Any) -> float:
        """Return the loss of a batch, after one step down its gradient."""
        return float(self._step(images, is_case))

    def _descend(self, images: Any, is_case: Any) -> Any:
        tf = deterministic_tensorflow()
        with tf.GradientTape() as tape:
            log_odds = self.network.log_odds(images, training=True)
            loss = tf.reduce_mean(
                tf.nn.sigmoid_cross_entropy_with_logits(is_case, log_odds)
            )
        gradients = tape.gradient(loss, [weight.value for weight in self._weights])
        decayed = [
            gradient + self._coupled * weight.value if _is_kernel(weight) else gradient
            for gradient, weight in zip(gradients, self._weights, strict=True)
        ]
        self._optimizer.apply(decayed, self._weights)
        return loss


def traced_network(classifier: Any) -> TracedNetwork:
    """Return the traced network of the classifier's architecture, whatever is in it."""
    return _traced_network(classifier.to_json())


def traced_descent(classifier: Any, recipe: Recipe) -> TracedDescent:
    """Return the recipe's descent in the classifier's architecture."""
    return _traced_descent(
        classifier.to_json(), recipe.momentum, recipe.weight_decay, recipe.decay
    )


@lru_cache(maxsize=4)
def _traced_network(architecture: str) -> TracedNetwork:
    return TracedNetwork(architecture)


@lru_cache(maxsize=4)
def _traced_descent(
    architecture: str, momentum: float, weight_decay: float, decay: str
) -> TracedDescent:
    return TracedDescent(_traced_network(architecture), momentum, weight_decay, decay)


def _is_kernel(weight: Any) -> bool:
    return bool(weight.name == "kernel")
