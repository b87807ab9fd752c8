"""The same for each of several models, side by side where images are many."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MANY_IMAGES = 50_000  # below, threads take longer to start than to work
_MOST_THREADS = 4  # each has copies of a model's scores


def in_threads(
    function: Callable[[T], R], items: Iterable[T], *, n_images: int
) -> list[R]:
    """Return the function of each item, in order; NumPy works without Python's lock.

    Args:
        function: Changes nothing.
        items: Such as models.
        n_images: That it looks at for each.
    """
    if n_images < _MANY_IMAGES:
        return list(map(function, items))
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as executor:
        return list(executor.map(function, items))
