"""The gallery: test radiographs with the maps of every path of a report."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Node

from covid_cxr.evaluation.paper_tables import chosen_path
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.report.gallery import Gallery, draw_images, gather_cases
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


def gallery_node(paths: Sequence[TrainingPath]) -> Node:
    """Return the node that gathers the gallery of these paths."""
    return Node(
        gather_gallery,
        inputs={
            "table3": "table3",
            "store": f"{current().target_cohort}_store",
            "radiographs": f"{current().target_cohort}_curated",
            "gallery": "params:gallery",
            **{path.name: f"{path.name}_phase3_maps" for path in paths},
        },
        outputs="gallery",
        name="gather_gallery",
    )


def gather_gallery(
    table3: pd.DataFrame,
    store: ImageStore,
    radiographs: pd.DataFrame,
    gallery: Gallery,
    **maps: pd.DataFrame,
) -> list[dict[str, Any]]:
    """Return the cases of the gallery, drawn by the path that is best on validation.

    Args:
        table3: Says which path that is.
        store: The radiographs' pixels.
        radiographs: The curated ones, with their row in the store.
        gallery: How many, and the seed.
        maps: Of every test image, by path.
    """
    images = draw_images(maps[chosen_path(table3).name], gallery)
    rows = radiographs.set_index("image_id")["row"].loc[images]
    pixels = store.read(rows.to_numpy(np.int64))
    return gather_cases(images, pixels, radiographs, maps)
