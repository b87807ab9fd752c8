"""Collections of COVID-19 in the Imaging Data Commons, as `idc-index` lays them out.

Fedorov et al., RadioGraphics 43 (2023) e230180; open, without a login:

    <collection_id>/<PatientID>/<StudyInstanceUID>/<Modality>_<SeriesInstanceUID>/*.dcm

Also folders of The Cancer Imaging Archive, which begin with the collection's name, and
flat ones. Whose image it is, when it was taken, view, sex and age are the header's.

**All are of patients with COVID-19**: alone, they are no training set. A manifest of
negatives, `additions.csv`, may lie beside them; the source then gives the label away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from covid_cxr.cohorts.covid_manifest import read_additions
from covid_cxr.cohorts.dicom_headers import (
    RADIOGRAPHY,
    is_other_modality,
    read_headers,
)
from covid_cxr.cohorts.label_by_source import warn_of_sources
from covid_cxr.cohorts.radiograph_table import COVID19, first_reason
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.sources.covid_patients import admit_identified
from covid_cxr.sources.listed import LIST, PLACE, names_by_list
from covid_cxr.sources.manifest import ManifestIngestion
from covid_cxr.sources.published_counts import IDC, log_differences


@dataclass(frozen=True, kw_only=True)
class _Collection:
    """One of the commons.

    Attributes:
        source: In the radiograph table; RICORD's is that of the layout `ricord`.
        site: Where the radiographs were taken; "" where the patient's id says it.
        prefix: What every PatientID begins with.
    """

    source: str
    site: str = ""
    prefix: str = ""


COLLECTIONS: Mapping[str, _Collection] = {
    "covid_19_ny_sbu": _Collection(
        source="covid-19-ny-sbu", site="Stony Brook University"
    ),
    "midrc_ricord_1c": _Collection(source="ricord", prefix="MIDRC-RICORD-1C-"),
    "covid_19_ar": _Collection(
        source="covid-19-ar",
        site="University of Arkansas for Medical Sciences",
        prefix="COVID-19-AR-",
    ),
}
_ALSO = ("PatientID", "StudyDate", "Modality")
_LAID_OUT = (
    r"(?:^|/)(?P<patient>[^/]+)/(?P<study>\d[\d.]+)"
    r"/(?P<modality>[A-Z]+)_(?P<series>\d[\d.]+)/[^/]+$"
)


@dataclass(frozen=True, kw_only=True)
class IdcIngestion(ManifestIngestion):
    """How the collections are listed; what a manifest takes is of the additions.

    Attributes:
        collections: Which of `COLLECTIONS`; None: all that are in the folder. Where it
            is one, files in folders that name none are taken for its own.
    """

    collections: list[str] | None = None

    def __post_init__(self) -> None:
        """Refuse choices that do not exist, and a salt that can be guessed."""
        super().__post_init__()
        asked = self.collections
        if asked is not None and not (
            isinstance(asked, list) and asked and set(asked) <= set(COLLECTIONS)
        ):
            raise ValueError(
                f"collections must be null or a list of {', '.join(COLLECTIONS)}, got "
                f"{asked!r}; correct it in {PLACE}."
            )


def list_idc(
    additions: pd.DataFrame | None,
    rsna_mapping: str | None,
    images: RadiographFolder,
    ingestion: IdcIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of the collections, and the rejected files.

    Patients are "<source>:<id>"; those of RICORD are the same as in the layout
    `ricord`. Files of other modalities, as CT, are no radiographs: they are counted in
    the log. Warns that the source of an image determines its label.

    Args:
        additions: A manifest of RT-PCR results with `source` (`covid.py`); or None.
        rsna_mapping: As for `list_covid`.
        images: The folder of the collections.
        ingestion: Which collections.

    Raises:
        ValueError: If there is no radiograph of a collection that is asked for.
    """
    added, taken = None, set[str]()
    if additions is not None:
        added = read_additions(
            additions,
            view_not_understood=ingestion.view_not_understood,
            cohort="<cohort>",
        )
        taken = set(added["image_id"].dropna().map(images.find).dropna())
    listing = _read(images, taken, ingestion)
    _refuse_absent(listing, ingestion.collections)
    if not images.is_synthetic:
        _compare(listing)
    listing[LIST] = "the folder of the collections"
    if added is not None:
        added[LIST] = "additions.csv"
    listing = pd.concat([listing, added], ignore_index=True)
    radiographs, rejected = admit_identified(
        "idc",
        listing,
        images,
        labels=[COVID19],
        rsna_mapping=rsna_mapping,
        salt=ingestion.pseudonym_salt,
    )
    warn_of_sources("idc", radiographs, COVID19)
    return radiographs, rejected


