"""The classifiers: DenseNet (Huang et al., CVPR 2017) with one sigmoid per label.

The network is DenseNet121 at the paper's settings, layer by layer as in
`keras.applications`, so that its weight files fit; smaller members of the family have
fewer and thinner blocks. It is flat, one layer after the other, and ends in

    relu (height, width, channels) -> global_pool (channels) -> findings (labels)

Its input is one radiograph per row, normalised by the mean and the standard deviation
of the training set. The paper does so in all phases, also with ImageNet weights, which
were trained on images normalised by the statistics of ImageNet.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from covid_cxr.training.backend import deterministic_tensorflow
from covid_cxr.training.provenance import initial_provenance
from covid_cxr.training.randomness import random_stream

logger = logging.getLogger(__name__)

FEATURES = "relu"
HEAD = "findings"

BATCH_NORM_EPSILON = 1.001e-5  # as in keras.applications
BOTTLENECK = 4  # channels of a 1 x 1 convolution per channel of growth
COMPRESSION = 0.5  # of the channels, between two blocks

IMAGENET_NETWORKS: dict[tuple[int, ...], str] = {
    (6, 12, 24, 16): "DenseNet121",
    (6, 12, 32, 32): "DenseNet169",
    (6, 12, 48, 32): "DenseNet201",
}


@dataclass(frozen=True, kw_only=True)
class Network:
    """The network that every path starts from, as read from parameters.yml.

    Attributes:
        size_px: Height and width of the input.
        blocks: Layers in each dense block; [6, 12, 24, 16] is DenseNet121.
        growth_rate: Channels that each layer adds.
        initial_filters: Channels of the first convolution.
        batch_norm_momentum: Of the moving averages in every batch normalisation, 0 to
            1; the share that a step leaves. Keras applications have 0.99.
        weights: "imagenet", "none", or a file in the Keras applications format,
            without its top.
        seed: Of the weights that are drawn.
    """

    size_px: int
    blocks: list[int]
    growth_rate: int
    initial_filters: int
    batch_norm_momentum: float
    weights: str
    seed: int

    def __post_init__(self) -> None:
        """Refuse a network that cannot be built or loaded."""
        counts = {
            "size_px": self.size_px,
            "growth_rate": self.growth_rate,
            "initial_filters": self.initial_filters,
            **{f"blocks[{i}]": layers for i, layers in enumerate(self.blocks)},
        }
        for name, count in counts.items():
            if not isinstance(count, int) or count < 1:
                raise ValueError(
                    f"network.{name} must be a whole number of at least 1, got "
                    f"{count!r}."
                )
        if not 0 <= self.batch_norm_momentum < 1:
            raise ValueError(
                "network.batch_norm_momentum must be from 0 to below 1, got "
                f"{self.batch_norm_momentum!r}."
            )
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(
                f"network.seed must be a whole number from 0, got {self.seed!r}."
            )
        self._check_blocks()
        if self.weights == "imagenet" and not self._has_imagenet_weights():
            raise ValueError(
                f"There are no ImageNet weights for blocks {self.blocks}, growth rate "
                f"{self.growth_rate} and {self.initial_filters} initial filters; "
                f"there are for blocks {', '.join(map(str, IMAGENET_NETWORKS))} with "
                "32 and 64. Take one of these or set network.weights to none."
            )

    def _check_blocks(self) -> None:
        if not self.blocks:
            raise ValueError(
                "network.blocks is empty; give the layers of each dense block, such as "
                "[6, 12, 24, 16]."
            )
        smallest_px = 2 ** (len(self.blocks) + 1)
        if self.size_px < smallest_px:
            raise ValueError(
                f"network.size_px is {self.size_px}, but {len(self.blocks)} dense "
                f"blocks need at least {smallest_px} px. Enlarge the images or "
                "remove a block."
            )

    def _has_imagenet_weights(self) -> bool:
        return (
            tuple(self.blocks) in IMAGENET_NETWORKS
            and self.growth_rate == 32
            and self.initial_filters == 64
        )


def initialise(network: Network) -> tuple[Any, dict[str, Any]]:
    """Return the classifier that every path starts from, and its provenance.

    Its head, of one label, is a placeholder: every training brings its own.
    """
    classifier = build_densenet(network, 1)
    # A file's place is this machine's affair; its weights are hashed.
    weights = Path(network.weights).name
    record = initial_provenance(classifier, {**asdict(network), "weights": weights})
    logger.info(
        "built a DenseNet with %s weights (weights: %s)",
        f"{classifier.count_params():,}",
        weights,
    )
    return classifier, record


def build_densenet(network: Network, n_labels: int) -> Any:
    """Return a Keras model (n, size, size, 1) -> (n, labels) with initial weights.

    Raises:
        ValueError: If the weights file is missing or holds another network.
        OSError: If the ImageNet weights cannot be downloaded.
    """
    deterministic_tensorflow()
    body = _dense_body(network)
    for layer in body.layers:
        if hasattr(layer, "moving_mean"):
            layer.momentum = network.batch_norm_momentum
    classifier = _with_head(body, n_labels)
    _draw_kernels(classifier, seed=network.seed)
    if network.weights == "imagenet":
        body.set_weights(_imagenet_weights(network))
    elif network.weights != "none":
        _load_weights(body, Path(network.weights))
    return classifier


def swap_head(parent: Any, n_labels: int, *, seed: int) -> Any:
    """Return a copy of the classifier `parent` with a new head of `n_labels`.

    The body's weights are the parent's; the head is drawn anew (He normal, zero bias).

    Args:
        parent: A Keras model that ends in the layer `findings`. It stays as it is.
        n_labels: Sigmoid outputs of the new head.
        seed: Of the new head's weights.

    Raises:
        ValueError: If `parent` does not end in a layer `findings`.
    """
    deterministic_tensorflow()
    import keras

    head = parent.layers[-1]
    if head.name != HEAD:
        raise ValueError(
            f"The parent classifier ends in the layer {head.name!r}, not in {HEAD!r}. "
            "Start from a classifier of this project, such as initial_classifier."
        )
    trained_body = keras.Model(parent.input, head.input, name="body")
    body = keras.models.clone_model(trained_body)
    body.set_weights(trained_body.get_weights())
    classifier = _with_head(body, n_labels)
    _draw_kernel(classifier.get_layer(HEAD), seed=seed)
    return classifier


def _dense_body(network: Network) -> Any:
    """Return the layers until the pooled features, named as in keras.applications."""
    import keras
    from keras import layers

    image = layers.Input((network.size_px, network.size_px, 1), name="radiograph")
    x = layers.Concatenate(name="three_channels")([image, image, image])
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = _convolution(network.initial_filters, 7, "conv1_conv", strides=2)(x)
    x = _normalised_relu(x, "conv1_bn", "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for number, n_layers in enumerate(network.blocks, start=2):
        if number > 2:
            x = _transition(x, name=f"pool{number - 1}")
        for layer in range(1, n_layers + 1):
            x = _dense_layer(x, network.growth_rate, name=f"conv{number}_block{layer}")
    x = _normalised_relu(x, "bn", FEATURES)
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    return keras.Model(image, x, name="body")


def _dense_layer(x: Any, growth_rate: int, *, name: str) -> Any:
    from keras import layers

    new = _normalised_relu(x, f"{name}_0_bn", f"{name}_0_relu")
    new = _convolution(BOTTLENECK * growth_rate, 1, f"{name}_1_conv")(new)
    new = _normalised_relu(new, f"{name}_1_bn", f"{name}_1_relu")
    new = _convolution(growth_rate, 3, f"{name}_2_conv", padding="same")(new)
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def _transition(x: Any, *, name: str) -> Any:
    from keras import layers

    n_channels = int(x.shape[-1] * COMPRESSION)
    x = _normalised_relu(x, f"{name}_bn", f"{name}_relu")
    x = _convolution(n_channels, 1, f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _convolution(n_channels: int, kernel_px: int, name: str, **options: Any) -> Any:
    from keras import layers

    return layers.Conv2D(n_channels, kernel_px, use_bias=False, name=name, **options)


def _normalised_relu(x: Any, norm_name: str, relu_name: str) -> Any:
    from keras import layers

    norm = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=norm_name)
    return layers.Activation("relu", name=relu_name)(norm(x))


def _with_head(body: Any, n_labels: int) -> Any:
    import keras

    head = keras.layers.Dense(n_labels, activation="sigmoid", name=HEAD)
    return keras.Model(body.input, head(body.output), name="classifier")


def _draw_kernels(classifier: Any, *, seed: int) -> None:
    for layer in classifier.layers:
        if hasattr(layer, "kernel"):
            _draw_kernel(layer, seed=seed)


def _draw_kernel(layer: Any, *, seed: int) -> None:
    """Draw the layer's kernel (He normal); zero its bias, if it has one.

    The layer's name goes into its seed, or equal shapes would get equal weights.
    """
    import keras

    stream = random_stream(seed, f"initial weights of {layer.name}")
    he_normal = keras.initializers.HeNormal(seed=int(stream.integers(2**31)))
    layer.kernel.assign(he_normal(layer.kernel.shape))
    if layer.bias is not None:
        layer.bias.assign(keras.ops.zeros_like(layer.bias))


def _imagenet_weights(network: Network) -> Any:
    import keras

    name = IMAGENET_NETWORKS[tuple(network.blocks)]
    try:
        trained = getattr(keras.applications, name)(
            include_top=False, weights="imagenet", input_shape=(32, 32, 3)
        )
    except Exception as error:  # Keras raises a bare Exception when the network fails
        raise OSError(
            f"The ImageNet weights of {name} could not be downloaded ({error}). Allow "
            "the download, give network.weights a file in the Keras applications "
            "format (without its top), or set it to none."
        ) from error
    return trained.get_weights()


def _load_weights(body: Any, file: Path) -> None:
    if not file.is_file():
        raise ValueError(
            f"network.weights is {str(file)!r}, which is no file. Give imagenet, none, "
            "or a file in the Keras applications format (without its top)."
        )
    try:
        body.load_weights(file)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(
            f"{file.name} does not hold the weights of this network ({error}). Give "
            "the Keras applications file without its top, for the same blocks."
        ) from error
