"""Strata: what is evened between the parts of a split beside the label."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.cohorts.radiograph_table import UNKNOWN

AGE_BAND = "age_band"
_BAND_YEARS = 20
_ROUNDING = 1e-6  # an exchange that gains less gains nothing


def levels_of_groups(
    radiographs: pd.DataFrame, strata: Sequence[str], *, label: str
) -> NDArray[np.int64]:
    """Return how many images of each level each group has, shape (groups, levels).

    A level is a value of one stratum together with the label: sites are evened among
    the positives and among the negatives. Groups are in the order of their names. An
    unknown value is a level of its own.

    Args:
        radiographs: `group`, the label and the strata; `age_years` for "age_band".
        strata: Names of columns, or "age_band" (bands of twenty years).
        label: The finding.
    """
    is_positive = radiographs[label].astype(bool).map({True: "+", False: "-"})
    counts = [
        pd.crosstab(radiographs["group"], _values(radiographs, stratum) + is_positive)
        for stratum in strata
    ]
    return np.hstack([table.to_numpy(np.int64) for table in counts])


def even_out(
    chosen: NDArray[np.bool_],
    kinds: NDArray[np.int64],
    levels: NDArray[np.int64],
    wanted: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return a choice whose levels are as near to the wanted ones as exchanges lead.

    A chosen group is exchanged only for another of its kind, which has as many images
    and positives, so those counts stay as they are. The best exchange within a kind
    is made as long as one lowers the sum of squared deviations.

    Args:
        chosen: Shape (groups,).
        kinds: Groups of the same kind may be exchanged, shape (groups,).
        levels: From `levels_of_groups`, shape (groups, levels).
        wanted: Images of each level that the chosen should have, shape (levels,).
    """
    members = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    is_improved = True
    while is_improved:
        before = chosen
        for groups in members:
            missing = wanted - levels[chosen].sum(axis=0)
            chosen = _exchange_within(chosen, groups, levels, missing)
        is_improved = bool((chosen != before).any())
    return chosen


def _values(radiographs: pd.DataFrame, stratum: str) -> pd.Series:
    """Return the value of a stratum of each image as text."""
    if stratum != AGE_BAND:
        return radiographs[stratum].astype("str").fillna(UNKNOWN)
    bands = radiographs["age_years"] // _BAND_YEARS * _BAND_YEARS
    return bands.astype("str").fillna(UNKNOWN)


def _exchange_within(
    chosen: NDArray[np.bool_],
    groups: NDArray[np.intp],
    levels: NDArray[np.int64],
    missing: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return `chosen` after the best exchanges among groups of one kind."""
    # Groups with the same levels are alike: one of each will do on either side.
    profiles, profile = np.unique(levels[groups], axis=0, return_inverse=True)
    squares = (profiles**2).sum(axis=1)
    is_chosen = chosen[groups]
    while True:
        leaving, entering = (
            np.unique(profile[is_chosen]),
            np.unique(profile[~is_chosen]),
        )
        if not leaving.size or not entering.size:
            break
        left = missing + profiles[leaving]  # (leaving, levels)
        deviation = (
            (left**2).sum(axis=1)[:, None]
            - 2 * left @ profiles[entering].T
            + squares[entering]
        )  # (leaving, entering), squared
        out, into = np.unravel_index(deviation.argmin(), deviation.shape)
        if deviation[out, into] >= (missing**2).sum() - _ROUNDING:
            break
        missing = left[out] - profiles[entering[into]]
        first_out = np.argmax(is_chosen & (profile == leaving[out]))
        first_into = np.argmax(~is_chosen & (profile == entering[into]))
        is_chosen[[first_out, first_into]] = False, True
    exchanged = chosen.copy()
    exchanged[groups] = is_chosen
    return exchanged
