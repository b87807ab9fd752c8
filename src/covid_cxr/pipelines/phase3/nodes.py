"""Adapters of phase 3: where training and saliency meet."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.radiographs.store import ImageStore
from covid_cxr.saliency.cases import SaliencyCases, draw_cases
from covid_cxr.saliency.grad_cam import class_activation_map, explained_layer
from covid_cxr.training.batches import normalise
from covid_cxr.training.training_set import Intensity

DECIMALS = 4  # of a map: finer than any colour scale


def explain(
    classifier: Any,
    store: ImageStore,
    curated: pd.DataFrame,
    scores: pd.DataFrame,
    intensity: Mapping[str, Any],
    saliency: SaliencyCases,
) -> dict[str, Any]:
    """Return a few test cases with their Grad-CAM maps, as JSON takes it.

    `layer` is the layer explained, `threshold` the operating threshold, and `cases` a
    list of records: `image_id`, `patient_index`, `outcome` (such as "true_positive"),
    `score`, and `map`, rows from top to bottom of values on [0, 1].

    Args:
        classifier: The path's Keras model, of one label.
        store: The cohort's images.
        curated: `image_id` and `row` in the store.
        scores: As `training.scores.score` returns them.
        intensity: As in training.
        saliency: How many cases of each outcome.

    Raises:
        ValueError: If the scores have no such cases or hold several labels.
    """
    drawn = draw_cases(scores, saliency)
    rows = curated.set_index("image_id").loc[drawn.cases["image_id"], "row"]
    images = normalise(store.read(rows.to_numpy("int64")), Intensity(**intensity))
    maps = class_activation_map(classifier, images)[..., 0].round(DECIMALS)
    records = drawn.cases.to_dict(orient="records")
    return {
        "layer": explained_layer(classifier),
        "threshold": drawn.threshold,
        "cases": [
            {**record, "map": one_map.tolist()}
            for record, one_map in zip(records, maps, strict=True)
        ],
    }
