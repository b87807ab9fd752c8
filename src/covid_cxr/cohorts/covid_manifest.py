"""The layout `manifest`: one row per radiograph of a hospital's own collection.

image    file name (unique in the folder) or path below it
patient  whose radiograph it is; any text
rt_pcr   positive | negative
site     where it was taken; may be blank, as may the rest
view     PA | AP | …
sex      M | F
age      years, also as in DICOM ("061Y")
"""

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    COVID19,
    UNKNOWN,
    age_in_years,
    first_reason,
    frontal_view,
    is_lateral,
    require_columns,
    sex,
    stated,
)

COLUMNS = ("image", "patient", "rt_pcr", "site", "view", "sex", "age")


def read_manifest(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the listing of a manifest (see `radiograph_table`).

    Args:
        manifest: All columns read as text.

    Raises:
        ValueError: If columns are missing.
    """
    require_columns(manifest, COLUMNS, table="covid_manifest (manifest.csv)")
    names, patients = stated(manifest["image"]), stated(manifest["patient"])
    results = stated(manifest["rt_pcr"]).str.lower()
    reasons = {
        "no image name": names.isna(),
        "no patient": patients.isna(),
        "no RT-PCR result": ~results.isin(["positive", "negative"]),
        "lateral view": is_lateral(manifest["view"]),
    }
    return pd.DataFrame(
        {
            "image_id": names.fillna("(none)"),
            "name": names.fillna("(none)"),
            "patient_id": "covid:" + patients,
            "view": frontal_view(manifest["view"]),
            "sex": sex(manifest["sex"]),
            "age_years": age_in_years(manifest["age"]),
            "site": stated(manifest["site"]).fillna(UNKNOWN),
            "study_date": None,
            COVID19: (results == "positive").astype("boolean"),
            "reason": first_reason(manifest, reasons),
        }
    )
