"""Adapters and nodes: what is left of an AUROC where the lungs are hidden."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Node

from covid_cxr.audit.masked_inputs import MaskedInputs, mask_inputs
from covid_cxr.evaluation import masked_aurocs as shortcuts
from covid_cxr.evaluation.settings import Reporting
from covid_cxr.figures import shortcuts as figures
from covid_cxr.figures.palette import classifier_colours
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath

MASKED = "_masked"  # ends the name of a path where its masked scores are meant


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
                "labels": "params:phase3.labels",
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


def tabulate_shortcuts(
    labels: list[str],
    reporting: Reporting,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity_auroc: pd.DataFrame,
    **scores: pd.DataFrame,
) -> pd.DataFrame:
    """Return the AUROCs of every path and input, and those without a classifier.

    Args:
        labels: Of phase 3: one.
        reporting: For the level of the intervals.
        curated: The COVID-19 cohort.
        split: Of phase 3.
        intensity_auroc: From the audit.
        scores: Of phase 3, whole and masked, by path.
    """
    without_classifier = shortcuts.describe_without_classifier(
        curated, split, intensity_auroc, label=labels[0], reporting=reporting
    )
    return shortcuts.tabulate_shortcuts(
        {name: s for name, s in scores.items() if not name.endswith(MASKED)},
        {n.removesuffix(MASKED): s for n, s in scores.items() if n.endswith(MASKED)},
        without_classifier,
        label=labels[0],
        reporting=reporting,
    )


def draw_shortcuts(results: pd.DataFrame) -> Any:
    """Return the AUROCs of every path and input.

    Args:
        results: From `tabulate_shortcuts`.
    """
    shown = set(results["path"].dropna())
    paths = {path.name: path.title for path in current().paths if path.name in shown}
    return figures.draw_shortcuts(
        results,
        inputs=shortcuts.INPUT_NAMES,
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
    shown = {shortcuts.INPUT_NAMES[shortcuts.WHOLE]: store.read(rows)[0]}
    for name, masked in inputs.items():
        if int(rows[0]) in masked.masks:
            shown[shortcuts.INPUT_NAMES[name]] = masked.read(rows)[0]
    return figures.draw_masked_radiograph(shown)
