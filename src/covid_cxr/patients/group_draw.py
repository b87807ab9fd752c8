"""A draw of groups that together have a wanted number of images and of positives.

A group is a patient, or several who are kept together. Groups with the same (images,
positives) are interchangeable. A random draw is therefore repaired as counts per such
kind: a few hundred kinds instead of tens of thousands of groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.patients.strata import even_out, levels_of_groups

_KICKS = 200  # out of local minima, where no groups reach the counts exactly


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How many images and positive images a part should get."""

    n_images: int
    n_positives: int

    def cost(
        self, images: NDArray[np.int64], positives: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how far counts are off; the rarer class weighs more."""
        n_rarer = max(1, min(self.n_positives, self.n_images - self.n_positives))
        off_images: NDArray[np.int64] = np.abs(images - self.n_images)
        off_positives: NDArray[np.int64] = np.abs(positives - self.n_positives)
        return off_images * n_rarer + off_positives * self.n_images


def choose_groups(
    remaining: pd.DataFrame,
    wanted: Wanted,
    *,
    label: str,
    strata: Sequence[str],
    rng: np.random.Generator,
) -> list[str]:
    """Return the groups that together come nearest to the wanted counts.

    Args:
        remaining: The radiographs to draw from: `group`, the label and the strata.
        wanted: The counts to reach.
        label: The finding whose positives are counted.
        strata: What is evened besides, among draws that reach the same counts.
        rng: Of the draw.
    """
    of_group = remaining.groupby("group")[label].agg(["size", "sum"])
    counts = of_group.to_numpy(np.int64)  # (groups, 2): images, positives
    kinds, kind_of_group = np.unique(counts, axis=0, return_inverse=True)
    order = rng.permutation(len(counts))
    start = np.bincount(
        kind_of_group[_draw_in_order(counts, order, wanted)], minlength=len(kinds)
    )
    available = np.bincount(kind_of_group, minlength=len(kinds))
    taken = _repair(start, available, kinds, wanted, rng)
    shuffled = pd.Series(kind_of_group[order])
    rank_in_kind = shuffled.groupby(shuffled).cumcount().to_numpy()
    is_chosen = np.zeros(len(counts), dtype=bool)
    is_chosen[order[rank_in_kind < taken[shuffled.to_numpy()]]] = True
    if strata:
        levels = levels_of_groups(remaining, strata, label=label)
        share = counts[is_chosen, 0].sum() / len(remaining)
        is_chosen = even_out(is_chosen, kind_of_group, levels, share * levels.sum(0))
    return list(of_group.index[is_chosen])


def _draw_in_order(
    counts: NDArray[np.int64], order: NDArray[np.int64], wanted: Wanted
) -> NDArray[np.int64]:
    """Return the first groups with positives, then the first without, that fit."""
    has_positive = counts[order, 1] > 0
    cases, others = order[has_positive], order[~has_positive]
    cases = cases[counts[cases, 1].cumsum() <= wanted.n_positives]
    cases = cases[counts[cases, 0].cumsum() <= wanted.n_images]
    n_left = wanted.n_images - counts[cases, 0].sum()
    others = others[counts[others, 0].cumsum() <= n_left]
    return np.concatenate([cases, others])


def _repair(
    start: NDArray[np.int64],
    available: NDArray[np.int64],
    kinds: NDArray[np.int64],
    wanted: Wanted,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return how many groups of each kind to take, as near as found to `wanted`.

    Steepest descent over moves that take one group, return one, or exchange two; a
    kick wherever it is stuck.

    Args:
        start: Groups taken of each kind, shape (kinds,).
        available: Groups there are of each kind, shape (kinds,).
        kinds: Images and positives of each kind's groups, shape (kinds, 2).
        wanted: The counts to reach.
        rng: For the choice among equally good moves.
    """
    # The last kind stands for nobody: exchanging with it takes or returns a group.
    kinds = np.vstack([kinds, [0, 0]])
    available, taken = np.append(available, 2), np.append(start, 1)
    best, best_cost = taken, _cost(taken, kinds, wanted)
    n_kicks = 0
    while best_cost > 0 and n_kicks < _KICKS:
        moved = _best_move(taken, available, kinds, wanted, rng)
        cost = _cost(moved, kinds, wanted)
        if cost >= _cost(taken, kinds, wanted):
            n_kicks += 1
            moved = _kick(taken, available, rng)
            cost = _cost(moved, kinds, wanted)
        taken = moved
        if cost < best_cost:
            best, best_cost = taken, cost
    without_nobody: NDArray[np.int64] = best[:-1]
    return without_nobody


def _cost(taken: NDArray[np.int64], kinds: NDArray[np.int64], wanted: Wanted) -> int:
    images, positives = taken @ kinds
    return int(wanted.cost(images, positives))


def _best_move(
    taken: NDArray[np.int64],
    available: NDArray[np.int64],
    kinds: NDArray[np.int64],
    wanted: Wanted,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return `taken` after the exchange that leaves the lowest cost, ties at random."""
    out, into = np.flatnonzero(taken > 0), np.flatnonzero(taken < available)
    images, positives = taken @ kinds
    costs = wanted.cost(  # (out, into)
        images - kinds[out, None, 0] + kinds[None, into, 0],
        positives - kinds[out, None, 1] + kinds[None, into, 1],
    )
    ties = np.argwhere(costs == costs.min())
    leaving, entering = ties[rng.integers(len(ties))]
    return _exchange(taken, out[leaving], into[entering])


def _kick(
    taken: NDArray[np.int64], available: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return `taken` after one to four exchanges at random."""
    for _ in range(rng.integers(1, 5)):
        out, into = np.flatnonzero(taken > 0), np.flatnonzero(taken < available)
        taken = _exchange(taken, rng.choice(out), rng.choice(into))
    return taken


def _exchange(
    taken: NDArray[np.int64], leaving: np.int64, entering: np.int64
) -> NDArray[np.int64]:
    exchanged = taken.copy()
    exchanged[leaving] -= 1
    exchanged[entering] += 1
    # Nobody is always there to be exchanged with, however often that was done.
    exchanged[-1] = taken[-1]
    return exchanged
