"""The HTML file of a comparison of anybody's classifiers."""

from typing import Any

from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.report import wording
from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.html import as_fragment, make_environment
from covid_cxr.report.pooled_tables import PooledTables
from covid_cxr.report.reader_tables import ReaderTables
from covid_cxr.report.reference_tables import ReferenceTables
from covid_cxr.report.sections import take_record


def write_comparison(
    reporting: Reporting, evaluation: Evaluation, roc_interactive: Any, **results: Any
) -> str:
    """Return the whole file as text.

    Args:
        reporting: Level and significance.
        evaluation: For the power.
        roc_interactive: Plotly figure of the ROC curves.
        results: Tables of columns, of pairs and of adjusted p values, and the fields
            of `EvaluationTables`, `PooledTables`, `ReaderTables` and
            `ReferenceTables`; `reader_columns`, `verification_results`.
    """
    environment = make_environment()
    # A user's classifier or subgroup keeps its name, were it that of a path of ours.
    environment.filters |= {"classifier": str, "variable": str}
    template = environment.get_template("comparison.html.jinja")
    return template.render(
        results,
        reporting=reporting,
        power=evaluation.power,
        evaluation=take_record(EvaluationTables, results),
        pooled=take_record(PooledTables, results),
        readers=take_record(ReaderTables, results),
        reference=take_record(ReferenceTables, results),
        roc=as_fragment(roc_interactive),
        wording=wording,
    )
