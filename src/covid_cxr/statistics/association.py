"""How strongly two attributes of the same radiographs go together.

Cramér's V with the bias correction of Bergsma (J. Korean Stat. Soc. 2013;42:323). For
an r x c table of n radiographs with Pearson's chi squared X, phi2 = X / n and

    phi2+ = max(0, phi2 - (r - 1)(c - 1) / (n - 1))
    r+    = r - (r - 1)^2 / (n - 1),   c+ likewise
    V     = sqrt(phi2+ / min(r+ - 1, c+ - 1))

Without the correction V grows with the number of levels even where nothing is
associated. V describes the table at hand: several radiographs of a patient are not
independent, so no p value goes with it.
"""

import numpy as np
import pandas as pd


def cramers_v(first: pd.Series, second: pd.Series) -> float:
    """Return Cramér's V, 0 (independent) to 1 (one tells the other), bias-corrected.

    NaN where either attribute has one level only, or too many levels for as few rows.

    Args:
        first: An attribute of each radiograph, shape (n,). Unknown must be a level of
            its own.
        second: Another attribute of the same radiographs, in the same order.

    Raises:
        ValueError: If the lengths differ or a value is missing.
    """
    if len(first) != len(second):
        raise ValueError(
            f"{len(first)} and {len(second)} values cannot be of the same radiographs; "
            "give both attributes for every one."
        )
    if first.isna().any() or second.isna().any():
        raise ValueError(
            f"{first.name} or {second.name} has missing values; name a level for what "
            "is unknown, so that it is counted."
        )
    counts = pd.crosstab(first.to_numpy(), second.to_numpy()).to_numpy(np.float64)
    n, (rows, columns) = counts.sum(), counts.shape
    if min(rows, columns) < 2:
        return float("nan")
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / n
    phi2 = (np.square(counts - expected) / expected).sum() / n
    unbiased = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    largest = min(k - (k - 1) ** 2 / (n - 1) for k in (rows, columns)) - 1
    return float(np.sqrt(unbiased / largest)) if largest > 0 else float("nan")
