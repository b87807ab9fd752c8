"""What is asked and expected of a test set to its size, a figure and one HTML file."""

from kedro.pipeline import Pipeline

from covid_cxr.evaluation.planning import expect, plan_test_set, trace_plan
from covid_cxr.figures.planning_curves import draw_plan
from covid_cxr.pipelines.wiring import node
from covid_cxr.report.planning_html import write_plan


def create_pipeline() -> Pipeline:
    """Return the pipeline that plans a test set."""
    asked = "params:planning"
    strictness = ("params:reporting.level", "params:reporting.significance")
    settings = (asked, *strictness, "params:evaluation.power")
    expected = {"expected": "planning_expected_results"}
    planned = {"planned": "planning_results"}
    return Pipeline(
        [
            node(
                expect,
                "planning_expected_results",
                asked,
                pilot="pilot_table",
                columns="params:comparison",
            ),
            node(plan_test_set, "planning_results", *settings, **expected),
            node(trace_plan, "planning_curve_results", *settings, **expected),
            node(
                draw_plan,
                "planning_figure",
                curves="planning_curve_results",
                **planned,
            ),
            node(
                write_plan,
                "planning_report",
                asked,
                figure="planning_figure",
                **planned,
                **expected,
            ),
        ],
        tags="planning",
    )
