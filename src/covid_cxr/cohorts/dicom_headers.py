"""What tables leave to the DICOM header: view, sex and age, and whose image it is."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from rich import get_console
from rich.progress import track

from covid_cxr.cohorts.radiograph_table import (
    age_in_years,
    first_reason,
    frontal_view,
    is_lateral,
    sex,
    stated,
)
from covid_cxr.radiographs.admission import VIEW_KEYWORDS, stated_view
from covid_cxr.radiographs.dicom_file import code_of, quiet, read_dataset, value_of
from covid_cxr.radiographs.files import refuse_irregular
from covid_cxr.radiographs.folder import RadiographFolder

logger = logging.getLogger(__name__)

RADIOGRAPHY = ("CR", "DX", "RG")  # values of Modality, PS3.3 C.7.3.1.1.1
_HEADER = (*VIEW_KEYWORDS, "PatientSex", "PatientAge")
_NO_WORDS: frozenset[str] = frozenset()  # of a header may stand in the log
_MANY_FILES = 2_000


def read_headers(
    names: Iterable[str], images: RadiographFolder, *, also: Sequence[str] = ()
) -> pd.DataFrame:
    """Return `view, sex, age_years, reason`, a row per name; unknown where no file is.

    `reason` is why a view cannot be used; missing if it can. A view that is not
    understood is unknown here; curation admits or rejects it.

    Args:
        names: As for `RadiographFolder.find`.
        images: The folder of the DICOM files.
        also: Keywords of further elements, each a column of text as stated.
    """
    files = [images.find(name) for name in names]
    console = get_console()
    with quiet():  # odd values are the curation's business, image by image
        headers = [
            _read_header(images.root / file, also) if file else {}
            for file in track(
                files,
                description="Reading DICOM headers",
                console=console,
                disable=len(images.files) <= _MANY_FILES or not console.is_interactive,
            )
        ]
    table = pd.DataFrame(headers, columns=["view", "sex", "age", *also], dtype="str")
    return pd.DataFrame(
        {
            "view": frontal_view(table["view"], quotable=_NO_WORDS),
            "sex": sex(table["sex"], quotable=_NO_WORDS),
            "age_years": age_in_years(table["age"], quotable=_NO_WORDS),
            "reason": first_reason(table, {"lateral view": is_lateral(table["view"])}),
            **{keyword: stated(table[keyword]) for keyword in also},
        }
    )


def is_other_modality(cohort: str, modalities: pd.Series) -> pd.Series:
    """Return True for what is no radiography, and log how much there is of it.

    Args:
        cohort: For the log.
        modalities: As headers state them; missing where they do not.
    """
    is_other = modalities.notna() & ~modalities.isin(RADIOGRAPHY)
    if is_other.any():
        logger.info(
            "%s: %d files are no radiographs and are left out, %d of them CT",
            cohort,
            is_other.sum(),
            (modalities == "CT").sum(),
        )
    return is_other


def _read_header(path: Path, also: Sequence[str]) -> dict[str, str]:
    """Return the view, one of `views.VIEWS`, and sex, age and the rest as stated."""
    try:
        refuse_irregular(path)
        with path.open("rb") as file:
            header = read_dataset(
                file, stop_before_pixels=True, specific_tags=[*_HEADER, *also]
            )
        return {
            "view": stated_view(header),
            "sex": code_of(header, "PatientSex"),
            "age": code_of(header, "PatientAge"),
            **{keyword: str(value_of(header, keyword) or "") for keyword in also},
        }
    except Exception:  # whatever a damaged file raises: curation rejects it by name
        return {}
