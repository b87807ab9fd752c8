"""Tables 4 and 5: are two paths told apart by the test part?"""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from covid_cxr.report.published import TABLE_4, TABLE_5
from covid_cxr.report.reporting import Reporting
from covid_cxr.report.scored_part import line_up
from covid_cxr.statistics.multiplicity import bonferroni


def compare_paths(
    scores: Mapping[str, pd.DataFrame], *, label: str, reporting: Reporting
) -> pd.DataFrame:
    """Return Table 4: the difference and the p values of every pair of paths.

    `p_clustered` and the interval of the difference take patients as independent,
    `p_image` images, as in the paper (DeLong's paired test).

    Args:
        scores: Of phase 3, by path.
        label: The finding.
        reporting: For the level of the intervals.
    """
    test = line_up(scores, label=label, part="test")
    by_image = test.estimate(by_patient=False)
    by_patient = test.estimate(by_patient=True)
    rows = []
    for first, second in itertools.combinations(scores, 2):
        difference = by_patient.compare(first, second)
        lower, upper = difference.interval(reporting.level)
        rows.append(
            {
                "first": first,
                "second": second,
                "difference": difference.estimate,
                "lower": lower,
                "upper": upper,
                "p_clustered": difference.p_value,
                "p_image": by_image.compare(first, second).p_value,
                "paper_p": TABLE_4.get((first, second), np.nan),
            }
        )
    return pd.DataFrame(rows)


def adjust_for_all_pairs(table4: pd.DataFrame) -> pd.DataFrame:
    """Return Table 5: the p values of Table 4 after the Bonferroni adjustment."""
    pairs = zip(table4["first"], table4["second"], strict=True)
    return table4[["first", "second"]].assign(
        p_clustered=bonferroni(table4["p_clustered"]),
        p_image=bonferroni(table4["p_image"]),
        paper_p=[TABLE_5.get(pair, np.nan) for pair in pairs],
    )
