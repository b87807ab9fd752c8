"""A cohort of one's own: PNG and DICOM files, a manifest, masks of the lungs."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from covid_cxr.radiographs.lung_masks import encode_mask
from covid_cxr.study.current import current
from covid_cxr.synthesis.defects import masked_orders
from covid_cxr.synthesis.drawing import Look, outline_lungs
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import Order, RawImages, describe
from covid_cxr.synthesis.raw_files import (
    Drawn,
    encode_jpeg_dicom,
    encode_png,
    look_of,
    published,
)


def manifest_file(row: dict[str, Any]) -> str:
    """Return the path of a radiograph, in one of two formats."""
    kind = "png" if row["drawing_seed"] % 2 else "dcm"
    return f"images/{row['patient']}_{row['visit']:02d}.{kind}"


def _encode(order: Order, *, size_px: int, look: Look) -> bytes:
    encode = encode_png if order.file.endswith(".png") else encode_jpeg_dicom
    return encode(order, size_px=size_px, look=look)


@published(_encode)
def write_manifest(drawn: Drawn) -> tuple[RawImages, pd.DataFrame]:
    """Return the image files and `manifest.csv`.

    Returns:
        Files to draw, and the manifest with image, patient, site, view, sex, age and
        a column of "positive" and "negative" for each label of the study.
    """
    labels = current().labels_of(drawn.rows["cohort"].iloc[0])
    results = {
        label: np.where(drawn.rows[label], "positive", "negative") for label in labels
    }
    return drawn.images, describe(drawn.orders).assign(**results)


def write_masks(
    radiographs: pd.DataFrame,
    synthesis: Synthesis,
    defects: pd.DataFrame,
    *,
    cohort: str,
) -> RawImages:
    """Return a lung mask of every radiograph that is drawn as a square."""
    orders = masked_orders(radiographs, defects, cohort=cohort)
    encode = partial(
        _encode_lungs, size_px=synthesis.raw_size_px, look=look_of(synthesis)
    )
    return RawImages(orders=orders, encode=encode, workers=1)


def _encode_lungs(order: Order, *, size_px: int, look: Look) -> bytes:
    return encode_mask(outline_lungs(order.exam, shape=(size_px, size_px), look=look))
