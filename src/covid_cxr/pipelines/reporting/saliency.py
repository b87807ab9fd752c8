"""Where the classifiers look: Figures 4 to 7, and the tests of the maps, by path."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Node

from covid_cxr.evaluation.settings import Reporting
from covid_cxr.figures import saliency as figures
from covid_cxr.figures.note import draw_note
from covid_cxr.figures.palette import classifier_colours
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.report import saliency
from covid_cxr.saliency.cases import OUTCOMES
from covid_cxr.study.current import current
from covid_cxr.study.design import PHASE3, Training, TrainingPath

# Phase, and what it leaves of each path -> the table of all paths in the report.
TESTS = {
    ("phase3", "randomisation"): "randomisation_results",
    ("phase3", "regions"): "region_results",
    ("phase3", "repeatability"): "repeatability_results",
    ("phase2", "pointing"): "pointing_results",
}


def saliency_nodes(paths: Sequence[TrainingPath]) -> list[Node]:
    """Return the nodes that show and judge the maps of these paths."""
    explanations = {path.name: f"{path.name}_phase3_saliency" for path in paths}
    nodes = [
        Node(
            draw_saliency,
            inputs={
                "table3": "table3",
                "store": f"{current().target_cohort}_store",
                "radiographs": f"{current().target_cohort}_curated",
                "reporting": "params:reporting",
                **explanations,
            },
            outputs=["figure4", "figure5", "figure6", "figure7"],
            name="draw_saliency",
        ),
        Node(
            list_explanations,
            inputs=explanations,
            outputs="explanation_results",
            name="list_explanations",
        ),
        Node(
            draw_randomisation,
            inputs={"randomisation_results": "randomisation_results"},
            outputs="randomisation_figure",
            name="draw_randomisation",
        ),
    ]
    for (phase, test), results in TESTS.items():
        tested = _tested(paths, phase)
        if tested:
            node = Node(
                gather_by_path,
                inputs={
                    name: f"{training.dataset_prefix}_{test}"
                    for name, training in tested.items()
                },
                outputs=results,
                name=f"gather_{test}",
            )
            nodes.append(node)
    return nodes


def _tested(paths: Sequence[TrainingPath], phase: str) -> dict[str, Training]:
    """Return each path's training whose maps are tested; of phase 2, the last one."""
    if phase == PHASE3:
        return {path.name: path.phase3_training for path in paths}
    study = current()
    return {
        path.name: training
        for path in paths
        for training in path.phase2_trainings
        if study.cohort_behind(training).has_boxes
    }


def draw_saliency(
    table3: pd.DataFrame,
    store: ImageStore,
    radiographs: pd.DataFrame,
    reporting: Reporting,
    **explanations: dict[str, Any],
) -> tuple[Any, ...]:
    """Return Figures 4 to 7 for the path asked for, or the best on validation.

    Args:
        table3: Says which path that is.
        store: The radiographs' pixels.
        radiographs: The curated ones, with their row in the store.
        reporting: For the path asked for.
        explanations: Cases with their saliency maps, by path.
    """
    path = saliency.explained_path(table3, reporting)
    explanation = explanations[path.name]
    rows = radiographs.set_index("image_id")["row"]
    return tuple(
        _draw_outcome(explanation, outcome=outcome, store=store, rows=rows)
        for outcome in OUTCOMES
    )


def list_explanations(**explanations: dict[str, Any]) -> pd.DataFrame:
    """Return how each path was explained.

    Args:
        explanations: Cases with their saliency maps, by path.
    """
    return saliency.list_explanations(explanations)


def gather_by_path(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return one table of all paths.

    Args:
        tables: By path.
    """
    return saliency.gather_by_path(tables)


def draw_randomisation(randomisation_results: pd.DataFrame) -> Any:
    """Return how similar each path's maps stay while its classifier forgets.

    Args:
        randomisation_results: Of all paths.
    """
    if randomisation_results.empty:
        return draw_note("No randomisation test was made: randomised_images is 0.")
    titles = {path.name: path.title for path in current().paths}
    by_path = randomisation_results.groupby("path", sort=False)
    colours = classifier_colours(titles)
    return figures.draw_randomisation(
        {titles[str(name)]: table for name, table in by_path},
        colours={titles[name]: colour for name, colour in colours.items()},
    )


def _draw_outcome(
    explanation: dict[str, Any], *, outcome: str, store: ImageStore, rows: pd.Series
) -> Any:
    cases = [case for case in explanation["cases"] if case["outcome"] == outcome]
    if not cases:
        name = outcome.replace("_", " ")
        return draw_note(f"The test part has no {name} at this threshold.")
    unknown = [c["image_id"] for c in cases if c["image_id"] not in rows.index]
    if unknown:
        raise ValueError(
            f"The saliency maps are of radiographs that are not among the curated "
            f"ones, such as {unknown[0]}; run phase 3 again."
        )
    wanted = rows.loc[[case["image_id"] for case in cases]].to_numpy(np.int64)
    return figures.draw_cases(
        [
            figures.ExplainedCase(
                patient_index=case["patient_index"],
                score=case["score"],
                pixels=pixels,
                saliency=np.asarray(case["map"], dtype=np.float64),
            )
            for case, pixels in zip(cases, store.read(wanted), strict=True)
        ],
        method=saliency.METHOD_NAMES[explanation["method"]],
    )
