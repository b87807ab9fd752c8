"""The pooled control beside the paths: does the order of the phases matter at all?"""

import pandas as pd

from covid_cxr.evaluation.arranged_scores import arrange_paths, parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.scored_part import auroc_rows, difference_row

POOLED = "pooled"


def compare_with_pooled(
    pooled: pd.DataFrame, reporting: Reporting, **scores: pd.DataFrame
) -> pd.DataFrame:
    """Return the AUROC of the pooled training and of every path on the test part.

    `difference` is that of the path minus the pooled one; patients are taken as
    independent. The p values are as they are, not adjusted for their number.

    Args:
        pooled: Scores of the pooled classifier.
        reporting: For the level of the intervals.
        scores: Of phase 3, by path.
    """
    return _compare(arrange_paths(**{POOLED: pooled, **scores}), reporting)


@per_finding
def _compare(scores: pd.DataFrame, reporting: Reporting) -> pd.DataFrame:
    estimates = parts_of(scores).test.estimate(by_patient=True)
    rows: list[dict[str, str | float]] = []
    own = auroc_rows(estimates, reporting.level)
    for name, auroc in zip(estimates.names, own, strict=True):
        row: dict[str, str | float] = {"training": name, **auroc}
        if name != POOLED:
            difference = estimates.compare(name, POOLED)
            row |= difference_row(difference, reporting.level)
            row["p_clustered"] = difference.p_value
        rows.append(row)
    return pd.DataFrame(rows)
