"""Do a training's maps point into the boxes of readers? Where it has any to meet.

No pipeline of its own: phases 1 and 2 instantiate this node.
"""

from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Pipeline
from numpy.typing import NDArray

from covid_cxr.pipelines.wiring import node
from covid_cxr.radiographs.pooled_store import records_of
from covid_cxr.radiographs.record import original_size
from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.saliency.map_settings import Explanation
from covid_cxr.saliency.pointing import tabulate_pointing
from covid_cxr.study.current import current
from covid_cxr.study.design import Training
from covid_cxr.training.batches import input_batches
from covid_cxr.training.examples import Examples

_BOX = ["x", "y", "width", "height"]


def point(training: Training) -> Pipeline:
    """Return the node of a training, or nothing where there are no boxes to point to.

    Args:
        training: Of phase 1 or 2.
    """
    study = current()
    if not study.has_pointing(training):
        return Pipeline([])
    drawn = study.training_set_of(training)
    results = training.dataset_prefix
    return Pipeline(
        [
            node(
                play_pointing_game,
                "pointing",
                *("classifier", "examples", "scores", "boxes"),
                *("params:pointing", "params:level"),
            )
        ],
        namespace=training.name,
        inputs={
            "classifier": training.classifier,
            "examples": f"{drawn.name}_examples",
            "scores": f"{results}_scores",
            "boxes": f"{drawn.origin}_boxes",
        },
        outputs={"pointing": f"{results}_pointing"},
        parameters={
            "params:pointing": f"params:{drawn.phase}.pointing",
            "params:level": "params:reporting.level",
        },
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
    steps, rows = records_of(examples.store)["steps"].to_numpy(), []
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
            _relative_boxes(shown, own, steps[shown.rows]),
            patients=shown.radiographs["patient_id"],
            level=level,
        )
        rows.append(hits.assign(finding=label)[["finding", *hits.columns]])
    filled = [row for row in rows if len(row)] or rows[:1]
    return pd.concat(filled, ignore_index=True)


def _relative_boxes(
    examples: Examples, boxes: pd.DataFrame, steps: NDArray[np.object_]
) -> list[NDArray[np.float64]]:
    """Return the boxes of each image in shares of its width and height."""
    by_image = boxes.groupby("image_id")
    relative = []
    for image_id, taken in zip(examples.radiographs["image_id"], steps, strict=True):
        drawn = by_image.get_group(image_id)
        width, height = original_size(taken)
        if "of_px" in drawn:
            width = height = drawn["of_px"].iloc[0]
        own = drawn[_BOX].to_numpy(np.float64)
        relative.append(own / [width, height, width, height])
    return relative
