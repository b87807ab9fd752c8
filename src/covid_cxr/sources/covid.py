"""COVID-19 cohorts: one module per layout, the same radiograph table.

A layout's module returns a *listing* (see `radiograph_table`) that has, in place of
`patient_id`, `patient`: the id as published, which `covid_patients` makes an identity
of. Two layouts are a table, `covid_manifest`; of the others, the tables lie among the
images.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from covid_cxr.cohorts.covid_manifest import read_additions, read_manifest
from covid_cxr.cohorts.label_by_source import warn_of_sources
from covid_cxr.cohorts.radiograph_table import COVID19
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.sources.bimcv import read_bimcv, unmatched_sessions
from covid_cxr.sources.covid_chestxray_dataset import read_covid_chestxray_dataset
from covid_cxr.sources.covid_patients import admit_identified, unmapped_rsna_images
from covid_cxr.sources.covidx import compare_covidx, read_covidx
from covid_cxr.sources.listed import LIST, names_by_list
from covid_cxr.sources.manifest import ManifestIngestion
from covid_cxr.sources.published_counts import COVID_LAYOUTS, log_differences
from covid_cxr.sources.ricord import read_ricord, unmatched_studies

logger = logging.getLogger(__name__)

MANIFEST = "manifest"
CHESTXRAY = "covid_chestxray_dataset"
TABLE_LAYOUTS = (MANIFEST, CHESTXRAY)
FOLDER_LAYOUTS: dict[str, Callable[[RadiographFolder], pd.DataFrame]] = {
    "covidx": read_covidx,
    "ricord": read_ricord,
    "bimcv": read_bimcv,
}
# What the tables among the images name, and the images of no table.
UNMATCHED: dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]] = {
    "ricord": unmatched_studies,
    "bimcv": unmatched_sessions,
}
LAYOUTS = (*TABLE_LAYOUTS, *FOLDER_LAYOUTS)


@dataclass(frozen=True, kw_only=True)
class CovidIngestion(ManifestIngestion):
    """How the cohort is listed, from parameters_ingestion.yml.

    Attributes:
        layout: "manifest" (`covid_manifest.py`), "covid_chestxray_dataset" (the public
            collection's metadata.csv), "covidx", "ricord" or "bimcv".
    """

    layout: str

    def __post_init__(self) -> None:
        """Refuse choices that do not exist, and a salt that can be guessed."""
        super().__post_init__()
        self._check_word("layout", LAYOUTS)


def list_covid(
    manifest: pd.DataFrame | None,
    additions: pd.DataFrame | None,
    rsna_mapping: str | None,
    images: RadiographFolder,
    ingestion: CovidIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the COVID-19 radiograph table, and the rejected rows.

    Patients are "<source>:<id>", those of NIH and RSNA images "nih:<id>"; `nih_image`
    and `is_doubtful_match` are as in the RSNA radiograph table. A patient may have
    radiographs of both labels. Rows that give one image different labels are all
    rejected. Warns if the source of an image determines its label.

    Args:
        manifest: All columns read as text; None for the layouts without one.
        additions: More rows, in the layout of a manifest with `source`; or None.
        rsna_mapping: As for `list_rsna`, for images whose source is RSNA; or None.
        images: The folder of the image files.
        ingestion: The layout.

    Raises:
        ValueError: If the layout's tables or their columns are missing, or no row is
            usable.
    """
    listing = _read(manifest, images, ingestion)
    if LIST not in listing:
        listing[LIST] = _list_of(ingestion.layout)
    if not images.is_synthetic:
        _compare(listing, ingestion.layout)
    if additions is not None:
        added = read_additions(
            additions, view_not_understood=ingestion.view_not_understood
        )
        added[LIST] = "covid_additions"
        listing = pd.concat([listing, added], ignore_index=True)
    radiographs, rejected = admit_identified(
        "covid",
        listing,
        images,
        labels=[COVID19],
        rsna_mapping=rsna_mapping,
        salt=ingestion.pseudonym_salt,
    )
    warn_of_sources("covid", radiographs, COVID19)
    return radiographs, rejected


def list_unmatched_covid(
    listed: pd.DataFrame,
    rejected: pd.DataFrame,
    rsna_mapping: str | None,
    ingestion: CovidIngestion,
) -> pd.DataFrame:
    """Return the names of each list that find nothing, as `unmatched_names`."""
    tables = names_by_list(listed)
    layout = ingestion.layout
    if layout in UNMATCHED:
        of_layout = listed[listed[LIST] == _list_of(layout)]
        tables.append(UNMATCHED[layout](of_layout, rejected))
    tables += unmapped_rsna_images(listed, rsna_mapping)
    return pd.concat(tables, ignore_index=True)


def _read(
    manifest: pd.DataFrame | None,
    images: RadiographFolder,
    ingestion: CovidIngestion,
) -> pd.DataFrame:
    """Return the layout's listing."""
    layout = ingestion.layout
    if layout in FOLDER_LAYOUTS:
        return FOLDER_LAYOUTS[layout](images)
    if manifest is None:
        raise ValueError(
            f"covid_ingestion.layout is {layout}, but covid_manifest is absent; write "
            f"manifest.csv as in docs/how-to/own-data.md, or choose a layout whose "
            f"tables lie among the images: {', '.join(FOLDER_LAYOUTS)}."
        )
    if layout == CHESTXRAY:
        return read_covid_chestxray_dataset(manifest)
    return read_manifest(manifest, view_not_understood=ingestion.view_not_understood)


def _list_of(layout: str) -> str:
    """Return what names the layout's images: a dataset, or their own folder."""
    return "covid_manifest" if layout in TABLE_LAYOUTS else "covid_images"


def _compare(listing: pd.DataFrame, layout: str) -> None:
    """Log how the usable rows differ from the published counts of the layout."""
    if layout == "covidx":
        compare_covidx(listing)
        return
    usable = listing[listing["reason"].isna()]
    positive = usable[usable[COVID19]]
    studies = usable["image_id"].str.extract(r"^([^/]+/[^/]+)/", expand=False)
    counted = {
        "rows": len(usable),
        "patients": usable["patient"].nunique(),
        "studies": studies.nunique(),
        "positive rows": len(positive),
        "positive patients": positive["patient"].nunique(),
    }
    log_differences(layout, counted, COVID_LAYOUTS[layout])
