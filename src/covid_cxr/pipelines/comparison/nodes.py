"""Adapters from the catalog: several tables of one node, and the HTML file."""

import pandas as pd

from covid_cxr.evaluation.arranged_scores import (
    arrange_labelled,
    arrange_levels,
    arrange_scores,
)
from covid_cxr.evaluation.imperfect_labels import WEIGHT, StatedReference
from covid_cxr.evaluation.reader_table import as_score_table
from covid_cxr.evaluation.score_columns import ScoreColumns


def arrange_table(
    table: pd.DataFrame | None,
    readings: pd.DataFrame,
    columns: ScoreColumns,
    reference: StatedReference,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return scores, those without a label, subgroups' levels, and what was what.

    Args:
        table: As the user has it; read once. None takes the readings for scores.
        readings: From `arrange_readings`.
        columns: Which column is what.
        reference: Says whether rows without a label may be there.

    Raises:
        ValueError: If there is neither a table nor a reading.
    """
    if table is None:
        if readings.empty:
            raise ValueError(
                "There is neither a table of scores nor one of readers; name yours: "
                "--params=scores=/your/table.csv or "
                "--params=scores=none,reader_table=/your/readers.csv"
            )
        table, columns = as_score_table(readings)
    if reference.unlabelled == WEIGHT:
        scores, unlabelled, described = arrange_labelled(table, columns)
    else:
        scores, described = arrange_scores(table, columns)
        unlabelled = scores.head(0)
    return scores, unlabelled, arrange_levels(table, columns), described
