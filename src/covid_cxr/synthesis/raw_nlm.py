"""Shenzhen and Montgomery as the National Library of Medicine publishes them.

PNG files that carry their label in their name, and beside them a reading of each.
"""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from covid_cxr.synthesis.orders import Order, RawImages
from covid_cxr.synthesis.raw_files import Drawn, encode_png, published

SITE_SHARES = {"Shenzhen": 662 / 800, "Montgomery": 138 / 800}
POSITIVE_SHARE = 394 / 800  # 336 of 662 and 58 of 138
RADIOGRAPHS, _READINGS = "CXR_png", "ClinicalReadings"
_SEXES = {"M": "male", "F": "female"}
_READ_AS = {"0": "normal", "1": "pulmonary tuberculosis"}


@published(encode_png)
def write_nlm_tuberculosis(drawn: Drawn) -> RawImages:
    """Return the radiographs and their readings."""
    readings = {_reading(order.file): _read(order) for order in drawn.orders}
    return replace(drawn.images, texts=readings)


def file_of(row: dict[str, Any]) -> str:
    """Return the published path of a radiograph, which says its label."""
    folder, initials = {
        "Shenzhen": ("ChinaSet_AllFiles", "CHNCXR"),
        "Montgomery": ("MontgomerySet", "MCUCXR"),
    }[row["site"]]
    name = f"{initials}_{int(row['patient']):04d}_{int(row['is_positive'])}.png"
    return f"{folder}/{RADIOGRAPHS}/{name}"


def _reading(file: str) -> str:
    return str(PurePosixPath(file.replace(RADIOGRAPHS, _READINGS)).with_suffix(".txt"))


def _read(order: Order) -> str:
    sex, age, read_as = order.exam.sex, order.exam.age_years, _READ_AS[order.stem[-1]]
    if order.site == "Shenzhen":
        return f"{_SEXES[sex]} {age}yrs\n{read_as}\n"
    return f"Patient's Sex: {sex}\nPatient's Age: {age:03d}Y\n{read_as}\n"
