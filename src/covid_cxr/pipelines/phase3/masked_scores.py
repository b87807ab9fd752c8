"""What the classifier says where the lungs, or all but the lungs, are hidden."""

import logging
from dataclasses import replace
from typing import Any

import pandas as pd

from covid_cxr.audit.masked_inputs import MaskedInputs, mask_inputs
from covid_cxr.training.examples import Examples
from covid_cxr.training.scores import SCORED_PARTS, score

logger = logging.getLogger(__name__)


def score_masked_inputs(
    classifier: Any,
    examples: Examples,
    lungs: pd.DataFrame,
    masked_inputs: MaskedInputs,
) -> pd.DataFrame:
    """Return the scores of the validation and test images, partly hidden.

    Columns: those of `score`; `input`, one of `audit.masked_inputs.INPUTS`; and
    `hidden_share`, the share of the image that is hidden. The inputs that need a lung
    mask have rows for the images with one only.

    Args:
        classifier: The path's.
        examples: As for `score`; the mean of their intensity fills what is hidden.
        lungs: From `curate_lungs`.
        masked_inputs: How much is hidden.
    """
    held_out, tables = examples.part(*SCORED_PARTS), []
    inputs = mask_inputs(
        held_out.store,
        held_out.radiographs,
        lungs,
        mean_intensity=examples.intensity.mean,
        masked_inputs=masked_inputs,
    )
    for name, masked in inputs.items():
        shown = held_out.where(held_out.radiographs["row"].isin(list(masked.masks)))
        if not len(shown.rows):
            logger.info("%s: no held-out image has a mask", name)
            continue
        scores = score(classifier, replace(shown, store=masked))
        hidden = [masked.is_hidden(row).mean() for row in shown.rows]
        tables.append(scores.assign(input=name, hidden_share=hidden))
    return pd.concat(tables, ignore_index=True).astype({"input": "str"})
