"""Does the collection that an image comes from give its label away?

Positives from one collection and negatives from another are close to the worst case
of confounding: a classifier that tells the collections apart looks as if it told the
disease (DeGrave et al., Nature Machine Intelligence 3, 2021, 610-619).
"""

import logging

import pandas as pd

logger = logging.getLogger(__name__)


def sources_of_one_class(radiographs: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the sources all of whose labelled radiographs have the same label.

    Args:
        radiographs: `source` and `label`; where the label is missing, the row does
            not count.
        label: A boolean column, as "covid19".

    Returns:
        `source`, `n_images`, `n_positives` (0 or `n_images`), and `is_determined`, the
        same in every row: whether *no* source has both classes, so that the source
        determines the label altogether.
    """
    labelled = radiographs.loc[radiographs[label].notna(), ["source", label]]
    is_positive = labelled[label].astype("bool")
    counts = (
        is_positive.groupby(labelled["source"])
        .agg(n_images="size", n_positives="sum")
        .reset_index()
    )
    has_one_class = (counts["n_positives"] == 0) | (
        counts["n_positives"] == counts["n_images"]
    )
    return (
        counts[has_one_class]
        .assign(is_determined=bool(has_one_class.all()))
        .reset_index(drop=True)
    )


def warn_of_sources(cohort: str, radiographs: pd.DataFrame, label: str) -> None:
    """Log a warning if any source has one class only; louder if all have.

    Args:
        cohort: For the log.
        radiographs: As for `sources_of_one_class`.
        label: A boolean column, as "covid19".
    """
    sources = sources_of_one_class(radiographs, label)
    if sources.empty:
        return
    named = ", ".join(
        f"{row.source} ({row.n_images} images, {'all' if row.n_positives else 'none'} "
        f"positive)"
        for row in sources.itertuples()
    )
    if sources["is_determined"].all():
        logger.warning(
            "%s: THE SOURCE OF AN IMAGE DETERMINES ITS LABEL (%s): %s. Whatever a "
            "classifier scores here, it may have learned the source alone; add "
            "radiographs of both classes from the same source",
            cohort,
            label,
            named,
        )
        return
    logger.warning(
        "%s: some sources have one class of %s only: %s. There the source gives the "
        "label away",
        cohort,
        label,
        named,
    )
