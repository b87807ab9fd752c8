"""The HTML file of a comparison of anybody's classifiers."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.evaluation.settings import Reporting
from covid_cxr.report import wording
from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.html import as_fragment, make_environment


@dataclass(frozen=True, kw_only=True)
class ComparisonContents:
    """What the file shows.

    Attributes:
        reporting: Level and significance.
        columns: From `score_table.arrange_scores`: what each column was taken as.
        power: Of the smallest detectable difference.
        pairs: From `comparisons.compare_classifiers`; no row for a classifier alone.
        adjusted: From `comparisons.adjust_comparisons`.
        evaluation: The rest.
        roc: Plotly figure of the ROC curves.
    """

    reporting: Reporting
    columns: pd.DataFrame
    power: float
    pairs: pd.DataFrame
    adjusted: pd.DataFrame
    evaluation: EvaluationTables
    roc: Any


def write_comparison(contents: ComparisonContents) -> str:
    """Return the whole file as text."""
    environment = make_environment()
    # A user's classifier or subgroup keeps its name, were it that of a path of ours.
    environment.filters |= {"classifier": str, "variable": str}
    template = environment.get_template("comparison.html.jinja")
    return str(
        template.render(
            contents=contents, roc=as_fragment(contents.roc), wording=wording
        )
    )
