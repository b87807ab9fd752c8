"""Shenzhen and Montgomery as the National Library of Medicine publishes them.

PNG files that carry their label in their name, and beside them a reading of each.
"""

from dataclasses import replace
from pathlib import PurePosixPath

import pandas as pd

from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import Order, RawImages, orders_of
from covid_cxr.synthesis.raw_files import draw_files, encode_png

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
    images = draw_files(
        radiographs, synthesis, defects, cohort=cohort, encode=encode_png
    )
    orders = orders_of(radiographs, cohort=cohort)
    return replace(images, texts={_reading(o.file): _read(o) for o in orders})


def file_of(site: str, number: int, *, is_positive: bool) -> str:
    """Return the published path of a radiograph."""
    folder, initials = {
        "Shenzhen": ("ChinaSet_AllFiles", "CHNCXR"),
        "Montgomery": ("MontgomerySet", "MCUCXR"),
    }[site]
    return f"{folder}/{RADIOGRAPHS}/{initials}_{number:04d}_{int(is_positive)}.png"


def _reading(file: str) -> str:
    return str(PurePosixPath(file.replace(RADIOGRAPHS, _READINGS)).with_suffix(".txt"))


def _read(order: Order) -> str:
    sex, age, read_as = order.exam.sex, order.exam.age_years, _READ_AS[order.stem[-1]]
    if order.site == "Shenzhen":
        return f"{_SEXES[sex]} {age}yrs\n{read_as}\n"
    return f"Patient's Sex: {sex}\nPatient's Age: {age:03d}Y\n{read_as}\n"
