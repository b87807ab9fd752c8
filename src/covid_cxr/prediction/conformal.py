"""Conformal bounds: which share of patients like the known ones lies beyond them.

Of n exchangeable patients and a new one, the new one's value is above the k-th smallest
of the n with probability (n + 1 - k) / (n + 1) at most, whatever the distribution (Vovk
et al. 2005; by class: Vovk 2012). A patient counts once: one of several images is
drawn.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def one_per_patient(patients: ArrayLike, *, seed: int) -> NDArray[np.int64]:
    """Return the places of one image of each patient, drawn, shape (patients,).

    Args:
        patients: Of each image, shape (n,).
        seed: Of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(np.asarray(patients)))
    drawn = pd.Series(np.asarray(patients)[order]).drop_duplicates().index
    return np.sort(order[drawn])


def upper_bound(values: ArrayLike, *, share: float) -> float | None:
    """Return the value that at most `share` of new patients is above.

    Args:
        values: One of each patient, shape (n,).
        share: Above 0, below 1.

    Returns:
        None where n patients are too few to say so of any value: below 1/share - 1.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    # The subtraction keeps 10 * (1 - 0.1) from being 9.000000000000002.
    rank = math.ceil((len(ordered) + 1) * (1 - share) - 1e-9)
    return float(ordered[rank - 1]) if 1 <= rank <= len(ordered) else None


def prediction_sets(
    scores: ArrayLike, is_case: ArrayLike, patients: ArrayLike, **options: Any
) -> dict[str, Any]:
    """Return the bounds of prediction sets that cover each class as often as asked.

    Args:
        scores: On [0, 1], shape (n,).
        is_case: Boolean, shape (n,).
        patients: Shape (n,).
        options: `coverage`, and `seed` of the image drawn of each patient.

    Returns:
        `coverage`, `n_cases` and `n_controls` (patients); a case is in the set from
        `least_case_score` on, a control up to `greatest_control_score`: 0 and 1, hence
        always, where there are too few patients of the class.

    Raises:
        ValueError: If a label is no boolean, as one that is not known.
    """
    coverage, seed = options["coverage"], options["seed"]
    values, truth = np.asarray(scores, np.float64), np.asarray(is_case)
    if truth.dtype != np.bool_:
        raise ValueError(
            f"is_case must be one boolean per image, got {truth.dtype}; drop the "
            f"images whose label is unknown and convert the rest with astype(bool)."
        )
    named = np.asarray(patients)
    bounds, counts = [], []
    for chosen, wrongness in ((truth, -values), (~truth, values)):
        places = np.flatnonzero(chosen)
        drawn = places[one_per_patient(named[places], seed=seed)]
        bounds.append(upper_bound(wrongness[drawn], share=1 - coverage))
        counts.append(len(drawn))
    case, control = bounds
    return {
        "coverage": coverage,
        "n_cases": counts[0],
        "n_controls": counts[1],
        "least_case_score": 0.0 if case is None else -case,
        "greatest_control_score": 1.0 if control is None else control,
    }
