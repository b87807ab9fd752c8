"""Anybody's table of scores to tables, figures and one HTML file."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.comparisons import adjust_comparisons, compare_classifiers
from covid_cxr.evaluation.reader_table import arrange_readings, tabulate_readers
from covid_cxr.pipelines.comparison.nodes import arrange_table
from covid_cxr.pipelines.score_evaluation import (
    compare_with_margins,
    correct_for_labels,
    evaluate_scores,
    judge_levels,
    stand_for_unlabelled,
)
from covid_cxr.pipelines.wiring import node
from covid_cxr.report.comparison_html import SHOWN, list_settings, write_comparison
from covid_cxr.report.reader_tables import draw_reader_figure


def create_pipeline() -> Pipeline:
    """Return the pipeline that compares the classifiers of one table of scores."""
    settings = ("params:reporting", "params:evaluation")
    scores = {"scores": "arranged_scores"}
    shown = (
        *("roc_interactive", "column_results", "setting_results"),
        *("pair_results", "adjusted_results"),
    )
    nodes = [
        *_read_readers(),
        node(
            arrange_table,
            [
                *("arranged_scores", "unlabelled_scores"),
                *("subgroup_levels", "column_results"),
            ],
            "params:reference",
            readings="arranged_readings",
            table="score_table",
            columns="params:comparison",
        ),
        *evaluate_scores(are_paths=False),
        *compare_with_margins(are_paths=False),
        *judge_levels(are_paths=False),
        *correct_for_labels(),
        *stand_for_unlabelled(),
        node(compare_classifiers, "pair_results", *settings, **scores),
        node(adjust_comparisons, "adjusted_results", "params:reporting", **scores),
        node(
            list_settings,
            "setting_results",
            *settings,
            "params:margins",
            columns="params:comparison",
        ),
        node(
            write_comparison,
            "report",
            *(*settings, "params:margins", "params:reference", *shown, *SHOWN),
            reader_columns="params:readers",
        ),
    ]
    return Pipeline(
        nodes,
        namespace="comparison",
        inputs={"score_table", "reader_table"},
        parameters={
            *(*settings, "params:margins", "params:comparison"),
            *("params:readers", "params:reference"),
        },
    )


def _read_readers() -> list[Node]:
    """Return the nodes of a reader study; without one its tables have no rows."""
    columns, readings = {"columns": "params:readers"}, "arranged_readings"
    return [
        node(arrange_readings, readings, table="reader_table", **columns),
        node(
            tabulate_readers,
            [
                *("reader_auroc_results", "reader_test_results"),
                "reader_component_results",
            ],
            "params:reporting",
            readings=readings,
            **columns,
        ),
        node(draw_reader_figure, "reader_figure", aurocs="reader_auroc_results"),
    ]
