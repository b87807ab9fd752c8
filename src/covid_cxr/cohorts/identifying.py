"""How many images of a cohort still say in their header whom they show."""

import logging

import pandas as pd

from covid_cxr.radiographs.header_privacy import NOT_STATED
from covid_cxr.radiographs.store import ImageStore

logger = logging.getLogger(__name__)

BURNED_IN = "BurnedInAnnotation"


def report_identifying(store: ImageStore) -> pd.DataFrame:
    """Return `attribute, n_images`: how often what may identify a patient is there.

    The attributes are DICOM keywords, the commonest first, then one row for each answer
    that the headers give about text burned into the pixels, and one for the images that
    were files without such a header. No value of an attribute is ever read.

    Args:
        store: The image store of one cohort.
    """
    records = store.records.query("is_stored")
    per_image = records["identifying_attributes"].dropna().str.split("; ")
    attributes = per_image.explode().value_counts()
    answers = records["burned_in_annotation"].value_counts()
    burned_in = [
        (f"{BURNED_IN} YES", answers.get("YES", 0)),
        (f"{BURNED_IN} NO", answers.get("NO", 0)),
        (f"{BURNED_IN} {NOT_STATED}", answers.get(NOT_STATED, 0)),
        ("no DICOM header", int(records["burned_in_annotation"].isna().sum())),
    ]
    _warn(n_identifying=len(per_image), n_burned_in=burned_in[0][1], n=len(records))
    rows = [*attributes.items(), *burned_in]
    return pd.DataFrame(rows, columns=["attribute", "n_images"]).astype(
        {"attribute": "str", "n_images": "int64"}
    )


def _warn(*, n_identifying: int, n_burned_in: int, n: int) -> None:
    if n_identifying:
        logger.warning(
            "%d of %d images have identifying attributes in their header; the store "
            "holds none of their values, the raw files do",
            n_identifying,
            n,
        )
    if n_burned_in:
        logger.warning(
            "%d of %d images have text burned into their pixels, by their header; see "
            "that it names nobody, or crop it away (crops.csv)",
            n_burned_in,
            n,
        )
