"""The layout `covid_chestxray_dataset`: metadata.csv of the public collection.

Cohen et al. 2020, github.com/ieee8023/covid-chestxray-dataset. Two generations of its
table are in use: flat findings ("COVID-19, ARDS"), and later a hierarchy
("Pneumonia/Viral/COVID-19") with the column RT_PCR_positive. Labels are findings that
the publications state; a radiograph without finding is a negative one, also where the
same patient has COVID-19 on another day.
"""

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    COVID19,
    age_in_years,
    first_reason,
    frontal_view,
    is_lateral,
    is_view_not_stated,
    is_view_not_understood,
    require_columns,
    sex,
    stated,
)

COLUMNS = (
    "patientid",
    "sex",
    "age",
    "finding",
    "view",
    "modality",
    "date",
    "location",
    "filename",
)
_UNREAD = {"todo", "unknown"}


def read_covid_chestxray_dataset(metadata: pd.DataFrame) -> pd.DataFrame:
    """Return the listing of metadata.csv (see `covid.py`).

    Frontal X-rays with a stated finding are usable. `site` is the country, or
    whatever stands last in `location`; `study_date` is as published.

    Args:
        metadata: All columns read as text.

    Raises:
        ValueError: If columns are missing.
    """
    require_columns(metadata, COLUMNS, table="covid_manifest (metadata.csv)")
    names, patients = stated(metadata["filename"]), stated(metadata["patientid"])
    findings = stated(metadata["finding"])
    is_case = findings.str.contains("COVID-19", regex=False).fillna(value=False)
    view = frontal_view(metadata["view"])
    return pd.DataFrame(
        {
            "image_id": names,
            "patient": patients,
            "source": "covid-chestxray-dataset",
            "view": view,
            "sex": sex(metadata["sex"]),
            "age_years": age_in_years(metadata["age"]),
            "site": _country(metadata["location"]),
            "study_date": stated(metadata["date"]),
            COVID19: is_case.astype("boolean"),
            "reason": first_reason(
                metadata,
                {
                    "no image name": names.isna(),
                    "no patient": patients.isna(),
                    "not an X-ray": stated(metadata["modality"]) != "X-ray",
                    "lateral view": is_lateral(metadata["view"]),
                    "view not stated": is_view_not_stated(metadata["view"]),
                    "view not understood": is_view_not_understood(metadata["view"]),
                    "finding not stated": findings.isna()
                    | findings.str.lower().isin(_UNREAD),
                    "RT-PCR positive, but its finding is not COVID-19": (
                        _is_rt_pcr_positive(metadata) & ~is_case
                    ),
                },
            ),
        }
    )


def _country(locations: pd.Series) -> pd.Series:
    """Return what stands after the last comma; missing for none and for "?"."""
    last = stated(locations.astype("str").str.rsplit(",").str[-1])
    return last.mask(last == "?")


def _is_rt_pcr_positive(metadata: pd.DataFrame) -> pd.Series:
    """Return True where the later generation's column says so."""
    if "RT_PCR_positive" not in metadata.columns:
        return pd.Series(data=False, index=metadata.index)
    return stated(metadata["RT_PCR_positive"]).str.upper() == "Y"
