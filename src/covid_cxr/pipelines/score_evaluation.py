"""What is asked of any table of scores: nodes over its validation and test part.

No pipeline of its own: `evaluation` instantiates these nodes for the paths' scores,
`comparison` for anybody's. A part that cannot be had, or has one class only, leaves
tables without rows and figures that say why; it stops nothing.
"""

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Node

from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.calibration_tables import calibrate
from covid_cxr.evaluation.ensembles import tabulate_ensembles
from covid_cxr.evaluation.subgroups import tabulate_subgroups
from covid_cxr.evaluation.thresholds import tabulate_operating_points
from covid_cxr.report.score_figures import (
    draw_decision_curves,
    draw_reliability_curves,
    draw_roc_curves,
    draw_subgroups,
)


def evaluate_scores(*, are_paths: bool) -> list[Node]:
    """Return the nodes from `arranged_scores` and `subgroup_levels` to results.

    Args:
        are_paths: Whether the classifiers are the paths, which have titles and colours
            of their own; anybody's keep their names, were it "path_a".
    """
    given = {"scores": "arranged_scores", "reporting": "params:reporting"}
    settings = {**given, "evaluation": "params:evaluation"}
    return [
        Node(
            tabulate_aurocs,
            inputs=settings,
            outputs="auroc_results",
            name="tabulate_aurocs",
        ),
        Node(
            _with(draw_roc_curves, are_paths=are_paths),
            inputs=given,
            outputs=["roc_figure", "roc_interactive"],
            name="draw_roc",
        ),
        Node(
            tabulate_operating_points,
            inputs=settings,
            outputs="operating_results",
            name="tabulate_operating_points",
        ),
        Node(
            calibrate,
            inputs=settings,
            outputs=["calibration_results", "reliability_results", "decision_results"],
            name="calibrate",
        ),
        Node(
            _with(draw_reliability_curves, are_paths=are_paths),
            inputs={"bins": "reliability_results"},
            outputs="reliability_figure",
            name="draw_reliability",
        ),
        Node(
            _with(draw_decision_curves, are_paths=are_paths),
            inputs={"curves": "decision_results"},
            outputs="decision_figure",
            name="draw_decisions",
        ),
        Node(
            tabulate_ensembles,
            inputs=given,
            outputs="ensemble_results",
            name="tabulate_ensembles",
        ),
        Node(
            tabulate_subgroups,
            inputs={**settings, "levels": "subgroup_levels"},
            outputs="subgroup_results",
            name="tabulate_subgroups",
        ),
        Node(
            _with(draw_subgroups, are_paths=are_paths),
            inputs={"results": "subgroup_results", "auroc": "auroc_results"},
            outputs="forest_figure",
            name="draw_forest",
        ),
    ]


def _with(draw: Callable[..., Any], *, are_paths: bool) -> Callable[..., Any]:
    """Return a node's function with a name and module, which Kedro asks for."""
    bound = update_wrapper(partial(draw, are_paths=are_paths), draw)
    del bound.__wrapped__  # what is given is no argument of the node any more
    return bound
