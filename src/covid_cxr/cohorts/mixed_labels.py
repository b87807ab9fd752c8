"""Patients, or copies of a picture, of both labels: legitimate, or a mistake."""

import logging

import pandas as pd

from covid_cxr.cohorts.linked import first_of_linked
from covid_cxr.cohorts.radiograph_table import COVID19

logger = logging.getLogger(__name__)

_NAMED = 10


def list_mixed_results(curated: pd.DataFrame) -> pd.DataFrame:
    """Return the patients who have radiographs with COVID-19 and without.

    A patient may have been radiographed before the infection; whether that is so, the
    table cannot tell.

    Args:
        curated: `patient_id` and `covid19`, which may be unknown.

    Returns:
        `patient_id`, `n_positive` and `n_negative` images, in the order of the ids.
    """
    known = curated[curated[COVID19].notna()]
    of_patient = known[COVID19].astype(bool).groupby(known["patient_id"])
    counts = of_patient.agg(n_positive="sum", n_images="size")
    counts = counts.assign(n_negative=counts["n_images"] - counts["n_positive"])
    is_mixed = (counts["n_positive"] > 0) & (counts["n_negative"] > 0)
    mixed: pd.DataFrame = counts[is_mixed].drop(columns="n_images").reset_index()
    logger.info("%d of %d patients have both results", len(mixed), len(counts))
    return mixed


def list_mixed_copies(curated: pd.DataFrame, duplicates: pd.DataFrame) -> pd.DataFrame:
    """Return the radiographs of pictures that are there with COVID-19 and without.

    Which label is right cannot be told, so they stay, linked as any duplicates.

    Args:
        curated: `image_id`, `patient_id` and `covid19`, which may be unknown.
        duplicates: From `duplicates.find_duplicates`.

    Returns:
        `picture` (the first image of those that show it), `image_id`, `patient_id`,
        `covid19`, in the order of the first two.
    """
    names = curated["image_id"].sort_values()
    pictures = curated["image_id"].map(
        first_of_linked(list(names), duplicates, of="image_id")
    )
    n_labels = curated[COVID19].groupby(pictures).transform("nunique")
    columns = ["picture", "image_id", "patient_id", COVID19]
    mixed: pd.DataFrame = (
        curated.assign(picture=pictures.astype("str"))
        .loc[n_labels.to_numpy() > 1, columns]
        .sort_values(["picture", "image_id"], ignore_index=True)
    )
    if len(mixed):
        logger.warning(
            "%d radiographs show a picture that is there with both results: %s%s; "
            "correct the wrong ones in the manifest (all are in covid_mixed_copies)",
            len(mixed),
            ", ".join(mixed["image_id"].head(_NAMED)),
            ", …" if len(mixed) > _NAMED else "",
        )
    return mixed
