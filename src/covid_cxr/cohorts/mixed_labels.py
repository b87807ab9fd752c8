"""Patients with radiographs of both labels: legitimate over time, or a mistake."""

import logging

import pandas as pd

from covid_cxr.cohorts.radiograph_table import COVID19

logger = logging.getLogger(__name__)


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
