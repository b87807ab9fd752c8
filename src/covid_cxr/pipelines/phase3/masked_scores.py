"""What the classifier says where the lungs, or all but the lungs, are hidden."""

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd
from kedro.pipeline import Node

from covid_cxr.audit.masked_inputs import MaskedInputs, mask_inputs
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.training.scores import SCORED_PARTS, score

logger = logging.getLogger(__name__)


def score_masked_inputs(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    classifier: Any,
    store: ImageStore,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity: Mapping[str, Any],
    labels: list[str],
    lungs: pd.DataFrame,
    masked_inputs: MaskedInputs,
) -> pd.DataFrame:
    """Return the scores of the validation and test images, partly hidden.

    Columns: those of `score`; `input`, one of `audit.masked_inputs.INPUTS`; and
    `hidden_share`, the share of the image that is hidden. The inputs that need a lung
    mask have rows for the images with one only.

    Args:
        classifier: The path's.
        store: The cohort's images.
        curated: As for `score`.
        split: As for `score`.
        intensity: As for `score`; its mean fills what is hidden.
        labels: As for `score`.
        lungs: From `curate_lungs`.
        masked_inputs: How much is hidden.
    """
    inputs = mask_inputs(
        store,
        curated,
        lungs,
        mean_intensity=intensity["mean"],
        masked_inputs=masked_inputs,
    )
    held_out = split[split["part"].isin(SCORED_PARTS)]
    row_of_image = curated.set_index("image_id")["row"]
    tables = []
    for name, masked in inputs.items():
        rows = row_of_image[held_out["image_id"]]
        shown = held_out[rows.isin(list(masked.masks)).to_numpy()]
        if shown.empty:
            logger.info("%s: no held-out image has a mask", name)
            continue
        scores = score(classifier, masked, curated, shown, intensity, labels)
        hidden = [
            masked.is_hidden(row).mean() for row in row_of_image[shown["image_id"]]
        ]
        tables.append(scores.assign(input=name, hidden_share=hidden))
    return pd.concat(tables, ignore_index=True).astype({"input": "str"})


def score_masked() -> Node:
    """Return the node, over dataset names that the phase maps to its own."""
    return Node(
        score_masked_inputs,
        inputs={
            "classifier": "classifier",
            "store": "store",
            "curated": "curated",
            "split": "split",
            "intensity": "intensity",
            "labels": "params:labels",
            "lungs": "lungs",
            "masked_inputs": "params:masked_inputs",
        },
        outputs="masked_scores",
        name="score_masked",
    )
