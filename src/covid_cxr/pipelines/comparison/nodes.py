"""Adapters from the catalog: several tables of one node, and the HTML file."""

from typing import Any

import pandas as pd

from covid_cxr.evaluation.arranged_scores import (
    arrange_levels,
    arrange_scores,
)
from covid_cxr.evaluation.score_columns import ScoreColumns
from covid_cxr.evaluation.settings import Evaluation, Reporting
from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.comparison_html import ComparisonContents, write_comparison


def arrange_table(
    table: pd.DataFrame, columns: ScoreColumns
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the scores, the levels of subgroups, and what was taken as what.

    Args:
        table: As the user has it; read once.
        columns: Which column is what.
    """
    scores, described = arrange_scores(table, columns)
    return scores, arrange_levels(table, columns), described


def report_comparison(
    reporting: Reporting,
    evaluation: Evaluation,
    roc_interactive: Any,
    **results: Any,
) -> str:
    """Return the HTML file of the comparison.

    Args:
        reporting: Level and significance.
        evaluation: Settings of the evaluation.
        roc_interactive: Plotly figure of the ROC curves.
        results: Tables of columns and of pairs, and
            `EVALUATION_DATASETS`.
    """
    return write_comparison(
        ComparisonContents(
            reporting=reporting,
            power=evaluation.power,
            columns=results.pop("column_results"),
            pairs=results.pop("pair_results"),
            adjusted=results.pop("adjusted_results"),
            evaluation=EvaluationTables(**results),
            roc=roc_interactive,
        )
    )
