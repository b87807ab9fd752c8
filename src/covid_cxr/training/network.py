"""The classifiers: a convolutional network with one sigmoid per label.

The network is a DenseNet (Huang et al., CVPR 2017), DenseNet121 at the paper's
settings, layer by layer as in `keras.applications`, so that its weight files fit;
smaller members of the family have fewer and thinner blocks. Or it is another one of
`keras.applications` (`training/applications.py`). It is flat, one layer after the
other, and ends in

    relu (height, width, channels) -> global_pool (channels) -> findings (labels)

Its input is one radiograph per row, normalised by the mean and the standard deviation
of the training set. The paper does so in all phases, also with ImageNet weights, which
were trained on images normalised by the statistics of ImageNet. With weights from
elsewhere the one channel stands for three equal ones (`weights/channels.py`). What
the layer before `global_pool` is called, "relu" here, differs between networks.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from covid_cxr.checks import check_whole, check_word
from covid_cxr.devices.backend import deterministic_tensorflow
from covid_cxr.training.applications import APPLICATIONS, application_body
from covid_cxr.training.provenance import initial_provenance
from covid_cxr.training.randomness import random_stream
from covid_cxr.weights.channels import CHANNEL_SCALE, CHANNELS
from covid_cxr.weights.imported_weights import (
    PYTORCH_EPSILON,
    is_imported,
    refuse_pickle,
)
from covid_cxr.weights.initial_weights import (
    FIRST_CONVOLUTION,
    IMAGENET_NETWORKS,
    applications_weights,
    describe_weights,
    fill_imported,
    imagenet_weights,
)

logger = logging.getLogger(__name__)

DENSENET = "DenseNet"
FEATURES = "relu"
HEAD = "findings"

BATCH_NORM_EPSILON = 1.001e-5  # as in keras.applications
BOTTLENECK = 4  # channels of a 1 x 1 convolution per channel of growth
COMPRESSION = 0.5  # of the channels, between two blocks
_PLACE = "parameters.yml"


@dataclass(frozen=True, kw_only=True)
class Network:
    """The network that every path starts from, as read from parameters.yml.

    Attributes:
        backbone: "DenseNet", ours, or one of `applications.APPLICATIONS`; only ours
            has blocks, growth rate and initial filters.
        size_px: Height and width of the input.
        blocks: Layers in each dense block; [6, 12, 24, 16] is DenseNet121.
        growth_rate: Channels that each layer adds.
        initial_filters: Channels of the first convolution.
        batch_norm_momentum: Of the moving averages in every batch normalisation, 0 to
            1; the share that a step leaves. Keras applications have 0.99.
        weights: "imagenet", "none", a file in the Keras applications format without
            its top, or a published DenseNet of PyTorch as .safetensors or .npz.
        seed: Of the weights that are drawn.
        weights_input_sd: Standard deviation of the pixels that a published DenseNet of
            PyTorch was trained with: 1 where they were normalised, as ours are.
    """

    size_px: int
    blocks: list[int]
    growth_rate: int
    initial_filters: int
    batch_norm_momentum: float
    weights: str
    seed: int
    weights_input_sd: float = 1.0
    backbone: str = DENSENET

    def __post_init__(self) -> None:
        """Refuse a network that cannot be built or loaded."""
        counts = {
            "size_px": self.size_px,
            "growth_rate": self.growth_rate,
            "initial_filters": self.initial_filters,
            **{f"blocks[{i}]": layers for i, layers in enumerate(self.blocks)},
        }
        for name, count in counts.items():
            check_whole(f"network.{name}", count, least=1, place=_PLACE)
        if not 0 <= self.batch_norm_momentum < 1:
            raise ValueError(
                "network.batch_norm_momentum must be from 0 to below 1, got "
                f"{self.batch_norm_momentum!r}."
            )
        check_whole("network.seed", self.seed, least=0, place=_PLACE)
        if self.backbone == DENSENET:
            self._check_blocks()
        self._check_weights()

    def _check_weights(self) -> None:
        refuse_pickle(self.weights)
        is_default = self.weights_input_sd == 1
        if not self.weights_input_sd > 0 or not (
            is_default or is_imported(self.weights)
        ):
            raise ValueError(
                "network.weights_input_sd must be above 0, and 1 where network.weights "
                f"is no .safetensors or .npz file; got {self.weights_input_sd!r} for "
                f"{Path(self.weights).name!r}."
            )
        if self.backbone != DENSENET:
            self._check_application()
        elif self.weights == "imagenet" and not self._has_imagenet_weights():
            raise ValueError(
                f"There are no ImageNet weights for blocks {self.blocks}, growth rate "
                f"{self.growth_rate} and {self.initial_filters} initial filters; "
                f"there are for blocks {', '.join(map(str, IMAGENET_NETWORKS))} with "
                "32 and 64. Take one of these or set network.weights to none."
            )

    def _check_application(self) -> None:
        known = (DENSENET, *APPLICATIONS)
        check_word("network.backbone", self.backbone, known, place=_PLACE)
        if is_imported(self.weights):
            raise ValueError(
                f"network.weights is {Path(self.weights).name!r}, a DenseNet of "
                f"PyTorch, which {self.backbone} cannot take. Set network.backbone to "
                f"{DENSENET}, or network.weights to imagenet, none or a file of Keras "
                "applications."
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
    classifier = build_classifier(network, 1)
    weights = describe_weights(network.weights)
    record = initial_provenance(classifier, {**asdict(network), **weights})
    logger.info(
        "built a %s with %s weights (weights: %s)",
        network.backbone,
        f"{classifier.count_params():,}",
        weights["weights"],
    )
    return classifier, record


def build_classifier(network: Network, n_labels: int) -> Any:
    """Return a Keras model (n, size, size, 1) -> (n, labels) with initial weights.

    Raises:
        ValueError: If the weights file is missing or holds another network.
        OSError: If the ImageNet weights cannot be downloaded.
    """
    deterministic_tensorflow()
    if network.backbone != DENSENET:
        return _with_head(_application_body(network), n_labels)
    body = _dense_body(network, n_channels=1)
    classifier = _with_head(body, n_labels)
    _draw_kernels(classifier, network)
    _fill(body, network)
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


def _application_body(network: Network) -> Any:
    """Return a network of Keras applications until the pooled features."""
    import keras

    maps = application_body(
        network.backbone, size_px=network.size_px, weights=network.weights
    )
    if network.weights == "none":
        _draw_kernels(maps, network)
    _set_momentum(maps, network)
    pooled = keras.layers.GlobalAveragePooling2D(name="global_pool")(maps.output)
    return keras.Model(maps.input, pooled, name="body")


def _draw_kernels(model: Any, network: Network) -> None:
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            _draw_kernel(layer, seed=network.seed)


def _draw_kernel(layer: Any, *, seed: int) -> None:
    """Draw the layer's kernel (He normal); zero its bias, if it has one.

    The layer's name goes into its seed, or equal shapes would get equal weights.
    """
    import keras

    stream = random_stream(seed, f"initial weights of {layer.name}")
    he_normal = keras.initializers.HeNormal(seed=int(stream.integers(2**31)))
    layer.kernel.assign(he_normal(layer.kernel.shape))
    if layer.bias is not None:
        layer.bias.assign(keras.ops.zeros(layer.bias.shape))


def _set_momentum(model: Any, network: Network) -> None:
    for layer in model.layers:
        if hasattr(layer, "moving_mean"):
            layer.momentum = network.batch_norm_momentum


def _fill(body: Any, network: Network) -> None:
    """Give the body the trained weights that the parameters name, if they name any."""
    file = Path(network.weights)
    if network.weights == "imagenet":
        body.set_weights(imagenet_weights(network.blocks))
    elif is_imported(network.weights):
        fill_imported(body, file, input_sd=network.weights_input_sd)
    elif network.weights != "none":
        three_channels = _dense_body(network, n_channels=CHANNELS)
        body.set_weights(applications_weights(three_channels, file))


def _dense_body(network: Network, *, n_channels: int) -> Any:
    """Return the layers until the pooled features, named as in keras.applications."""
    import keras
    from keras import layers

    image = layers.Input(
        (network.size_px, network.size_px, n_channels), name="radiograph"
    )
    x = image
    if n_channels == 1 and network.weights != "none":
        x = layers.Rescaling(CHANNEL_SCALE, name="as_three_channels")(x)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = _convolution(network.initial_filters, 7, FIRST_CONVOLUTION, strides=2)(x)
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
    body = keras.Model(image, x, name="body")
    for layer in body.layers:
        if hasattr(layer, "moving_mean"):
            layer.epsilon = _epsilon(network)
    _set_momentum(body, network)
    return body


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

    norm = layers.BatchNormalization(name=norm_name)
    return layers.Activation("relu", name=relu_name)(norm(x))


def _with_head(body: Any, n_labels: int) -> Any:
    import keras

    head = keras.layers.Dense(n_labels, activation="sigmoid", name=HEAD)
    return keras.Model(body.input, head(body.output), name="classifier")


def _epsilon(network: Network) -> float:
    """Return what batch normalisation adds to variances, as where the weights are from.

    An epsilon of another framework would change every activation a little.
    """
    return PYTORCH_EPSILON if is_imported(network.weights) else BATCH_NORM_EPSILON
