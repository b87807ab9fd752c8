"""Whether maps show what a network has learned (Adebayo et al., NeurIPS 2018).

A map that stays as it is when the network forgets what it has learned shows the image,
not the network. Blocks of layers are randomised one after the other from the head down,
and the maps of every state are compared with those of the trained network.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from covid_cxr.saliency.grad_cam import Explain, Floats, Images
from covid_cxr.saliency.similarity import similarities, similarity_between_images

# In Keras applications, conv2 is the first dense block and pool2 follows it.
_TITLES = {"findings": "head", "conv1": "first convolution"}

# As Keras applications name the blocks of ConvNeXt, of ResNet, and of others.
_STAGE = re.compile(r".*_stage_(\d+)_")
_RESIDUAL = re.compile(r"conv(\d+)_block")
_BLOCK = re.compile(r"block_?\d+")

COLUMNS = ("layer", "n_randomised", "n_images", "similarity", "between_images")


def randomisation_test(
    classifier: Any,
    batches: Sequence[Images],
    *,
    make_explainer: Callable[[Any], Explain],
    seed: int,
) -> pd.DataFrame:
    """Return how similar maps stay while blocks are randomised, head first.

    Columns: `layer` (the last block that was randomised, as in "conv4"),
    `n_randomised` (kernels until then), `n_images`, `similarity` (mean over images of
    the structural similarity to the trained network's maps) and `between_images` (mean
    similarity of the trained network's maps of different images).

    Args:
        classifier: A Keras model whose layers are named as in `training.network`. It
            stays as it is.
        batches: The network's input for some images in random order; none gives no row.
        make_explainer: From a classifier to the function that makes its maps.
        seed: Of the random weights.
    """
    if not batches:
        return pd.DataFrame(columns=list(COLUMNS))
    import keras

    trained = _explain(make_explainer(classifier), batches)
    forgetful = keras.models.clone_model(classifier)
    forgetful.set_weights(classifier.get_weights())
    explain = make_explainer(forgetful)
    rows = [
        {
            "layer": block,
            "n_randomised": n_randomised,
            "n_images": len(trained),
            "similarity": similarities(trained, _explain(explain, batches)).mean(),
        }
        for block, n_randomised in _randomised(forgetful, seed=seed)
    ]
    between = similarity_between_images(trained)
    return pd.DataFrame(rows).assign(between_images=between)


def block_title(block: str) -> str:
    """Return the name of a block for readers, as in "dense block 3" for "conv4"."""
    kind, number = block[:4], block[4:]
    if block in _TITLES or kind not in {"conv", "pool"} or not number.isdigit():
        return _TITLES.get(block, block.replace("_", " "))
    return f"{'dense block' if kind == 'conv' else 'transition'} {int(number) - 1}"


def _explain(explain: Explain, batches: Sequence[Images]) -> Floats:
    return np.concatenate([explain(images) for images in batches])


def _randomised(model: Any, *, seed: int) -> Iterator[tuple[str, int]]:
    """Yield each block from the head down, after randomising it, and all its kernels.

    A block is the layers whose names begin alike ("conv4_block2_1_conv" is of "conv4"):
    the head, a dense block, a transition, the first convolution; in other networks than
    DenseNet a stage or a block. A kernel's elements are exchanged at random, so that
    their distribution stays.
    """
    is_dense = any(type(layer).__name__ == "Concatenate" for layer in model.layers)
    rng = np.random.default_rng(seed)
    layers = [layer for layer in reversed(model.layers) if hasattr(layer, "kernel")]
    n_randomised = 0
    for block, members in groupby(layers, key=partial(_block, is_dense=is_dense)):
        for layer in members:
            kernel = layer.kernel.numpy()
            layer.kernel.assign(rng.permutation(kernel.ravel()).reshape(kernel.shape))
            n_randomised += 1
        yield block, n_randomised


def _block(layer: Any, *, is_dense: bool) -> str:
    name = str(layer.name)
    if found := _STAGE.match(name):
        return f"stage_{found[1]}"
    if not is_dense and (found := _RESIDUAL.match(name)):
        return f"stage_{found[1]}"
    found = _BLOCK.match(name)
    return found[0] if found else name.partition("_")[0]
