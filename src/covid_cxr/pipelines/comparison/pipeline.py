"""Anybody's table of scores to tables, figures and one HTML file."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.comparisons import adjust_comparisons, compare_classifiers
from covid_cxr.pipelines.comparison.nodes import arrange_table
from covid_cxr.pipelines.score_evaluation import evaluate_scores
from covid_cxr.report.beyond_auroc import EVALUATION_DATASETS
from covid_cxr.report.comparison_html import write_comparison


def create_pipeline() -> Pipeline:
    """Return the pipeline that compares the classifiers of one table of scores."""
    table = {"table": "score_table", "columns": "params:comparison"}
    settings = {"reporting": "params:reporting", "evaluation": "params:evaluation"}
    shown = ("roc_interactive", "column_results", "pair_results", "adjusted_results")
    nodes = [
        Node(
            arrange_table,
            inputs=table,
            outputs=["arranged_scores", "subgroup_levels", "column_results"],
            name="arrange_table",
        ),
        *evaluate_scores(are_paths=False),
        Node(
            compare_classifiers,
            inputs={"scores": "arranged_scores", **settings},
            outputs="pair_results",
            name="compare_classifiers",
        ),
        Node(
            adjust_comparisons,
            inputs={"scores": "arranged_scores", "reporting": "params:reporting"},
            outputs="adjusted_results",
            name="adjust_comparisons",
        ),
        Node(
            write_comparison,
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
