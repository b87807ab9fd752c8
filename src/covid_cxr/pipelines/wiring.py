"""Nodes in few words. No pipeline of its own."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node


def node(
    function: Callable[..., Any],
    outputs: str | list[str],
    *,
    name: str | None = None,
    **inputs: str,
) -> Node:
    """Return a node with the name of its function, unless another is given.

    Args:
        function: As Kedro takes it.
        outputs: Datasets.
        name: Of the node.
        inputs: Datasets and parameters by the arguments of the function.
    """
    named = name or function.__name__
    return Node(function, inputs=inputs, outputs=outputs, name=named)
