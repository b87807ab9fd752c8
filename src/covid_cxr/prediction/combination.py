"""How the scores of several classifiers become one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

ALONE = "alone"  # of one classifier: its own score
MEAN_PROBABILITY, MEAN_LOGIT, MEAN_RANK = "mean_probability", "mean_logit", "mean_rank"
ENSEMBLES = (MEAN_PROBABILITY, MEAN_LOGIT, MEAN_RANK)
IN_WORDS = {
    ALONE: "the score of one network",
    MEAN_PROBABILITY: "the mean of the scores of several networks",
    MEAN_LOGIT: "the mean of the log odds of several networks, as a probability",
    MEAN_RANK: "the mean of the ranks of several networks' scores among those of "
    "validation",
}

_TINY = 1e-12  # keeps the log odds of a probability of 0 or 1 finite


def combined(
    scores: ArrayLike, *, rule: str, known: Sequence[Floats] | None = None
) -> Floats:
    """Return one score for each image, shape (n,), whatever images stand beside it.

    `mean_rank` takes the mean of mid-ranks: of each score the share of its classifier's
    known scores that lie below it, a tie counting one half. An image has no score (NaN)
    where one of its classifiers has none.

    Args:
        scores: Shape (n, classifiers).
        rule: `ALONE`, or one of `ENSEMBLES`.
        known: For `MEAN_RANK`, of each classifier those of validation, ascending.

    Raises:
        ValueError: If the rule is unknown, or wants one classifier or known scores.
    """
    values = np.ascontiguousarray(scores, np.float64)  # sums depend on the layout
    if rule == ALONE and values.shape[1] == 1:
        return values[:, 0]
    if rule == MEAN_PROBABILITY:
        return np.asarray(values.mean(axis=1))
    if rule == MEAN_LOGIT:
        held = values.clip(_TINY, 1 - _TINY)
        log_odds = np.log(held / (1 - held)).mean(axis=1)
        return np.asarray(1 / (1 + np.exp(-log_odds)))
    if rule == MEAN_RANK and known is not None:
        ranks = [_ranks(*pair) for pair in zip(known, values.T, strict=True)]
        return np.asarray(np.stack(ranks, axis=1).mean(axis=1))
    raise ValueError(
        f"{values.shape[1]} classifiers are not combined by {rule!r}; expected "
        f"{ALONE} for one, and for several one of {', '.join(ENSEMBLES)}."
    )


def _ranks(known: Floats, scores: Floats) -> Floats:
    sides = [np.searchsorted(known, scores, side=side) for side in ("left", "right")]
    ranks = sum(sides) / (2 * len(known))
    return np.asarray(np.where(np.isnan(scores), np.nan, ranks))  # NaN sorts last
