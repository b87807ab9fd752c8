"""COVID-19 cohorts: one manifest per layout, the same radiograph table."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from covid_cxr.cohorts.covid_chestxray_dataset import read_covid_chestxray_dataset
from covid_cxr.cohorts.covid_manifest import read_manifest
from covid_cxr.cohorts.radiograph_table import COVID19, admit
from covid_cxr.radiographs.folder import RadiographFolder

LAYOUTS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "manifest": read_manifest,
    "covid_chestxray_dataset": read_covid_chestxray_dataset,
}


@dataclass(frozen=True, kw_only=True)
class CovidIngestion:
    """How the manifest is read, from parameters_ingestion.yml.

    Attributes:
        layout: "manifest" (`covid_manifest.py`) or "covid_chestxray_dataset" (the
            public collection's metadata.csv).
    """

    layout: str

    def __post_init__(self) -> None:
        """Refuse a layout that does not exist."""
        if self.layout not in LAYOUTS:
            raise ValueError(
                f"covid_ingestion.layout must be one of {', '.join(LAYOUTS)}, got "
                f"{self.layout!r}; correct it in parameters_ingestion.yml."
            )


def list_covid(
    manifest: pd.DataFrame, images: RadiographFolder, covid_ingestion: CovidIngestion
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the COVID-19 radiograph table, and the rejected rows.

    Patients are "covid:<id in the manifest>". A patient may have radiographs of both
    labels. Rows that give one image different labels are all rejected.

    Args:
        manifest: All columns read as text.
        images: The folder of the image files.
        covid_ingestion: The manifest's layout.

    Raises:
        ValueError: If columns are missing, or no row is usable.
    """
    listing = LAYOUTS[covid_ingestion.layout](manifest)
    usable = listing[listing["reason"].isna()]
    n_labels = usable.groupby("image_id")[COVID19].nunique()
    contradictory = listing["image_id"].isin(n_labels.index[n_labels > 1])
    reason = listing["reason"].mask(
        listing["reason"].isna() & contradictory, "listed with different labels"
    )
    return admit("covid", listing.assign(reason=reason), images)
