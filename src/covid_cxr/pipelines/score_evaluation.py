"""What is asked of any table of scores: nodes over its validation and test part.

No pipeline of its own: `evaluation` instantiates these nodes for the paths' scores,
`comparison` for anybody's. A part that cannot be had, or has one class only, leaves
tables without rows and figures that say why; it stops nothing.
"""

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Node

from covid_cxr.evaluation.auroc_questions import tabulate_questions
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.calibration_tables import calibrate
from covid_cxr.evaluation.ensembles import tabulate_ensembles
from covid_cxr.evaluation.further_measures import tabulate_measures
from covid_cxr.evaluation.imperfect_labels import (
    correct_for_unlabelled,
    correct_labels,
    weigh_labelled,
)
from covid_cxr.evaluation.non_inferiority import tabulate_margins
from covid_cxr.evaluation.pooled_levels import pool_levels
from covid_cxr.evaluation.subgroups import tabulate_subgroups
from covid_cxr.evaluation.thresholds import (
    tabulate_operating_points,
    tabulate_threshold_uncertainty,
)
from covid_cxr.pipelines.wiring import node
from covid_cxr.report.margin_tables import draw_margin_figure
from covid_cxr.report.measure_tables import draw_smooth_calibration
from covid_cxr.report.pooled_tables import draw_pooled_levels
from covid_cxr.report.reference_tables import draw_tipping_points
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
    scores, reporting = {"scores": "arranged_scores"}, "params:reporting"
    settings = (reporting, "params:evaluation")

    def draw(function: Callable[..., Any], *args: Any, **inputs: str) -> Node:
        return node(titled(function, are_paths=are_paths), *args, **inputs)

    return [
        node(tabulate_aurocs, "auroc_results", *settings, **scores),
        draw(draw_roc_curves, ["roc_figure", "roc_interactive"], reporting, **scores),
        node(tabulate_operating_points, "operating_results", *settings, **scores),
        node(
            calibrate,
            ["calibration_results", "reliability_results", "decision_results"],
            *settings,
            **scores,
        ),
        draw(draw_reliability_curves, "reliability_figure", bins="reliability_results"),
        draw(draw_decision_curves, "decision_figure", curves="decision_results"),
        node(tabulate_ensembles, "ensemble_results", reporting, **scores),
        node(
            tabulate_subgroups,
            "subgroup_results",
            *settings,
            levels="subgroup_levels",
            **scores,
        ),
        node(
            tabulate_questions,
            ["question_results", "question_pair_results"],
            *settings,
            **scores,
        ),
        node(
            tabulate_measures,
            ["measure_results", "measure_pair_results", "smooth_results"],
            *settings,
            **scores,
        ),
        node(tabulate_threshold_uncertainty, "threshold_results", *settings, **scores),
        draw(draw_smooth_calibration, "smooth_figure", curves="smooth_results"),
        draw(
            draw_subgroups,
            "forest_figure",
            results="subgroup_results",
            auroc="auroc_results",
        ),
    ]


def compare_with_margins(*, are_paths: bool) -> list[Node]:
    """Return the nodes from `arranged_scores` to pairs of classifiers and margins.

    Args:
        are_paths: As for `evaluate_scores`.
    """
    return [
        node(
            tabulate_margins,
            "margin_results",
            *("params:reporting", "params:evaluation", "params:margins"),
            scores="arranged_scores",
        ),
        node(
            titled(draw_margin_figure, are_paths=are_paths),
            "margin_figure",
            results="margin_results",
        ),
    ]


def judge_levels(*, are_paths: bool) -> list[Node]:
    """Return the nodes from scores and levels to sites and subgroups pooled.

    Args:
        are_paths: As for `evaluate_scores`, whose results are drawn beside.
    """
    return [
        node(
            pool_levels,
            ["pooled_results", "between_results", "interaction_results"],
            *("params:reporting", "params:evaluation"),
            scores="arranged_scores",
            levels="subgroup_levels",
        ),
        node(
            titled(draw_pooled_levels, are_paths=are_paths),
            "pooled_figure",
            pooled="pooled_results",
            subgroups="subgroup_results",
            auroc="auroc_results",
        ),
    ]


def correct_for_labels() -> list[Node]:
    """Return the nodes from scores to what calls are worth if the reference errs."""
    return [
        node(
            correct_labels,
            ["reference_results", "tipping_results"],
            *("params:reporting", "params:reference"),
            scores="arranged_scores",
        ),
        node(
            draw_tipping_points,
            "tipping_figure",
            "params:reference",
            curves="tipping_results",
            auroc="auroc_results",
        ),
    ]


def stand_for_unlabelled() -> list[Node]:
    """Return the nodes from labelled and `unlabelled_scores` to what both would say."""
    both = {"scores": "arranged_scores", "unlabelled": "unlabelled_scores"}
    return [
        node(
            correct_for_unlabelled, "verification_results", "params:reporting", **both
        ),
        node(weigh_labelled, "unlabelled_auroc_results", "params:reporting", **both),
    ]


def titled(draw: Callable[..., Any], *, are_paths: bool) -> Callable[..., Any]:
    """Return a node's function with a name and module, which Kedro asks for.

    Args:
        draw: Draws classifiers, whose titles it asks `are_paths` for.
        are_paths: As for `evaluate_scores`.
    """
    bound = update_wrapper(partial(draw, are_paths=are_paths), draw)
    del bound.__wrapped__  # what is given is no argument of the node any more
    return bound
