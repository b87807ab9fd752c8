"""A cohort of one's own: PNG and DICOM files, a manifest, masks of the lungs."""

from functools import partial

import numpy as np
import pandas as pd

from covid_cxr.radiographs.lung_masks import encode_mask
from covid_cxr.study.current import current
from covid_cxr.synthesis.defects import masked_orders
from covid_cxr.synthesis.drawing import Look, outline_lungs
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import Order, RawImages, describe, orders_of
from covid_cxr.synthesis.raw_files import (
    draw_files,
    encode_jpeg_dicom,
    encode_png,
    look_of,
    told,
)


def write_manifest(
    radiographs: pd.DataFrame,
    synthesis: Synthesis,
    defects: pd.DataFrame,
    *,
    cohort: str,
) -> tuple[RawImages, pd.DataFrame]:
    """Return the image files and `manifest.csv`.

    Returns:
        Files to draw, and the manifest with image, patient, site, view, sex, age and
        a column of "positive" and "negative" for each label of the study.
    """
    own = told(radiographs, defects, cohort=cohort)
    results = {
        label: np.where(own[label], "positive", "negative")
        for label in current().labels_of(cohort)
    }
    manifest = describe(orders_of(radiographs, cohort=cohort)).assign(**results)
    images = draw_files(radiographs, synthesis, defects, cohort=cohort, encode=_encode)
    return images, manifest


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


def _encode(order: Order, *, size_px: int, look: Look) -> bytes:
    encode = encode_png if order.file.endswith(".png") else encode_jpeg_dicom
    return encode(order, size_px=size_px, look=look)


def _encode_lungs(order: Order, *, size_px: int, look: Look) -> bytes:
    return encode_mask(outline_lungs(order.exam, shape=(size_px, size_px), look=look))
