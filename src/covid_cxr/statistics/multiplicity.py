"""P values that account for how many hypotheses were tested."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def bonferroni(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return every p value times their number, at most 1 (Table 5 of the paper).

    Args:
        p_values: Shape (m,); NaN where a test could not be done. It stays NaN and
            still counts as one of the m: it was planned.

    Raises:
        ValueError: If a p value lies outside [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    outside = p[(p < 0) | (p > 1)]
    if outside.size:
        raise ValueError(
            f"P values lie in [0, 1], got {outside[0]}; pass them unadjusted."
        )
    return np.minimum(p * p.size, 1.0)
