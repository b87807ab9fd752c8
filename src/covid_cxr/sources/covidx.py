"""COVIDx, a source and a layout of `covid`: the benchmark's versions 1 to 9 and CXR-4.

Wang, Lin, Wong, Scientific Reports 10 (2020) 19549; github.com/lindawangg/COVID-Net;
CXR-4: Wu, Gunraj, Tai, Wong, arXiv:2311.17677. Lines of text, separated by blanks, in
`train*.txt`, `test*.txt` and `val*.txt`, of CXR-4 beside the folders of these names:

    patient file class           versions 1 and 2, and some test files
    patient file class source    version 3 and later, CXR-4

The patient's id may hold blanks itself ("COVID 1 COVID(1).png positive sirm"): all that
stands before the file is the id. Classes are normal, pneumonia and COVID-19, or
negative and positive. COVIDx is put together from other collections: `source` says
from which, and most of them have one class only.
"""

import logging
import re
from pathlib import Path

import pandas as pd

from covid_cxr.cohorts.label_by_source import warn_of_sources
from covid_cxr.cohorts.radiograph_table import COVID19, source_name
from covid_cxr.radiographs.folder import IMAGE_SUFFIXES, RadiographFolder
from covid_cxr.sources.covid_patients import admit_identified, unmapped_rsna_images
from covid_cxr.sources.listed import LIST, SaltedIngestion, names_by_list
from covid_cxr.sources.published_counts import COVIDX_VERSIONS, log_differences
from covid_cxr.user_text import read_user_bytes, read_user_text

logger = logging.getLogger(__name__)

LABEL_FILES = ("train*.txt", "test*.txt", "val*.txt")
IS_CASE = {
    "covid-19": True,
    "positive": True,
    "normal": False,
    "pneumonia": False,
    "negative": False,
}
_SOURCE = "covidx"  # where a line names none
_ENDINGS = tuple(sorted(IMAGE_SUFFIXES))


def list_covidx(
    rsna_mapping: str | None, images: RadiographFolder, ingestion: SaltedIngestion
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of COVIDx, and the rejected lines.

    Patients are as in the layout of `covid`: "<source>:<id>", those of RSNA images
    "nih:<id>" where the mapping knows them.

    Raises:
        ValueError: If there is no label file, or no line is usable.
    """
    listing = read_covidx(images)
    if not images.is_synthetic:
        compare_covidx(listing)
    radiographs, rejected = admit_identified(
        "covidx",
        listing,
        images,
        labels=[COVID19],
        rsna_mapping=rsna_mapping,
        salt=ingestion.pseudonym_salt,
    )
    warn_of_sources("covidx", radiographs, COVID19)
    return radiographs, rejected


def list_unmatched_covidx(
    listed: pd.DataFrame, rsna_mapping: str | None
) -> pd.DataFrame:
    """Return the names of each list that find nothing, as `unmatched_names`."""
    unmapped = unmapped_rsna_images(listed, rsna_mapping)
    return pd.concat([*names_by_list(listed), *unmapped], ignore_index=True)


def compare_covidx(listing: pd.DataFrame) -> None:
    """Log how the lines differ from those of the version of the nearest number."""
    usable = listing[listing["reason"].isna()]
    patients = usable["source"] + ":" + usable["patient"]
    counted = {"rows": len(usable), "patients": patients.nunique()}
    version, published = min(
        COVIDX_VERSIONS.items(), key=lambda one: abs(one[1]["rows"] - len(usable))
    )
    log_differences(version, counted, published)


def read_covidx(images: RadiographFolder) -> pd.DataFrame:
    """Return the listing of the label files (see `covid.py`).

    Args:
        images: The folder of the image files and the label files.

    Raises:
        ValueError: If there is no label file.
    """
    paths = images.named(*LABEL_FILES)
    if not paths:
        raise ValueError(
            f"The layout is that of COVIDx, but there is no file "
            f"{' or '.join(LABEL_FILES)} below {images.root}; put the label files of "
            f"COVID-Net there."
        )
    lines = [(path.name, line) for path in paths for line in _lines(path)]
    parts = pd.DataFrame(
        [_parts(line) for _, line in lines],
        columns=["patient", "file", "class", "source", "reason"],
        dtype="str",
    )
    classes = parts["class"].str.lower()
    unread = ("class " + classes + " does not say whether it is COVID-19").mask(
        classes.isin(IS_CASE)
    )
    names = parts["file"].fillna("(none)")
    return pd.DataFrame(
        {
            LIST: [name for name, _ in lines],
            "image_id": names,
            "name": [
                _name_in(images, name, label_file=file)
                for name, (file, _) in zip(names, lines, strict=True)
            ],
            "patient": parts["patient"],
            "source": _sources(parts),
            COVID19: classes.map(IS_CASE).astype("boolean"),
            "reason": parts["reason"].fillna(unread),
        }
    )


def _name_in(images: RadiographFolder, name: str, *, label_file: str) -> str:
    """Return what finds an image: its name in the folder of the part, or alone."""
    part = re.match(r"train|test|val", label_file.lower())
    there = f"{part[0]}/{name}" if part else name
    return there if images.find(there) is not None else name


def _lines(path: Path) -> list[str]:
    """Return the lines that are not blank."""
    text = read_user_text(read_user_bytes(path), path.name)
    return [line for line in text.splitlines() if line.strip()]


def _parts(line: str) -> tuple[str | None, ...]:
    """Return patient, file, class, source, and why the line cannot be read."""
    words = line.split()
    files = [n for n, word in enumerate(words) if word.lower().endswith(_ENDINGS)]
    if not files:
        return None, None, None, None, "a line without the name of an image"
    patient, rest = " ".join(words[: files[-1]]), words[files[-1] + 1 :]
    name = words[files[-1]]
    if not patient:
        return None, name, None, None, "no patient"
    if len(rest) not in {1, 2}:
        problem = f"{len(rest)} words after the image, not a class and a source"
        return patient, name, None, None, problem
    return patient, name, rest[0], rest[1] if len(rest) == 2 else None, None


def _sources(parts: pd.DataFrame) -> pd.Series:
    """Return the sources; one that is left out is the only one of the same patient."""
    sources = source_name(parts["source"])
    of_patient = sources.groupby(parts["patient"])
    only = of_patient.min().where(of_patient.min() == of_patient.max())
    filled = sources.fillna(parts["patient"].map(only))
    if sources.isna().any():
        logger.info(
            "covidx: %d of %d lines name no source; %d of them have that of the same "
            "patient's other lines, %d are taken for one source, %r",
            sources.isna().sum(),
            len(sources),
            (sources.isna() & filled.notna()).sum(),
            filled.isna().sum(),
            _SOURCE,
        )
    return filled.fillna(_SOURCE)
