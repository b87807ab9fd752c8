"""Whether two trainings that differ in their seed only look at the same places.

Arun et al., Radiology: Artificial Intelligence 2021;3:e200267, call this repeatability.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from covid_cxr.saliency.maps import maps_of
from covid_cxr.saliency.similarity import similarities, similarity_between_images
from covid_cxr.statistics.clustered_mean import clustered_mean

COLUMNS = (
    *("first_seed", "second_seed", "n_images", "n_patients"),
    *("similarity", "lower", "upper", "between_images"),
)


def tabulate_repeatability(seed_maps: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return how similar the maps of two seeds are, a row per pair; none for one seed.

    Columns: `first_seed`, `second_seed`, `n_images`, `n_patients`; `similarity`, the
    mean over images of the structural similarity of their two maps, with an interval
    clustered by patient; and `between_images`, that of maps of different images by
    either seed.

    Args:
        seed_maps: Of the test part by every seed, in the same random order: `seed`,
            `image_id`, `patient_index` and the map.
        level: Coverage of the intervals.

    Raises:
        ValueError: If two seeds have maps of other images.
    """
    rows = []
    for first, second in combinations(sorted(seed_maps["seed"].unique()), 2):
        tables = [seed_maps[seed_maps["seed"] == seed] for seed in (first, second)]
        _check_same_images(*tables, seeds=(first, second))
        maps = [maps_of(table) for table in tables]
        mean = clustered_mean(similarities(*maps), tables[0]["patient_index"])
        lower, upper = mean.interval(level)
        between = np.mean([similarity_between_images(one) for one in maps])
        rows.append(
            (
                *(first, second, mean.n_images, mean.n_clusters),
                *(mean.estimate, lower, upper, between),
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _check_same_images(
    first: pd.DataFrame, second: pd.DataFrame, *, seeds: tuple[int, int]
) -> None:
    if list(first["image_id"]) != list(second["image_id"]):
        raise ValueError(
            f"The maps of seeds {seeds[0]} and {seeds[1]} are of other images, or in "
            "another order; run phase 3 again from its scores."
        )
