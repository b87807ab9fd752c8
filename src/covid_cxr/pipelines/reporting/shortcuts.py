"""Adapters and nodes: what is left of an AUROC where the lungs are hidden."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Node

from covid_cxr.audit.masked_inputs import MaskedInputs, mask_inputs
from covid_cxr.evaluation.masked_aurocs import (
    INPUT_NAMES,
    MASKED,
    WHOLE,
    tabulate_shortcuts,
)
from covid_cxr.evaluation.settings import Reporting
from covid_cxr.figures import shortcuts as figures
from covid_cxr.figures.palette import classifier_colours
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


def shortcut_nodes(paths: Sequence[TrainingPath]) -> list[Node]:
    """Return the nodes that make the table and the figures, for any number of paths."""
    cohort = current().target_cohort
    images = {
        "store": f"{cohort}_store",
        "curated": f"{cohort}_curated",
        "split": "phase3_split",
        "lungs": f"{cohort}_lungs",
        "intensity": "phase3_intensity",
    }
    return [
        Node(
            tabulate_shortcuts,
            inputs={
                "reporting": "params:reporting",
                "curated": f"{cohort}_curated",
                "split": "phase3_split",
                "intensity_auroc": "intensity_auroc",
                **{path.name: f"{path.name}_phase3_scores" for path in paths},
                **{
                    f"{path.name}{MASKED}": f"{path.name}_phase3_masked_scores"
                    for path in paths
                },
            },
            outputs="shortcut_results",
            name="tabulate_shortcuts",
        ),
        Node(
            draw_shortcuts,
            inputs={"results": "shortcut_results"},
            outputs="shortcut_figure",
            name="draw_shortcuts",
        ),
        Node(
            draw_masked_radiograph,
            inputs={
                **images,
                "masked_inputs": "params:audit.masked_inputs",
                "reporting": "params:reporting",
            },
            outputs="masked_radiograph_figure",
            name="draw_masked_radiograph",
        ),
    ]


def draw_shortcuts(results: pd.DataFrame) -> Any:
    """Return the AUROCs of every path and input.

    Args:
        results: From `tabulate_shortcuts`.
    """
    shown = set(results["path"].dropna())
    paths = {path.name: path.title for path in current().paths if path.name in shown}
    return figures.draw_shortcuts(
        results,
        inputs=INPUT_NAMES,
        paths=paths,
        colours=classifier_colours(paths),
    )


def draw_masked_radiograph(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    store: ImageStore,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    lungs: pd.DataFrame,
    intensity: Mapping[str, Any],
    masked_inputs: MaskedInputs,
    reporting: Reporting,
) -> Any:
    """Return a test radiograph drawn at random, as each input shows it.

    Args:
        store: The cohort's images.
        curated: Its radiographs.
        split: Of phase 3.
        lungs: From `curate_lungs`; one with a mask is drawn, if there is any.
        intensity: Of the training images.
        masked_inputs: How much is hidden.
        reporting: For the seed.
    """
    test = split.loc[split["part"] == "test", "image_id"]
    with_mask = test[test.isin(lungs["image_id"])]
    drawn = (with_mask if len(with_mask) else test).sample(
        1, random_state=reporting.seed
    )
    rows = curated.set_index("image_id").loc[drawn, "row"].to_numpy(np.int64)
    inputs = mask_inputs(
        store,
        curated,
        lungs,
        mean_intensity=intensity["mean"],
        masked_inputs=masked_inputs,
    )
    shown = {INPUT_NAMES[WHOLE]: store.read(rows)[0]}
    for name, masked in inputs.items():
        if int(rows[0]) in masked.masks:
            shown[INPUT_NAMES[name]] = masked.read(rows)[0]
    return figures.draw_masked_radiograph(shown)
