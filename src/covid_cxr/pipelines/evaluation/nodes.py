"""Adapters from the catalog: one argument per path."""

import pandas as pd

from covid_cxr.evaluation.arranged_scores import TEST, VALIDATION, arrange_parts
from covid_cxr.evaluation.scored_part import ScoredParts, line_up


def arrange_path_scores(labels: list[str], **scores: pd.DataFrame) -> pd.DataFrame:
    """Return one table with a column of scores per path, as for anybody's classifiers.

    Args:
        labels: Of phase 3: one.
        scores: Of phase 3, by path.
    """
    (label,) = labels
    return arrange_parts(
        ScoredParts(
            validation=line_up(scores, label=label, part=VALIDATION),
            test=line_up(scores, label=label, part=TEST),
        )
    )
