"""View, sex and age of radiographs whose tables leave them to the DICOM header."""

import warnings
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from rich import get_console
from rich.progress import track

from covid_cxr.cohorts.radiograph_table import age_in_years, frontal_view, sex
from covid_cxr.radiographs.dicom_file import read_dataset
from covid_cxr.radiographs.files import refuse_irregular
from covid_cxr.radiographs.folder import RadiographFolder

_HEADER = ("ViewPosition", "PatientSex", "PatientAge")
_MANY_FILES = 2_000


def read_headers(names: Iterable[str], images: RadiographFolder) -> pd.DataFrame:
    """Return `view, sex, age_years`, a row per name; unknown where no file is.

    Args:
        names: As for `RadiographFolder.find`.
        images: The folder of the DICOM files.
    """
    files = [images.find(name) for name in names]
    with warnings.catch_warnings():
        # Odd values in a header are the curation's business, image by image.
        warnings.simplefilter("ignore")
        headers = [
            _read_header(images.root / file) if file else {}
            for file in track(
                files,
                description="Reading DICOM headers",
                console=get_console(),
                disable=len(images.files) <= _MANY_FILES,
            )
        ]
    table = pd.DataFrame(headers, columns=list(_HEADER), dtype="str")
    return pd.DataFrame(
        {
            "view": frontal_view(table["ViewPosition"]),
            "sex": sex(table["PatientSex"]),
            "age_years": age_in_years(table["PatientAge"]),
        }
    )


def _read_header(path: Path) -> dict[str, str]:
    try:
        refuse_irregular(path)
        with path.open("rb") as file:
            header = read_dataset(
                file, stop_before_pixels=True, specific_tags=list(_HEADER)
            )
        return {name: str(header[name].value) for name in _HEADER if name in header}
    except Exception:  # whatever a damaged file raises: curation rejects it by name
        return {}
