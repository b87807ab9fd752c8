"""Anybody's table of scores to tables, figures and one HTML file."""

from kedro.pipeline import Pipeline

from covid_cxr.evaluation.comparisons import adjust_comparisons, compare_classifiers
from covid_cxr.pipelines.comparison.nodes import arrange_table
from covid_cxr.pipelines.score_evaluation import (
    compare_with_margins,
    evaluate_scores,
)
from covid_cxr.pipelines.wiring import node
from covid_cxr.report.comparison_html import SHOWN, list_settings, write_comparison


def create_pipeline() -> Pipeline:
    """Return the pipeline that compares the classifiers of one table of scores."""
    settings = ("params:reporting", "params:evaluation")
    scores = {"scores": "arranged_scores"}
    shown = (
        *("roc_interactive", "column_results", "setting_results"),
        *("pair_results", "adjusted_results"),
    )
    nodes = [
        node(
            arrange_table,
            ["arranged_scores", "subgroup_levels", "column_results"],
            table="score_table",
            columns="params:comparison",
        ),
        *evaluate_scores(are_paths=False),
        *compare_with_margins(are_paths=False),
        node(compare_classifiers, "pair_results", *settings, **scores),
        node(adjust_comparisons, "adjusted_results", "params:reporting", **scores),
        node(
            list_settings,
            "setting_results",
            *settings,
            "params:margins",
            columns="params:comparison",
        ),
        node(write_comparison, "report", *settings, "params:margins", *shown, *SHOWN),
    ]
    return Pipeline(
        nodes,
        namespace="comparison",
        inputs="score_table",
        parameters={*settings, "params:margins", "params:comparison"},
    )
