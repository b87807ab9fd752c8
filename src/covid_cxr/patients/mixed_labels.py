"""Patients, or copies of a picture, of both labels: legitimate, or a mistake."""

import logging

import pandas as pd

from covid_cxr.patients.linked import first_of_linked

logger = logging.getLogger(__name__)

_NAMED = 10


def list_mixed_results(curated: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the patients who have radiographs with the label and without.

    A patient may have been radiographed before the disease; whether that is so, the
    table cannot tell.

    Args:
        curated: `patient_id` and the label, which may be unknown.
        label: The column.

    Returns:
        `patient_id`, `n_positive` and `n_negative` images, in the order of the ids.
    """
    known = curated[curated[label].notna()]
    of_patient = known[label].astype(bool).groupby(known["patient_id"])
    counts = of_patient.agg(n_positive="sum", n_images="size")
    counts = counts.assign(n_negative=counts["n_images"] - counts["n_positive"])
    is_mixed = (counts["n_positive"] > 0) & (counts["n_negative"] > 0)
    mixed: pd.DataFrame = counts[is_mixed].drop(columns="n_images").reset_index()
    logger.info("%d of %d patients have both results", len(mixed), len(counts))
    return mixed


def list_mixed_copies(
    curated: pd.DataFrame, duplicates: pd.DataFrame, label: str
) -> pd.DataFrame:
    """Return the radiographs of pictures that are there with the label and without.

    Which label is right cannot be told, so they stay, linked as any duplicates.

    Args:
        curated: `image_id`, `patient_id` and the label, which may be unknown.
        duplicates: From `duplicates.find_duplicates`.
        label: The column.

    Returns:
        `picture` (the first image of those that show it), `image_id`, `patient_id`,
        the label, in the order of the first two.
    """
    names = curated["image_id"].sort_values()
    pictures = curated["image_id"].map(
        first_of_linked(list(names), duplicates, of="image_id")
    )
    n_labels = curated[label].groupby(pictures).transform("nunique")
    columns = ["picture", "image_id", "patient_id", label]
    mixed: pd.DataFrame = (
        curated.assign(picture=pictures.astype("str"))
        .loc[n_labels.to_numpy() > 1, columns]
        .sort_values(["picture", "image_id"], ignore_index=True)
    )
    if len(mixed):
        logger.warning(
            "%d radiographs show a picture that is there with both results: %s%s; "
            "correct the wrong ones in the manifest (all are in <cohort>_mixed_copies)",
            len(mixed),
            ", ".join(mixed["image_id"].head(_NAMED)),
            ", …" if len(mixed) > _NAMED else "",
        )
    return mixed
