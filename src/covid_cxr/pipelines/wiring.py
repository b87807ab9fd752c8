"""Nodes in few words. No pipeline of its own."""

import re
from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any

from kedro.pipeline import Node


def node(
    function: Callable[..., Any],
    outputs: str | list[str] | None,
    /,
    *own: str,
    name: str | None = None,
    tags: str | Iterable[str] | None = None,
    **inputs: str,
) -> Node:
    """Return a node with the name of its function, unless another is given.

    Args:
        function: As Kedro takes it.
        outputs: Datasets.
        own: Datasets and parameters for the arguments of their own names: "scores" is
            `scores`, "params:reporting.level" is `level`.
        name: Of the node.
        tags: As Kedro takes them.
        inputs: Other datasets and parameters by the arguments of the function.
    """
    given = {re.split("[:.]", one)[-1]: one for one in own} | inputs
    # Kedro tells a parameter's type by its place among the arguments; behind a
    # decorator it does not sort them itself.
    first = {arg: given[arg] for arg in signature(function).parameters if arg in given}
    return Node(
        function,
        inputs={**first, **given},
        outputs=outputs,
        name=name or function.__name__,
        tags=tags,
    )


def each(names: Iterable[str], kind: str) -> dict[str, str]:
    """Return the dataset of a kind for each name, as "covid": "covid_curated"."""
    return {name: f"{name}_{kind}" for name in names}
