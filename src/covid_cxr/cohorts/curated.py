"""Curated radiographs: those of the radiograph table that have pixels in the store."""

import logging

import pandas as pd

from covid_cxr.cohorts.radiograph_table import as_rejected, describe_reasons
from covid_cxr.radiographs.store import ImageStore

logger = logging.getLogger(__name__)

# Columns that say of a picture that a person should look at it, and what they mean.
FLAGS = {
    "is_polarity_suspect": "may be negatives",
    "is_contrast_suspect": "have hardly any contrast",
}
_EXAMPLES = 3

# What of an image's record (`ImageStore.records`) later steps ask of the picture.
_FROM_RECORDS = (
    "row",
    "fingerprint",
    "pixels_sha256",
    "is_polarity_suspect",
    "mean",
    "standard_deviation",
    "is_contrast_suspect",
)


def settle(
    store: ImageStore, radiographs: pd.DataFrame, ingestion_rejected: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the curated radiographs, and every row that cannot be used.

    Args:
        store: The cohort's image store, one row per row of `radiographs`.
        radiographs: The radiograph table.
        ingestion_rejected: What ingestion rejected.

    Returns:
        The radiograph table's rows that have pixels, each with its `row` in the store
        and what its record says of the picture; and the rejected of both stages.

    Raises:
        ValueError: If the store was made from another table.
    """
    records = store.records
    if list(records["image_id"]) != list(radiographs["image_id"]):
        raise ValueError(
            f"The image store {store.root} holds {len(records)} images that are not "
            f"the {len(radiographs)} of the radiograph table, or not in its order; run "
            f"the curation pipeline from its first step."
        )
    is_stored = records["is_stored"].to_numpy(bool)
    curated = radiographs.assign(
        **{name: records[name].to_numpy() for name in _FROM_RECORDS},
    )[is_stored].reset_index(drop=True)
    reasons = pd.Series(records["reason"].to_numpy(), index=radiographs.index)
    unreadable = as_rejected(
        radiographs.assign(reason=reasons.mask(is_stored)), stage="curation"
    )
    if len(curated) + len(unreadable) != len(radiographs):
        raise ValueError(
            f"{(~is_stored).sum()} images are not in the store {store.root}, but only "
            f"{len(unreadable)} have a reason; delete the store and curate again."
        )
    rejected = pd.concat([ingestion_rejected, unreadable], ignore_index=True)
    _log_flags(store.root.name, curated)
    logger.info(
        "%s: %d of %d listed radiographs curated, %d rejected: %s",
        store.root.name,
        len(curated),
        len(curated) + len(rejected),
        len(rejected),
        describe_reasons(rejected) or "none",
    )
    return curated, rejected


def _log_flags(name: str, curated: pd.DataFrame) -> None:
    """Say how many radiographs each flag names, its share and some of them."""
    for flag, meaning in FLAGS.items():
        flagged = curated["image_id"][curated[flag].to_numpy(bool)]
        if len(flagged):
            logger.warning(
                "%s: %d of %d radiographs (%.1f %%) %s (%s), such as %s; none is "
                "rejected for it, see the report's data section",
                name,
                len(flagged),
                len(curated),
                100 * len(flagged) / len(curated),
                meaning,
                flag,
                ", ".join(flagged.astype(str).iloc[:_EXAMPLES]),
            )
