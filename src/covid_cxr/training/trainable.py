"""What of a classifier is trained: all of it, its last dense block, or its head."""

import re
from typing import Any

from covid_cxr.training.recipe import Trainable

BLOCK = re.compile(r"conv(\d+)_block\d+_")  # as the network names its dense blocks


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
    blocks = [int(name[1]) if name else 0 for name in found]
    return blocks.index(max(blocks))
