"""Is a difference within a margin? Tests of non-inferiority and of equivalence.

Two one-sided tests (Schuirmann, J Pharmacokinet Biopharm 1987;15:657): each rejects
where the interval of the difference ends before the margin, so that at a significance
of s/2 each, tests and the interval of level 1 - s say the same.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from covid_cxr.statistics.auc import AucDifference

Verdict = Literal[
    "equivalent", "first not inferior", "second not inferior", "not shown", "unknown"
]


@dataclass(frozen=True, kw_only=True)
class MarginTests:
    """The one-sided tests of a paired difference against a margin.

    Attributes:
        p_first: Of "the first is worse than the second by the margin or more"; NaN
            where no standard error is known.
        p_second: Of "the second is worse than the first by the margin or more".
    """

    p_first: float
    p_second: float

    @property
    def p_equivalent(self) -> float:
        """Of "either is worse by the margin or more": the larger of both."""
        return float(np.maximum(self.p_first, self.p_second))

    def verdict(self, significance: float) -> Verdict:
        """Return what is shown at a two-sided significance, half of it to each test.

        Args:
            significance: As in 0.05.

        Raises:
            ValueError: If it is not between 0 and 1.
        """
        if not 0 < significance < 1:
            raise ValueError(
                f"A significance lies between 0 and 1, as in 0.05, got {significance}"
            )
        if np.isnan(self.p_equivalent):
            return "unknown"
        first, second = (p < significance / 2 for p in (self.p_first, self.p_second))
        if first and second:
            return "equivalent"
        if first:
            return "first not inferior"
        return "second not inferior" if second else "not shown"


def compare_with_margin(difference: AucDifference, margin: float) -> MarginTests:
    """Return the tests of a difference of any two paired shares or areas.

    NaN where the standard error is 0, as where both classify alike or without an error:
    there is no interval then, and other images would differ.

    Args:
        difference: The first minus the second, where more is better.
        margin: Loss that would still be accepted, chosen beforehand.

    Raises:
        ValueError: If the margin is not between 0 and 1.
    """
    known = replace(difference, standard_error=difference.standard_error or np.nan)
    swapped = replace(known, estimate=-known.estimate)
    return MarginTests(
        p_first=known.non_inferiority_p_value(margin),
        p_second=swapped.non_inferiority_p_value(margin),
    )
