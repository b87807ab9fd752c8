"""The layout `manifest`: one row per radiograph of anybody's own collection.

image       file name (unique in the folder) or path below it
patient     whose radiograph it is; any text
rt_pcr      positive | negative, in any spelling of `TEST_RESULTS`
site        where it was taken; may be blank, as may the rest
view        PA | AP | …
sex         M | F
age         years, also as in DICOM ("061Y")
source      the collection that the image comes from; "covid" where it is left out
study_date  any text

The last two columns may be missing. A template: docs/how-to/manifest-template.csv.
"""

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    COVID19,
    UNKNOWN,
    age_in_years,
    first_reason,
    frontal_view,
    is_lateral,
    is_view_not_understood,
    require_columns,
    result_of_test,
    sex,
    source_name,
    stated,
)
from covid_cxr.radiographs.admission import ADMIT

COLUMNS = ("image", "patient", "rt_pcr", "site", "view", "sex", "age")
SOURCE = "covid"


def read_manifest(
    manifest: pd.DataFrame, *, view_not_understood: str = ADMIT
) -> pd.DataFrame:
    """Return the listing of a manifest (see `covid.py`).

    Args:
        manifest: All columns read as text.
        view_not_understood: As in `CovidIngestion`.

    Raises:
        ValueError: If columns are missing.
    """
    require_columns(manifest, COLUMNS, table="covid_manifest (manifest.csv)")
    listing = _listing(manifest, view_not_understood)
    return listing.assign(source=listing["source"].fillna(SOURCE))


def read_additions(
    additions: pd.DataFrame, *, view_not_understood: str = ADMIT
) -> pd.DataFrame:
    """Return the listing of a manifest that adds radiographs to another layout's.

    Args:
        additions: As for `read_manifest`, with the column `source`.
        view_not_understood: As in `CovidIngestion`.

    Raises:
        ValueError: If columns are missing.
    """
    columns = (*COLUMNS, "source")
    require_columns(additions, columns, table="covid_additions (additions.csv)")
    listing = _listing(additions, view_not_understood)
    no_source = listing["reason"].isna() & listing["source"].isna()
    return listing.assign(reason=listing["reason"].mask(no_source, "no source"))


def _listing(manifest: pd.DataFrame, view_not_understood: str) -> pd.DataFrame:
    names, patients = stated(manifest["image"]), stated(manifest["patient"])
    results = result_of_test(manifest["rt_pcr"])
    reasons = {
        "no image name": names.isna(),
        "no patient": patients.isna(),
        "no RT-PCR result": stated(manifest["rt_pcr"]).isna(),
        "RT-PCR result not understood": results.isna(),
        "lateral view": is_lateral(manifest["view"]),
        "view not understood": is_view_not_understood(manifest["view"])
        & (view_not_understood != ADMIT),
    }
    # The optional columns, missing throughout if they are left out.
    optional = manifest.reindex(columns=["source", "study_date"])
    return pd.DataFrame(
        {
            "image_id": names.fillna("(none)"),
            "name": names.fillna("(none)"),
            "patient": patients,
            "source": source_name(optional["source"]),
            "view": frontal_view(manifest["view"]),
            "sex": sex(manifest["sex"]),
            "age_years": age_in_years(manifest["age"]),
            "site": stated(manifest["site"]).fillna(UNKNOWN),
            "study_date": stated(optional["study_date"]),
            COVID19: results.fillna(value=False),
            "reason": first_reason(manifest, reasons),
        }
    )
