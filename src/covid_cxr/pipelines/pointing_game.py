"""Do a training's maps point into the boxes of readers? Where it has any to meet.

No pipeline of its own: phases 1 and 2 instantiate this node.
"""

from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Node
from numpy.typing import NDArray

from covid_cxr.radiographs.pooled_store import records_of
from covid_cxr.radiographs.record import original_size
from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.saliency.map_settings import Explanation
from covid_cxr.saliency.pointing import tabulate_pointing
from covid_cxr.training.batches import input_batches
from covid_cxr.training.examples import Examples

_BOX = ["x", "y", "width", "height"]


def point() -> Node:
    """Return the node, over dataset names that the phase maps to its own."""
    return Node(
        play_pointing_game,
        inputs={
            "classifier": "classifier",
            "examples": "examples",
            "scores": "scores",
            "boxes": "boxes",
            "pointing": "params:pointing",
            "level": "params:level",
        },
        outputs="pointing",
        name="play_pointing_game",
    )


def play_pointing_game(
    *,
    classifier: Any,
    examples: Examples,
    scores: pd.DataFrame,
    boxes: pd.DataFrame,
    pointing: Explanation,
    level: float,
) -> pd.DataFrame:
    """Return how often the maps of held-out cases point into the readers' boxes.

    A row for each label that has such cases: `finding`, then the columns that
    `tabulate_pointing` returns, of the maps of that label's output. Held out is the
    test part or, as in phase 2, where there is none, the validation part.

    Args:
        classifier: The Keras model, with an output per label.
        examples: Of the training.
        scores: As `training.scores.score` returns them.
        boxes: `image_id, x, y, width, height`, and of what `finding` where readers
            marked several; in pixels of the raw image, or with the column `of_px` of
            one that has as many to a side.
        pointing: How maps are made.
        level: Coverage of the interval.
    """
    has_test = (scores["part"] == "test").any()
    held_out = scores[scores["part"] == ("test" if has_test else "validation")]
    rows = []
    for output, label in enumerate(examples.labels):
        own = boxes[boxes["finding"] == label] if "finding" in boxes else boxes
        is_case = held_out[label].fillna(value=False).astype(bool)
        is_boxed = held_out["image_id"].isin(own["image_id"])
        shown = examples.of(held_out.loc[is_case & is_boxed, "image_id"])
        explain = explainer(
            classifier, method=pointing.method, layer=pointing.layer, output=output
        )
        maps = [one for batch in input_batches(shown) for one in explain(batch)]
        hits = tabulate_pointing(
            np.stack(maps) if maps else np.zeros((0, 1, 1)),
            _relative_boxes(shown, own),
            patients=shown.radiographs["patient_id"],
            level=level,
        )
        rows.append(hits.assign(finding=label)[["finding", *hits.columns]])
    filled = [row for row in rows if len(row)] or rows[:1]
    return pd.concat(filled, ignore_index=True)


def _relative_boxes(
    examples: Examples, boxes: pd.DataFrame
) -> list[NDArray[np.float64]]:
    """Return the boxes of each image in shares of its width and height."""
    steps = records_of(examples.store)["steps"].to_numpy()
    by_image = boxes.groupby("image_id")
    relative = []
    for image_id, row in zip(
        examples.radiographs["image_id"], examples.rows, strict=True
    ):
        drawn = by_image.get_group(image_id)
        width, height = original_size(steps[row])
        if "of_px" in drawn:
            width = height = drawn["of_px"].iloc[0]
        own = drawn[_BOX].to_numpy(np.float64)
        relative.append(own / [width, height, width, height])
    return relative
