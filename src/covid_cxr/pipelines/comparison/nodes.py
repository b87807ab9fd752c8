"""Adapters from the catalog: two tables of one node, and the HTML file."""

from typing import Any

import pandas as pd

from covid_cxr.report import comparisons
from covid_cxr.report.comparison_html import ComparisonContents, write_comparison
from covid_cxr.report.evaluation import Evaluation, EvaluationTables
from covid_cxr.report.reporting import Reporting
from covid_cxr.report.score_table import parts_of


def compare_classifiers(
    scores: pd.DataFrame, reporting: Reporting, evaluation: Evaluation
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the comparison of every pair, and its adjusted p values.

    Args:
        scores: From `arrange_scores`.
        reporting: For level, significance and seed.
        evaluation: For the power.
    """
    test = parts_of(scores).test
    return (
        comparisons.compare_classifiers(
            test, reporting=reporting, evaluation=evaluation
        ),
        comparisons.adjust_comparisons(test, seed=reporting.seed),
    )


def report_comparison(
    reporting: Reporting,
    evaluation: Evaluation,
    roc_interactive: Any,
    pair_results: pd.DataFrame,
    adjusted_results: pd.DataFrame,
    **results: Any,
) -> str:
    """Return the HTML file of the comparison.

    Args:
        reporting: Level and significance.
        evaluation: Settings of the evaluation.
        roc_interactive: Plotly figure of the ROC curves.
        pair_results: From `compare_classifiers`.
        adjusted_results: From `compare_classifiers`.
        results: `EVALUATION_DATASETS`.
    """
    return write_comparison(
        ComparisonContents(
            reporting=reporting,
            power=evaluation.power,
            pairs=pair_results,
            adjusted=adjusted_results,
            evaluation=EvaluationTables(**results),
            roc=roc_interactive,
        )
    )
