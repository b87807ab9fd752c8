"""The pooled control beside the paths: does the order of the phases matter at all?"""

from collections.abc import Mapping

import pandas as pd

from covid_cxr.evaluation.scored_part import line_up
from covid_cxr.evaluation.settings import Reporting

POOLED = "pooled"


def compare_with_pooled(
    pooled: pd.DataFrame,
    paths: Mapping[str, pd.DataFrame],
    *,
    label: str,
    reporting: Reporting,
) -> pd.DataFrame:
    """Return the AUROC of the pooled training and of every path on the test part.

    `difference` is that of the path minus the pooled one; patients are taken as
    independent. The p values are as they are, not adjusted for their number.

    Args:
        pooled: Scores of the pooled classifier.
        paths: Scores of phase 3, by path.
        label: The finding.
        reporting: For the level of the intervals.
    """
    test = line_up({POOLED: pooled, **paths}, label=label, part="test")
    estimates = test.estimate(by_patient=True)
    intervals = estimates.interval(reporting.level, method="logit")
    rows = []
    for position, name in enumerate(estimates.names):
        lower, upper = intervals[position]
        row = {
            "training": name,
            "auroc": estimates.auc[position],
            "lower": lower,
            "upper": upper,
        }
        if name != POOLED:
            difference = estimates.compare(name, POOLED)
            low, high = difference.interval(reporting.level)
            row |= {
                "difference": difference.estimate,
                "difference_lower": low,
                "difference_upper": high,
                "p_clustered": difference.p_value,
            }
        rows.append(row)
    return pd.DataFrame(rows)
