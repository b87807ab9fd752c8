"""Reading a DICOM file: how much it may inflate to, and elements that are malformed."""

import contextlib
import logging
import math
import re
import warnings
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from covid_cxr.radiographs.rendering import MAX_PIXELS, UnreadableRadiograph

# Of 32 bits per pixel; more cannot become a radiograph.
MAX_INFLATED = 4 * MAX_PIXELS
LONGEST_UID = 64  # characters (PS3.5 9.1)
UID = re.compile(r"[0-9]+(\.[0-9]+)+")  # leading zeros break the standard, and are met
_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}  # PS3.5 6.2, AS
_SILENCED = (
    "pydicom",
    "highdicom",
    "PIL",
    "pylibjpeg",
    "libjpeg",
    "openjpeg",
    "rle",
    "jpeg_ls",
)


def read_dataset(file: BinaryIO, **options: Any) -> Dataset:
    """Return the data set of a DICOM file, which may lack preamble and file meta.

    Args:
        file: Open at its beginning.
        options: Of `pydicom.dcmread`.

    Raises:
        UnreadableRadiograph: If it would inflate to more than `MAX_INFLATED` bytes.
        Exception: Whatever pydicom raises on a damaged file.
    """
    _refuse_inflation(file)
    file.seek(0)
    return pydicom.dcmread(file, force=True, **options)


def value_of(dataset: Dataset, keyword: str) -> Any:
    """Return the value of an element; None where it is absent, empty or malformed.

    pydicom reads an element when it is asked for it, and what it raises then is not
    bounded.
    """
    try:
        value = dataset.get(keyword)
    except Exception:
        return None
    return None if value in ("", b"") else value


def is_uid(value: object) -> bool:
    """Return whether a value identifies something as a UID does (PS3.5 9.1)."""
    text = str(value or "")
    return len(text) <= LONGEST_UID and UID.fullmatch(text) is not None


def items_of(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is absent or malformed."""
    value = value_of(dataset, keyword)
    return list(value) if isinstance(value, Sequence) else []


def number_of(dataset: Dataset, keyword: str) -> float | None:
    """Return the first number of an element; None where it is absent or empty.

    NaN where it is there and no number, as in "2048,0" (PS3.5 6.2, DS).
    """
    try:
        value = dataset.get(keyword)
        values = [value] if isinstance(value, str | bytes) else np.ravel(value).tolist()
        first = values[0] if values else None
        return None if first in {None, "", b""} else float(first)
    except Exception:  # not bounded, as above
        return math.nan


def whole_of(dataset: Dataset, keyword: str) -> int | None:
    """Return the whole number of an element; None where it holds none."""
    number = number_of(dataset, keyword)
    if number is None or not math.isfinite(number) or number != int(number):
        return None
    return int(number)


def code_of(dataset: Dataset, keyword: str) -> str:
    """Return a code string (PS3.5 6.2) in capitals; empty where there is none.

    The standard allows no more than ASCII in it. Where devices write other letters all
    the same, they are taken in the character set of the file, where that is UTF-8.
    """
    text = str(value_of(dataset, keyword) or "")
    if "ISO_IR 192" in str(value_of(dataset, "SpecificCharacterSet")):
        with contextlib.suppress(UnicodeError):  # it was read as UTF-8 already
            text = text.encode("latin-1").decode("utf-8")
    return text.strip(" \0").upper()


def age_of(dataset: Dataset) -> float | None:
    """Return PatientAge (0010,1010) in years; None where there is none."""
    age = code_of(dataset, "PatientAge")
    try:
        return float(age[:-1]) * _YEARS[age[-1:]]
    except (KeyError, ValueError):
        return None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence those who read files: what they say of one may quote its header."""
    loggers = [logging.getLogger(name) for name in _SILENCED]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _refuse_inflation(file: BinaryIO) -> None:
    """Refuse what pydicom would inflate to any size: it does so before it reads."""
    read_preamble(file, force=True)
    syntax = _read_file_meta_info(file).get("TransferSyntaxUID")
    if syntax != DeflatedExplicitVRLittleEndian:
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(file.read(), MAX_INFLATED)
    if inflater.unconsumed_tail:
        raise UnreadableRadiograph(f"too large: inflates to over {MAX_INFLATED} bytes")
