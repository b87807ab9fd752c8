"""What is asked and expected of a test set to its size, a figure and one HTML file."""

from kedro.pipeline import Pipeline

from covid_cxr.evaluation.planning import expect, plan_test_set, trace_plan
from covid_cxr.figures.planning_curves import draw_plan
from covid_cxr.pipelines.wiring import node
from covid_cxr.report.planning_html import write_plan


def create_pipeline() -> Pipeline:
    """Return the pipeline that plans a test set."""
    settings = {
        "planning": "params:planning",
        "level": "params:reporting.level",
        "significance": "params:reporting.significance",
        "power": "params:evaluation.power",
    }
    expected, planned = "planning_expected_results", "planning_results"
    return Pipeline(
        [
            node(
                expect,
                expected,
                pilot="pilot_table",
                columns="params:comparison",
                planning="params:planning",
            ),
            node(plan_test_set, planned, expected=expected, **settings),
            node(trace_plan, "planning_curve_results", expected=expected, **settings),
            node(
                draw_plan,
                "planning_figure",
                planned=planned,
                curves="planning_curve_results",
            ),
            node(
                write_plan,
                "planning_report",
                planned=planned,
                expected=expected,
                figure="planning_figure",
                planning="params:planning",
            ),
        ],
        tags="planning",
    )
