"""From the radiographs that lists name to those that a study begins with.

What is listed, and the names that find nothing, are written before a run may stop for
them: whoever reads why it stopped finds all names in the file.
"""

import pandas as pd

from covid_cxr.radiographs.unmatched import UnmatchedBound, refuse_unmatched

LIST = "list"  # the column that says which list names a radiograph


def parameter_of(cohort: str) -> str:
    """Return the name of the parameter that bounds a cohort's unmatched names."""
    return f"{cohort}_ingestion.max_unmatched_share"


def admit_matched(
    cohort: str, listed: pd.DataFrame, unmatched: pd.DataFrame, max_share: float
) -> pd.DataFrame:
    """Return the radiograph table, unless its lists fit too badly.

    Args:
        cohort: Whose lists they are.
        listed: The radiograph table, perhaps with the column `list`.
        unmatched: As from `unmatched_names`, of all lists.
        max_share: Of the names of each list, 0 to 1, that may find nothing.

    Raises:
        ValueError: If more of a list find nothing.
    """
    bound = UnmatchedBound(
        share=max_share,
        parameter=parameter_of(cohort),
        kept_in=f"02_intermediate/{cohort}_lists_unmatched.parquet",
    )
    refuse_unmatched(unmatched, bound)
    return listed.drop(columns=LIST, errors="ignore")
