"""Shenzhen and Montgomery as the National Library of Medicine publishes them.

PNG files that carry their label in their name, and beside them a reading of each.
"""

from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

import pandas as pd

from covid_cxr.synthesis.defects import plant
from covid_cxr.synthesis.drawing import Look
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import Order, RawImages, orders_of
from covid_cxr.synthesis.raw_nih import encode_png, look_of

SITE_SHARES = {"Shenzhen": 662 / 800, "Montgomery": 138 / 800}
POSITIVE_SHARE = 394 / 800  # 336 of 662 and 58 of 138
RADIOGRAPHS, _READINGS = "CXR_png", "ClinicalReadings"
_SEXES = {"M": "male", "F": "female"}
_READ_AS = {"0": "normal", "1": "pulmonary tuberculosis"}


def write_nlm_tuberculosis(
    radiographs: pd.DataFrame,
    synthesis: Synthesis,
    defects: pd.DataFrame,
    *,
    cohort: str,
) -> RawImages:
    """Return the radiographs and their readings."""
    encode = partial(_encode, size_px=synthesis.raw_size_px, look=look_of(synthesis))
    orders = orders_of(radiographs, cohort=cohort)
    images = RawImages(orders=orders, encode=encode, workers=synthesis.workers)
    planted = plant(images, radiographs, defects, cohort=cohort)
    readings = tuple(replace(order, file=_reading(order.file)) for order in orders)
    return replace(planted, orders=(*planted.orders, *readings))


def file_of(site: str, number: int, *, is_positive: bool) -> str:
    """Return the published path of a radiograph."""
    folder, initials = {
        "Shenzhen": ("ChinaSet_AllFiles", "CHNCXR"),
        "Montgomery": ("MontgomerySet", "MCUCXR"),
    }[site]
    return f"{folder}/{RADIOGRAPHS}/{initials}_{number:04d}_{int(is_positive)}.png"


def _reading(file: str) -> str:
    return str(PurePosixPath(file.replace(RADIOGRAPHS, _READINGS)).with_suffix(".txt"))


def _encode(order: Order, *, size_px: int, look: Look) -> bytes:
    if not order.file.endswith(".txt"):
        return encode_png(order, size_px=size_px, look=look)
    sex, age, read_as = order.exam.sex, order.exam.age_years, _READ_AS[order.stem[-1]]
    if order.site == "Shenzhen":
        return f"{_SEXES[sex]} {age}yrs\n{read_as}\n".encode()
    return f"Patient's Sex: {sex}\nPatient's Age: {age:03d}Y\n{read_as}\n".encode()
