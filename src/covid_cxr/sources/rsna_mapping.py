"""RSNA image to NIH image: the official mapping, or an approximation of it.

The images of the RSNA challenge are images of ChestX-ray14 under new names, one id per
image. The patient behind an image is known only through the image's NIH name.
"""

import json
import logging

import pandas as pd

from covid_cxr.cohorts.radiograph_table import require_columns
from covid_cxr.sources.nih import patient_of_image
from covid_cxr.user_csv import read_user_csv
from covid_cxr.user_numbers import numbers

logger = logging.getLogger(__name__)

# Squared grey-level distance to the matched image, above which a match is doubtful.
DOUBTFUL_MSE = 10.0
NO_NIH_IMAGE = "have no NIH image in rsna_mapping"
_CSV_COLUMNS = ("patientId", "nih_image")


def match_nih(kaggle_ids: pd.Series, mapping: str | None) -> pd.DataFrame:
    """Return `nih_image, nih_patient, is_doubtful_match` for each id, in its index.

    `nih_image` and `nih_patient` ("nih:7") are missing where the mapping does not
    know the id, or does not give the name of an NIH image. A match is doubtful if it
    was made by image distance and the distance is large.

    Args:
        kaggle_ids: `patientId` of the challenge, one per image; may be missing.
        mapping: Text of the official JSON, or of a CSV with the columns patientId,
            nih_image and, optionally, mse. None if the file is absent.

    Raises:
        ValueError: If the mapping cannot be read.
    """
    table = _read_mapping(mapping).reindex(kaggle_ids).set_axis(kaggle_ids.index)
    patients = patient_of_image(table["nih_image"])
    return pd.DataFrame(
        {
            "nih_image": table["nih_image"].where(patients.notna()),
            "nih_patient": patients,
            "is_doubtful_match": table["mse"] > DOUBTFUL_MSE,
        }
    )


def _read_mapping(text: str | None) -> pd.DataFrame:
    """Return `nih_image` and `mse` by Kaggle id, from the JSON or the CSV."""
    if text is None:
        table = pd.DataFrame({"patientId": [], "nih_image": []})
    elif text.lstrip().startswith("["):
        table = _read_official_mapping(text)
    else:
        table = read_user_csv(text.encode(), name="rsna_mapping (CSV)")
        require_columns(table, _CSV_COLUMNS, table="rsna_mapping (CSV)")
    mse = numbers(table, ["mse"])["mse"] if "mse" in table.columns else float("nan")
    columns = table[["patientId", "nih_image"]].astype("str").assign(mse=mse)
    n_images = columns.groupby("patientId")["nih_image"].nunique()
    ambiguous = n_images.index[n_images > 1]
    if len(ambiguous):
        logger.warning(
            "rsna_mapping gives %d RSNA images more than one NIH image, as for %s; the "
            "first is taken",
            len(ambiguous),
            ambiguous[0],
        )
    return columns.drop_duplicates("patientId").set_index("patientId")


def _read_official_mapping(text: str) -> pd.DataFrame:
    try:
        table = pd.DataFrame(json.loads(text))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"rsna_mapping looks like the official JSON but cannot be read ({error}); "
            f"download pneumonia-challenge-dataset-mappings_2018.json again."
        ) from error
    require_columns(table, ("subset_img_id", "img_id"), table="rsna_mapping (JSON)")
    names = {"subset_img_id": "patientId", "img_id": "nih_image"}
    return table[list(names)].rename(columns=names)
