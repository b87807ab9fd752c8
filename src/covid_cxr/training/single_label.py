"""One label of a classifier of several: the same network with the rest of its head off.

It has the architecture of phases 2 and 3, so that nothing is traced again.
"""

from typing import Any

from covid_cxr.training.network import HEAD, swap_head


def keep_label(classifier: Any, position: int) -> Any:
    """Return a classifier of one label that says what `classifier` says of it.

    Args:
        classifier: A Keras model of this project. It stays as it is.
        position: The label's place among its outputs.
    """
    kernel, bias = classifier.get_layer(HEAD).get_weights()
    kept = swap_head(classifier, 1, seed=0)
    chosen = slice(position, position + 1)
    kept.get_layer(HEAD).set_weights([kernel[:, chosen], bias[chosen]])
    return kept
