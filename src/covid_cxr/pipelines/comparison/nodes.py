"""Adapters from the catalog: several tables of one node, and the HTML file."""

import pandas as pd

from covid_cxr.evaluation.arranged_scores import (
    arrange_levels,
    arrange_scores,
)
from covid_cxr.evaluation.score_columns import ScoreColumns


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
