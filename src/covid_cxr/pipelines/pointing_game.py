"""Do a training's maps point into the boxes of readers? Where it has any to meet.

No pipeline of its own: phases 1 and 2 instantiate this node.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Node
from numpy.typing import NDArray

from covid_cxr.radiographs.record import original_size
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.saliency.cases import labels_of
from covid_cxr.saliency.grad_cam import Images, explainer
from covid_cxr.saliency.map_settings import Explanation
from covid_cxr.saliency.maps import input_batches
from covid_cxr.saliency.pointing import tabulate_pointing
from covid_cxr.training.batches import normalise
from covid_cxr.training.training_set import Intensity

_BOX = ["x", "y", "width", "height"]


def point() -> Node:
    """Return the node, over dataset names that the phase maps to its own."""
    return Node(
        play_pointing_game,
        inputs={
            "classifier": "classifier",
            "store": "store",
            "curated": "curated",
            "scores": "scores",
            "boxes": "boxes",
            "intensity": "intensity",
            "pointing": "params:pointing",
            "level": "params:level",
        },
        outputs="pointing",
        name="play_pointing_game",
    )


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
    """Return how often the maps of held-out cases point into the readers' boxes.

    A row for each label that has such cases: `finding`, then the columns that
    `tabulate_pointing` returns, of the maps of that label's output. Held out is the
    test part or, as in phase 2, where there is none, the validation part.

    Args:
        classifier: The Keras model, with an output per label.
        store: The cohort's images.
        curated: `image_id`, `patient_id` and `row` in the store.
        scores: As `training.scores.score` returns them.
        boxes: `image_id, x, y, width, height`, and of what `finding` where readers
            marked several; in pixels of the raw image, or with the column `of_px` of
            one that has as many to a side.
        intensity: As in training.
        pointing: How maps are made.
        level: Coverage of the interval.
    """
    has_test = (scores["part"] == "test").any()
    held_out = scores[scores["part"] == ("test" if has_test else "validation")]

    def read(rows: NDArray[np.int64]) -> Images:
        return normalise(store.read(rows), Intensity(**intensity))

    rows = []
    for output, label in enumerate(labels_of(scores)):
        own = boxes[boxes["finding"] == label] if "finding" in boxes else boxes
        is_shown = held_out[label].fillna(value=False).astype(bool)
        is_shown &= held_out["image_id"].isin(own["image_id"])
        images = held_out.loc[is_shown, ["image_id", "patient_id"]].merge(
            curated[["image_id", "row"]], on="image_id", how="left", validate="1:1"
        )
        explain = explainer(
            classifier, method=pointing.method, layer=pointing.layer, output=output
        )
        batches = input_batches(read, images["row"].to_numpy(), size_px=store.size_px)
        maps = [one for batch in batches for one in explain(batch)]
        hits = tabulate_pointing(
            np.stack(maps) if maps else np.zeros((0, 1, 1)),
            _relative_boxes(images["image_id"], own, store.records),
            patients=images["patient_id"],
            level=level,
        )
        rows.append(hits.assign(finding=label)[["finding", *hits.columns]])
    filled = [row for row in rows if len(row)] or rows[:1]
    return pd.concat(filled, ignore_index=True)


def _relative_boxes(
    image_ids: pd.Series, boxes: pd.DataFrame, records: pd.DataFrame
) -> list[NDArray[np.float64]]:
    """Return the boxes of each image in shares of its width and height."""
    steps = records.set_index("image_id")["steps"]
    by_image = boxes.groupby("image_id")
    relative = []
    for image_id in image_ids:
        drawn = by_image.get_group(image_id)
        width, height = original_size(steps[image_id])
        if "of_px" in drawn:
            width = height = drawn["of_px"].iloc[0]
        own = drawn[_BOX].to_numpy(np.float64)
        relative.append(own / [width, height, width, height])
    return relative
