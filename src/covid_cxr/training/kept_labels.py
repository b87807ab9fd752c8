"""Some labels of a classifier: the same network with the rest of its head off.

Of one label it has the architecture of phases 2 and 3, so that nothing is traced again.
"""

from collections.abc import Sequence
from typing import Any

from covid_cxr.training.network import HEAD, swap_head


def keep_labels(classifier: Any, positions: Sequence[int]) -> Any:
    """Return a classifier of some labels that says what `classifier` says of them.

    Args:
        classifier: A Keras model of this project. It stays as it is.
        positions: The labels' places among its outputs.
    """
    kernel, bias = classifier.get_layer(HEAD).get_weights()
    chosen = list(positions)
    kept = swap_head(classifier, len(chosen), seed=0)
    kept.get_layer(HEAD).set_weights([kernel[:, chosen], bias[chosen]])
    return kept
