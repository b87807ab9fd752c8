"""Adapters of phase 2: where training, saliency and the readers' boxes meet."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.pooled_store import stores_of
from covid_cxr.radiographs.record import original_size
from covid_cxr.saliency.cases import only_label
from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.saliency.map_settings import Explanation
from covid_cxr.saliency.pointing import tabulate_pointing
from covid_cxr.training.batches import input_batches
from covid_cxr.training.examples import Examples

_BOX = ["x", "y", "width", "height"]


def play_pointing_game(
    *,
    classifier: Any,
    examples: Examples,
    scores: pd.DataFrame,
    boxes: pd.DataFrame,
    pointing: Explanation,
    level: float,
) -> pd.DataFrame:
    """Return how often the maps of validation cases point into the readers' boxes.

    Phase 2 has no other held-out part. Columns as `tabulate_pointing` returns them.

    Args:
        classifier: The path's Keras model of phase 2, of one label.
        examples: Of the training.
        scores: As `training.scores.score` returns them.
        boxes: `image_id, x, y, width, height` in pixels of the raw image, and of what
            `finding` where readers drew several.
        pointing: How maps are made.
        level: Coverage of the interval.
    """
    label = only_label(scores)
    if "finding" in boxes:
        boxes = boxes[boxes["finding"] == label]
    is_held_out = (scores["part"] == "validation") & scores[label]
    is_boxed = scores["image_id"].isin(boxes["image_id"])
    shown = examples.of(scores.loc[is_held_out & is_boxed, "image_id"])
    explain = explainer(classifier, method=pointing.method, layer=pointing.layer)
    maps = [one for batch in input_batches(shown) for one in explain(batch)]
    return tabulate_pointing(
        np.stack(maps) if maps else np.zeros((0, 1, 1)),
        _relative_boxes(shown, boxes),
        patients=shown.radiographs["patient_id"],
        level=level,
    )


def _relative_boxes(
    examples: Examples, boxes: pd.DataFrame
) -> list[NDArray[np.float64]]:
    """Return the boxes of each image in shares of its width and height."""
    records = pd.concat([one.records for one in stores_of(examples.store)])
    steps, by_image = records["steps"].to_numpy(), boxes.groupby("image_id")
    relative = []
    for image_id, row in zip(
        examples.radiographs["image_id"], examples.rows, strict=True
    ):
        width, height = original_size(steps[row])
        own = by_image.get_group(image_id)[_BOX].to_numpy(np.float64)
        relative.append(own / [width, height, width, height])
    return relative
