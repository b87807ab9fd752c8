"""A manifest's rows as a listing: anybody's own table of radiographs.

The columns are those of the source `manifest` (`sources/manifest.py`).
"""

from collections.abc import Mapping

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
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

COLUMNS = ("image", "patient", "site", "view", "sex", "age")


def read_listing(
    manifest: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    view_not_understood: str = ADMIT,
    words: Mapping[str, str] | None = None,
    table: str = "manifest.csv",
) -> pd.DataFrame:
    """Return the listing of a manifest (see `radiograph_table`), with `patient`.

    A row is rejected if a label is not understood, or none is stated.

    Args:
        manifest: All columns read as text.
        labels: Column to label.
        view_not_understood: As in `ManifestIngestion`.
        words: What to call a column in reasons, where that is not its name.
        table: What to call the table.

    Raises:
        ValueError: If columns are missing.
    """
    require_columns(manifest, (*COLUMNS[:2], *labels, *COLUMNS[2:]), table=table)
    names, patients = stated(manifest["image"]), stated(manifest["patient"])
    results = pd.DataFrame({c: result_of_test(manifest[c]) for c in labels})
    is_stated = pd.DataFrame({c: stated(manifest[c]).notna() for c in labels})
    called = {column: (words or {}).get(column, column) for column in labels}
    nothing = next(iter(called.values())) if len(called) == 1 else "label"
    reasons = {
        "no image name": names.isna(),
        "no patient": patients.isna(),
        f"no {nothing}": ~is_stated.any(axis=1),
        **{
            f"{called[c]} not understood": is_stated[c] & results[c].isna()
            for c in labels
        },
        "lateral view": is_lateral(manifest["view"]),
        "view not understood": is_view_not_understood(manifest["view"])
        & (view_not_understood != ADMIT),
    }
    # The optional columns, missing throughout if they are left out.
    optional = manifest.reindex(columns=["source", "study_date"])
    return pd.DataFrame(
        {
            "image_id": names,
            "patient": patients,
            "source": source_name(optional["source"]),
            "view": frontal_view(manifest["view"]),
            "sex": sex(manifest["sex"]),
            "age_years": age_in_years(manifest["age"]),
            "site": stated(manifest["site"]),
            "study_date": stated(optional["study_date"]),
            **{label: results[column] for column, label in labels.items()},
            "reason": first_reason(manifest, reasons),
        }
    )