def list_unmatched_idc(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the additions without a file, as `unmatched_names`."""
    return pd.concat(names_by_list(listed), ignore_index=True)


def _read(
    images: RadiographFolder, taken: set[str], ingestion: IdcIngestion
) -> pd.DataFrame:
    """Return the listing of the collections' files, with `patient`."""
    files = pd.Series([f for f in images.files if f not in taken], dtype="str")
    path = files.str.extract(_LAID_OUT)
    # Of thousands of slices, the folder tells without a look into each.
    is_slice = path["modality"].notna() & ~path["modality"].isin(RADIOGRAPHY)
    headers = read_headers(files[~is_slice], images, also=_ALSO)
    headers.index = files.index[~is_slice]
    told = path["modality"].mask(~is_slice, headers["Modality"].reindex(files.index))
    is_other = is_other_modality("idc", told)
    listing = _listing(files, path, headers.reindex(files.index), ingestion)
    return listing[~is_other].reset_index(drop=True)


def _listing(
    files: pd.Series, path: pd.DataFrame, headers: pd.DataFrame, ingestion: IdcIngestion
) -> pd.DataFrame:
    """Return listing rows of all files, and refuse to list none of a collection."""
    of, own = _collections(files, headers["PatientID"], ingestion.collections)
    patients = headers["PatientID"].fillna(path["patient"])
    prefixes = of.map({name: one.prefix for name, one in COLLECTIONS.items()})
    short = pd.Series(
        map(_without_prefix, patients, prefixes), index=files.index, dtype="str"
    )
    sites = of.map({name: one.site for name, one in COLLECTIONS.items()})
    of_id = short.str.extract(r"^(\w+)-\d+$", expand=False)
    stated_folder = path["patient"].fillna(patients)
    return pd.DataFrame(
        {
            "image_id": own,
            "name": files,
            "patient": short,
            "source": of.map({name: one.source for name, one in COLLECTIONS.items()}),
            **headers[["view", "sex", "age_years"]],
            "site": sites.mask(sites == "", of_id),
            "study_date": headers["StudyDate"],
            COVID19: pd.array([True] * len(files), dtype="boolean"),
            "reason": first_reason(
                path,
                {
                    "no folder and no id tells which collection it is of": of.isna(),
                    "of a collection that is not asked for": ~of.isin(
                        ingestion.collections or list(COLLECTIONS)
                    ),
                    "no PatientID in the header or the folder": patients.isna(),
                    "PatientID contradicts its folder": patients != stated_folder,
                },
            ).fillna(headers["reason"]),
        }
    )


def _collections(
    files: pd.Series, patients: pd.Series, asked: list[str] | None
) -> tuple[pd.Series, pd.Series]:
    """Return each file's collection, or missing, and its path from there on.

    Args:
        files: Paths in the folder.
        patients: PatientID of the header.
        asked: As `IdcIngestion.collections`.
    """
    found: list[str | None] = []
    own: list[str] = []
    for file, patient in zip(files, patients, strict=True):
        parts = PurePosixPath(file).parts
        named = [part.lower().replace("-", "_") for part in parts[:-1]]
        place = next((n for n, name in enumerate(named) if name in COLLECTIONS), None)
        by_id = _collection_of_id(patient)
        only = asked[0] if asked is not None and len(asked) == 1 else None
        found.append(named[place] if place is not None else by_id or only)
        own.append("/".join(parts[place or 0 :]))
    return (
        pd.Series(found, index=files.index, dtype="str"),
        pd.Series(own, index=files.index, dtype="str"),
    )


def _collection_of_id(patient: object) -> str | None:
    for name, one in COLLECTIONS.items():
        if one.prefix and isinstance(patient, str) and patient.startswith(one.prefix):
            return name
    return None


def _without_prefix(patient: object, prefix: object) -> str | None:
    if not isinstance(patient, str):
        return None
    return patient.removeprefix(prefix) if isinstance(prefix, str) else patient


def _refuse_absent(listing: pd.DataFrame, asked: list[str] | None) -> None:
    """Refuse a folder that has nothing of what is asked for."""
    there = set(listing["source"].dropna())
    wanted = asked or list(COLLECTIONS)
    absent = [name for name in wanted if COLLECTIONS[name].source not in there]
    if absent and (asked is not None or not there):
        raise ValueError(
            f"There is no radiograph (CR, DX) of {', '.join(absent)} in the folder; "
            f"`idc download {absent[0]}` gets a collection, and its folder shall keep "
            f"the collection's name. Or correct collections in <cohort>_ingestion."
        )


def _compare(listing: pd.DataFrame) -> None:
    """Log how each collection that is there differs from what was published."""
    for name, one in COLLECTIONS.items():
        files = listing[listing["source"] == one.source]
        if len(files):
            counted = {"images": len(files), "patients": files["patient"].nunique()}
            log_differences(name, counted, IDC[name])
