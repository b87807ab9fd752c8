"""The HTML file of a comparison of anybody's classifiers."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.report import wording
from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.html import as_fragment, make_environment
from covid_cxr.report.margin_tables import MarginTables
from covid_cxr.report.question_tables import QuestionTables
from covid_cxr.report.sections import take_record

# What the template takes in place of bare datasets, by name.
RECORDS: Mapping[str, type[Any]] = {
    "evaluation": EvaluationTables,
    "questions": QuestionTables,
    "margins": MarginTables,
}
SHOWN = tuple(one.name for made in RECORDS.values() for one in fields(made))


def write_comparison(
    reporting: Reporting, evaluation: Evaluation, roc_interactive: Any, **results: Any
) -> str:
    """Return the whole file as text.

    Args:
        reporting: Level and significance.
        evaluation: For the power.
        roc_interactive: Plotly figure of the ROC curves.
        results: Tables of columns, of pairs and of adjusted p values, and `SHOWN`.
    """
    environment = make_environment()
    # A user's classifier or subgroup keeps its name, were it that of a path of ours.
    environment.filters |= {"classifier": str, "short_name": str, "variable": str}
    template = environment.get_template("comparison.html.jinja")
    return template.render(
        results,
        reporting=reporting,
        power=evaluation.power,
        **{name: take_record(made, results) for name, made in RECORDS.items()},
        roc=as_fragment(roc_interactive),
        wording=wording,
    )
