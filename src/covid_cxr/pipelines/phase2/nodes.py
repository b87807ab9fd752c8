"""Adapters of phase 2: where training, saliency and the readers' boxes meet."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.record import original_size
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.saliency.cases import only_label
from covid_cxr.saliency.grad_cam import Images, explainer
from covid_cxr.saliency.map_settings import Explanation
from covid_cxr.saliency.maps import input_batches
from covid_cxr.saliency.pointing import tabulate_pointing
from covid_cxr.training.batches import normalise
from covid_cxr.training.training_set import Intensity

_BOX = ["x", "y", "width", "height"]


def play_pointing_game(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    classifier: Any,
    store: ImageStore,
    curated: pd.DataFrame,
    scores: pd.DataFrame,
    boxes: pd.DataFrame,
    intensity: Mapping[str, Any],
    pointing: Explanation,
    level: float,
) -> pd.DataFrame:
    """Return how often the maps of validation cases point into the readers' boxes.

    Phase 2 has no other held-out part. Columns as `tabulate_pointing` returns them.

    Args:
        classifier: The path's Keras model of phase 2, of one label.
        store: The cohort's images.
        curated: `image_id`, `patient_id` and `row` in the store.
        scores: As `training.scores.score` returns them.
        boxes: `image_id, x, y, width, height` in pixels of the raw image, and of what
            `finding` where readers drew several.
        intensity: As in training.
        pointing: How maps are made.
        level: Coverage of the interval.
    """
    label = only_label(scores)
    if "finding" in boxes:
        boxes = boxes[boxes["finding"] == label]
    is_held_out = (scores["part"] == "validation") & scores[label]
    is_boxed = scores["image_id"].isin(boxes["image_id"])
    images = scores.loc[is_held_out & is_boxed, ["image_id", "patient_id"]].merge(
        curated[["image_id", "row"]], on="image_id", how="left", validate="one_to_one"
    )
    explain = explainer(classifier, method=pointing.method, layer=pointing.layer)

    def read(rows: NDArray[np.int64]) -> Images:
        return normalise(store.read(rows), Intensity(**intensity))

    batches = input_batches(read, images["row"].to_numpy(), size_px=store.size_px)
    maps = [one for batch in batches for one in explain(batch)]
    return tabulate_pointing(
        np.stack(maps) if maps else np.zeros((0, 1, 1)),
        _relative_boxes(images["image_id"], boxes, store.records),
        patients=images["patient_id"],
        level=level,
    )


def _relative_boxes(
    image_ids: pd.Series, boxes: pd.DataFrame, records: pd.DataFrame
) -> list[NDArray[np.float64]]:
    """Return the boxes of each image in shares of its width and height."""
    steps = records.set_index("image_id")["steps"]
    by_image = boxes.groupby("image_id")
    relative = []
    for image_id in image_ids:
        width, height = original_size(steps[image_id])
        own = by_image.get_group(image_id)[_BOX].to_numpy(np.float64)
        relative.append(own / [width, height, width, height])
    return relative
