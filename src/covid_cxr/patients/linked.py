"""What is linked by duplicates, directly or through others, as one set."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def first_of_linked(
    names: Sequence[str], links: pd.DataFrame, *, of: str
) -> dict[str, str]:
    """Return for every name the first of those that it is linked with, or itself.

    Args:
        names: All different, in the order that says which is first.
        links: One row per pair, such as `find_duplicates` returns; pairs of which a
            name is not among `names` are ignored.
        of: What the links are read between: "image_id" or "patient_id".
    """
    place = pd.Series({name: number for number, name in enumerate(names)})
    ends = [links[f"{end}_{of}"] for end in ("first", "second")]
    known = links[ends[0].isin(place.index) & ends[1].isin(place.index)]
    first, second = (
        place[known[f"{end}_{of}"]].to_numpy() for end in ("first", "second")
    )
    size = (len(names), len(names))
    graph = coo_array((np.ones(len(known), bool), (first, second)), shape=size)
    _, set_of_name = connected_components(graph, directed=False)
    _, first_of_set = np.unique(set_of_name, return_index=True)
    firsts = np.asarray(names, object)[first_of_set[set_of_name]]
    return dict(zip(names, firsts, strict=True))
