"""Anybody's table of scores to tables, figures and one HTML file."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.pipelines.comparison.nodes import (
    calibrate,
    compare_classifiers,
    draw_roc,
    report_comparison,
    tabulate_aurocs,
    tabulate_operating_points,
)
from covid_cxr.report.score_table import arrange_scores


def create_pipeline() -> Pipeline:
    """Return the pipeline that compares the classifiers of one table of scores."""
    settings = {
        "scores": "arranged_scores",
        "reporting": "params:reporting",
        "evaluation": "params:evaluation",
    }
    nodes = [
        Node(
            arrange_scores,
            inputs={"table": "score_table", "columns": "params:comparison"},
            outputs="arranged_scores",
            name="arrange_scores",
        ),
        Node(
            tabulate_aurocs,
            inputs=settings,
            outputs="auroc_results",
            name="tabulate_aurocs",
        ),
        Node(
            compare_classifiers,
            inputs=settings,
            outputs=["pair_results", "adjusted_results"],
            name="compare_classifiers",
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
            outputs=["calibration_results", "reliability_figure", "decision_figure"],
            name="calibrate",
        ),
        Node(
            draw_roc,
            inputs={"scores": "arranged_scores"},
            outputs=["roc_figure", "roc_interactive"],
            name="draw_roc",
        ),
        Node(
            report_comparison,
            inputs={
                "reporting": "params:reporting",
                "evaluation": "params:evaluation",
                "auroc": "auroc_results",
                "pairs": "pair_results",
                "adjusted": "adjusted_results",
                "operating_points": "operating_results",
                "calibration_estimates": "calibration_results",
                "reliability_figure": "reliability_figure",
                "decision_figure": "decision_figure",
                "roc_interactive": "roc_interactive",
            },
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
