"""Keras layers as a training computes them: the same numbers, sooner.

A classifier is kept in the layers of Keras alone, so that whoever has its file can load
it. The network that a training traces has these in their place.
"""

from functools import cache, reduce
from typing import Any

from covid_cxr.devices.backend import deterministic_tensorflow
from covid_cxr.devices.strategy import Precision


def rebuilt(model: Any, *, precision: Precision, xla: bool) -> Any:
    """Return a model of the same layers as `model`, as it is computed, without weights.

    Args:
        model: A Keras model of this project.
        precision: What its layers compute in.
        xla: Whether its gradient is to be compiled by XLA.
    """
    import keras

    kinds = {keras.layers.BatchNormalization: fused_batch_normalization()}
    if xla:
        kinds[keras.layers.MaxPooling2D] = sliced_max_pooling()

    def rebuild(layer: Any) -> Any:
        kind, config = kinds.get(type(layer), type(layer)), layer.get_config()
        if isinstance(layer, keras.Layer):  # a bare operation, as `x + y`, has no dtype
            config["dtype"] = precision
        return kind.from_config(config)

    return keras.models.clone_model(model, clone_function=rebuild)


@cache
def fused_batch_normalization() -> Any:
    """Return a layer like BatchNormalization that is one operation.

    That of Keras passes over its input six times, and ten times for the gradient.
    """
    tf = deterministic_tensorflow()
    import keras

    class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
        """Normalise by the statistics of the batch, and follow them."""

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            """Return `inputs` (n, height, width, channels), normalised per channel."""
            if not (training and self.trainable):
                return super().call(inputs, training=training, mask=mask)
            outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
                x=tf.cast(inputs, tf.float32),
                scale=self.gamma,
                offset=self.beta,
                mean=[],
                variance=[],
                epsilon=self.epsilon,
            )
            n_pixels = tf.cast(tf.size(inputs) / tf.size(mean), tf.float32)
            # It returns the unbiased variance; Keras follows that of the batch.
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance * (n_pixels - 1) / n_pixels)
            return tf.cast(outputs, self.compute_dtype)

        def _follow(self, moving: Any, now: Any) -> None:
            moving.assign(moving * self.momentum + now * (1 - self.momentum))

    return FusedBatchNormalization


@cache
def sliced_max_pooling() -> Any:
    """Return a layer like MaxPooling2D whose gradient XLA repeats bit for bit.

    XLA refuses that of the operation itself among deterministic ones.
    """
    tf = deterministic_tensorflow()
    import keras

    class SlicedMaxPooling2D(keras.layers.MaxPooling2D):  # type: ignore[misc]
        """The maximum of as many strided slices as a window has pixels."""

        def call(self, inputs: Any) -> Any:
            """Return the maximum in each window."""
            (height, width), (down, right) = self.pool_size, self.strides
            last_row = inputs.shape[1] - height + 1
            last_column = inputs.shape[2] - width + 1
            slices = [
                inputs[
                    :, row : row + last_row : down, left : left + last_column : right
                ]
                for row in range(height)
                for left in range(width)
            ]
            return reduce(tf.maximum, slices)

    return SlicedMaxPooling2D
