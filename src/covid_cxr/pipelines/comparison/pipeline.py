"""Anybody's table of scores to tables, figures and one HTML file."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.pipelines.comparison.nodes import compare_classifiers, report_comparison
from covid_cxr.pipelines.score_evaluation import evaluate_scores
from covid_cxr.report.evaluation import EVALUATION_DATASETS
from covid_cxr.report.score_table import arrange_levels, arrange_scores


def create_pipeline() -> Pipeline:
    """Return the pipeline that compares the classifiers of one table of scores."""
    table = {"table": "score_table", "columns": "params:comparison"}
    settings = {"reporting": "params:reporting", "evaluation": "params:evaluation"}
    shown = ("roc_interactive", "pair_results", "adjusted_results")
    nodes = [
        Node(
            arrange_scores,
            inputs=table,
            outputs="arranged_scores",
            name="arrange_scores",
        ),
        Node(
            arrange_levels,
            inputs=table,
            outputs="subgroup_levels",
            name="arrange_levels",
        ),
        *evaluate_scores(),
        Node(
            compare_classifiers,
            inputs={"scores": "arranged_scores", **settings},
            outputs=["pair_results", "adjusted_results"],
            name="compare_classifiers",
        ),
        Node(
            report_comparison,
            inputs={**settings, **{n: n for n in (*shown, *EVALUATION_DATASETS)}},
            outputs="report",
            name="report_comparison",
        ),
    ]
    return Pipeline(
        nodes,
        namespace="comparison",
        inputs="score_table",
        parameters={
            "params:reporting",
            "params:evaluation",
            "params:comparison",
        },
    )
