"""Nodes in few words. No pipeline of its own."""

from collections.abc import Callable
from inspect import signature
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
    # Kedro tells a parameter's type by its place among the arguments; behind a
    # decorator it does not sort them itself.
    own = {arg: inputs[arg] for arg in signature(function).parameters if arg in inputs}
    return Node(function, inputs={**own, **inputs}, outputs=outputs, name=named)
