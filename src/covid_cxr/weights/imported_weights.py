"""Published chest weights: a DenseNet of PyTorch, laid out for our network.

Most networks that were published with weights for chest radiographs (CheXNet and its
kin, torchxrayvision) are torchvision's DenseNet121 with another head, and their tensors
have torchvision's names, often behind a prefix:

    module.densenet121.features.denseblock1.denselayer2.norm1.running_mean

They come as .safetensors, or as .npz with one array per tensor. PyTorch's own .pt and
.pth are pickles, which may run any code when they are opened: they are refused.

The two frameworks compute the same function from the same numbers: PyTorch pads the
first pooling with minus infinity and Keras with zeros, but it follows a ReLU. What is
added to variances in batch normalisation differs, and comes with the weights.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from covid_cxr.weights.channels import fold_channels
from covid_cxr.weights.numpy_archive import read_arrays

Tensors = Mapping[str, NDArray[np.float32]]

PYTORCH_EPSILON = 1e-5  # BatchNorm2d's default, which torchvision keeps
FORMATS = (".safetensors", ".npz")
MOST_BYTES = 2**30  # the largest DenseNet, 201 layers in doubles, has a sixth
PICKLES = (".pt", ".pth", ".pkl", ".ckpt", ".bin", ".tar")

FIRST_TENSOR = "features.conv0.weight"
NORM_TENSORS = ("weight", "bias", "running_mean", "running_var")  # in Keras's order
# Until 2017 the layers of a dense layer were called norm.1, conv.1, norm.2, conv.2.
OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")


def is_imported(weights: str) -> bool:
    """Return whether `network.weights` names a file in one of the `FORMATS`."""
    return weights.endswith(FORMATS)


def refuse_pickle(weights: str) -> None:
    """Refuse a file that can only be read by running what it says.

    Raises:
        ValueError: If the file's name ends as PyTorch's pickles do.
    """
    if weights.endswith(PICKLES):
        raise ValueError(
            f"network.weights is {Path(weights).name!r}, a pickle, which may run any "
            "code when it is opened. Convert it to .safetensors on a machine that may "
            "be lost, as docs/how-to/published-weights.md shows."
        )


def imported_weights(
    file: Path, layers: Mapping[str, Sequence[tuple[int, ...]]]
) -> dict[str, list[NDArray[np.float32]]]:
    """Return the weights of each layer, in Keras's order and layout.

    The first kernel is folded; the head of the published network, and whatever else is
    outside its `features`, is left out.

    Args:
        file: In one of the `FORMATS`.
        layers: The shapes of the weights of each layer that has any, by its name in
            keras.applications.

    Raises:
        ValueError: If the file cannot be read, or its tensors are not those of the
            layers; names the ones that are missing, unknown or of another shape.
    """
    tensors = _features(_read(file), file.name)
    names = {layer: _tensor_names(layer, len(layers[layer])) for layer in layers}
    wanted = {name for layer in names.values() for name in layer}
    _check_complete(tensors, wanted, file.name)
    weights = {
        layer: [_in_keras_layout(name, tensors[name]) for name in names[layer]]
        for layer in layers
    }
    _check_shapes(weights, layers, names, file.name)
    return weights


def _read(file: Path) -> Tensors:
    if not file.is_file():
        raise ValueError(
            f"network.weights is {str(file)!r}, which is no file. Give the place of "
            "the published weights, or imagenet or none."
        )
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        # NumPy leaves a damaged file open that it has opened itself.
        with file.open("rb") as opened:
            return read_arrays(opened, most_bytes=MOST_BYTES)
    except (SafetensorError, ValueError, OSError) as error:
        raise ValueError(
            f"{file.name} cannot be read ({error}). Convert the published weights "
            "again, as docs/how-to/published-weights.md shows."
        ) from error


def _features(tensors: Tensors, file: str) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of the body by their present name after `features.`."""
    firsts = [name for name in tensors if name.endswith(FIRST_TENSOR)]
    if len(firsts) != 1:
        raise ValueError(
            f"{file} holds {len(firsts)} tensors {FIRST_TENSOR!r} among "
            f"{len(tensors)}{_such_as(tensors)}; expected one. Give the state dict of "
            "one DenseNet with torchvision's names."
        )
    prefix = firsts[0].removesuffix("conv0.weight")
    return {
        OLD_NAME.sub(r"\1\2.", name.removeprefix(prefix)): tensor.astype(np.float32)
        for name, tensor in tensors.items()
        if name.startswith(prefix) and not name.endswith("num_batches_tracked")
    }


def _tensor_names(layer: str, n_weights: int) -> list[str]:
    parts = ("weight",) if n_weights == 1 else NORM_TENSORS
    return [f"{_published_name(layer)}.{part}" for part in parts]


def _published_name(layer: str) -> str:
    """Return torchvision's name of a layer, as in "transition1.conv"."""
    if layer == "bn":
        return "norm5"
    place, kind = layer.rsplit("_", 1)
    kind = {"bn": "norm", "conv": "conv"}[kind]
    if place == "conv1":
        return f"{kind}0"
    if place.startswith("pool"):
        return f"transition{int(place.removeprefix('pool')) - 1}.{kind}"
    block, dense_layer, step = (int(number) for number in re.findall(r"\d+", place))
    # Keras counts norm 0, conv 1, norm 1, conv 2; torchvision starts with norm 1.
    number = step + 1 if kind == "norm" else step
    return f"denseblock{block - 1}.denselayer{dense_layer}.{kind}{number}"


def _in_keras_layout(name: str, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    if tensor.ndim != 4:
        return tensor
    kernel = tensor.transpose(2, 3, 1, 0)  # (out, in, y, x) -> (y, x, in, out)
    return fold_channels(kernel) if name == "conv0.weight" else kernel


def _check_complete(tensors: Tensors, wanted: set[str], file: str) -> None:
    missing, unknown = wanted - set(tensors), set(tensors) - wanted
    if missing or unknown:
        raise ValueError(
            f"{file} is not the network of the parameters: it lacks {len(missing)} "
            f"tensors{_such_as(missing)} and has {len(unknown)} that the network has "
            f"not{_such_as(unknown)}. Set network.blocks to those of the published "
            "network ([6, 12, 24, 16] for DenseNet121)."
        )


def _check_shapes(
    weights: Mapping[str, list[NDArray[np.float32]]],
    layers: Mapping[str, Sequence[tuple[int, ...]]],
    names: Mapping[str, list[str]],
    file: str,
) -> None:
    for layer, expected in layers.items():
        triples = zip(names[layer], weights[layer], expected, strict=True)
        for name, array, shape in triples:
            if array.shape != tuple(shape):
                raise ValueError(
                    f"{file}: {name} is {array.shape} in the layout of Keras, expected "
                    f"{tuple(shape)} for {layer}. Set network.growth_rate and "
                    "network.initial_filters to those of the published network."
                )
            if not np.isfinite(array).all():
                raise ValueError(
                    f"{file}: {name} holds numbers that are not finite; fetch the "
                    "published weights again."
                )


def _such_as(names: Mapping[str, object] | set[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return f" ({shown}{', ...' if len(names) > 3 else ''})" if names else ""
