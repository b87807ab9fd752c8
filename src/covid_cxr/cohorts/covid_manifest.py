"""The layout `manifest` of a COVID-19 cohort: `rt_pcr` in place of a column per label.

The other columns are those of the source `manifest` (`sources/manifest.py`).
"""

import pandas as pd

from covid_cxr.cohorts.manifest_listing import read_listing
from covid_cxr.cohorts.radiograph_table import COVID19, require_columns
from covid_cxr.radiographs.admission import ADMIT

SOURCE = "covid"  # of images for which none is named


def read_manifest(
    manifest: pd.DataFrame, *, view_not_understood: str = ADMIT
) -> pd.DataFrame:
    """Return the listing of a manifest (see `sources/covid.py`).

    Args:
        manifest: All columns read as text.
        view_not_understood: As in `CovidIngestion`.

    Raises:
        ValueError: If columns are missing.
    """
    table = "covid_manifest (manifest.csv)"
    listing = _read(manifest, view_not_understood, table)
    return listing.assign(source=listing["source"].fillna(SOURCE))


def read_additions(
    additions: pd.DataFrame, *, view_not_understood: str, cohort: str = "covid"
) -> pd.DataFrame:
    """Return the listing of a manifest that adds radiographs, and names its sources.

    Args:
        additions: All columns read as text.
        view_not_understood: As in `CovidIngestion`.
        cohort: To what, for messages.

    Raises:
        ValueError: If columns are missing.
    """
    table = f"{cohort}_additions (additions.csv)"
    require_columns(additions, ("source",), table=table)
    listing = _read(additions, view_not_understood, table)
    no_source = listing["reason"].isna() & listing["source"].isna()
    return listing.assign(reason=listing["reason"].mask(no_source, "no source"))


def _read(rows: pd.DataFrame, view_not_understood: str, table: str) -> pd.DataFrame:
    listing = read_listing(
        rows,
        labels={"rt_pcr": COVID19},
        view_not_understood=view_not_understood,
        words={"rt_pcr": "RT-PCR result"},
        table=table,
    )
    return listing.assign(**{COVID19: listing[COVID19].fillna(value=False)})
