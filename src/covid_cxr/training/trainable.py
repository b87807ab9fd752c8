"""What of a classifier is trained: all of it, its last block, or its head."""

import re
from typing import Any

from covid_cxr.training.recipe import Trainable

# As our network and those of Keras applications name their blocks.
BLOCK = re.compile(r"conv(\d+)_block\d+_|.*_stage_(\d+)_|block_?(\d+)")


def freeze(classifier: Any, trainable: Trainable) -> None:
    """Freeze the layers of the Keras model that are not to be trained.

    A frozen batch normalisation also uses its moving averages in training, and leaves
    them as they are.
    """
    for layer in classifier.layers[: _first_trained(classifier, trainable)]:
        layer.trainable = False


def _first_trained(classifier: Any, trainable: Trainable) -> int:
    """Return the place of the first trained layer."""
    if trainable == "all":
        return 0
    if trainable == "head":
        return len(classifier.layers) - 1
    found = [BLOCK.match(layer.name) for layer in classifier.layers]
    # Blocks are counted from 0 or 1; all else is before the first.
    blocks = [int(name[name.lastindex or 1]) if name else -1 for name in found]
    return blocks.index(max(blocks))
