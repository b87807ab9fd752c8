"""RSNA Pneumonia Detection Challenge 2018, stage 2: 26,684 radiographs, read anew.

Its `patientId` is one id per image, and its images are images of ChestX-ray14: the
true patient is known only through the mapping to the NIH image.
"""

import json
import logging
import warnings
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd
import pydicom
from rich import get_console
from rich.progress import track

from covid_cxr.cohorts.nih import patient_of_image
from covid_cxr.cohorts.published_counts import RSNA, log_differences
from covid_cxr.cohorts.radiograph_table import (
    NIH_SITE,
    admit,
    age_in_years,
    first_reason,
    frontal_view,
    require_columns,
    sex,
)
from covid_cxr.radiographs.folder import RadiographFolder

logger = logging.getLogger(__name__)

PATIENT_IDENTITIES = ("nih_patient", "kaggle_id")
# Squared grey-level distance to the matched image, above which a match is doubtful.
DOUBTFUL_MSE = 10.0

_LABEL_COLUMNS = ("patientId", "Target")
_CLASS_COLUMNS = ("patientId", "class")
_MAPPING_COLUMNS = ("patientId", "nih_image")
_POSITIVE_CLASS = "Lung Opacity"
_HEADER = ("ViewPosition", "PatientSex", "PatientAge")
_MANY_FILES = 2_000


@dataclass(frozen=True, kw_only=True)
class RsnaIngestion:
    """How the RSNA tables are read, from parameters_ingestion.yml.

    Attributes:
        patient_identity: "nih_patient" (the true patient, through the mapping) or
            "kaggle_id" (one "patient" per image, as in the paper).
    """

    patient_identity: str

    def __post_init__(self) -> None:
        """Refuse an identity that does not exist."""
        if self.patient_identity not in PATIENT_IDENTITIES:
            raise ValueError(
                f"rsna_ingestion.patient_identity must be one of "
                f"{', '.join(PATIENT_IDENTITIES)}, got {self.patient_identity!r}; "
                f"correct it in parameters_ingestion.yml."
            )


def list_rsna(
    labels: pd.DataFrame,
    class_info: pd.DataFrame,
    mapping: str | None,
    images: RadiographFolder,
    rsna_ingestion: RsnaIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the RSNA radiograph table, and the rejected rows.

    `pneumonia` is the challenge's Target. Adds `nih_image` (missing where unmapped)
    and `is_doubtful_match` (the mapping is by image distance, and the distance is
    large). View, sex and age come from the DICOM headers of the files that are there.

    Args:
        labels: stage_2_train_labels.csv, one row per box.
        class_info: stage_2_detailed_class_info.csv.
        mapping: Text of the official JSON, or of a CSV with the columns patientId,
            nih_image and, optionally, mse. None if the file is absent.
        images: The folder of the DICOM files.
        rsna_ingestion: Whose patient ids to use.

    Raises:
        ValueError: If columns are missing, or the true patients are asked for
            without a mapping.
    """
    require_columns(
        labels, _LABEL_COLUMNS, table="rsna_labels (stage_2_train_labels.csv)"
    )
    require_columns(
        class_info,
        _CLASS_COLUMNS,
        table="rsna_class_info (stage_2_detailed_class_info.csv)",
    )
    rows = _one_row_per_image(labels, class_info)
    matches = _match(rows["image_id"], mapping, rsna_ingestion)
    headers = _read_headers(rows["name"], images)
    listing = rows.assign(site=NIH_SITE, study_date=None, **headers, **matches)
    radiographs, rejected = admit("rsna", listing, images)
    if not images.is_synthetic:
        n_positive = int(radiographs["pneumonia"].sum())
        counted = {"images": len(radiographs), "pneumonia": n_positive}
        log_differences("rsna", counted, RSNA)
    return radiographs, rejected


def _one_row_per_image(labels: pd.DataFrame, class_info: pd.DataFrame) -> pd.DataFrame:
    """Return `image_id, name, pneumonia, reason`: one row for the boxes of an image."""
    targets = pd.to_numeric(labels["Target"], errors="coerce")
    boxes = targets.groupby(labels["patientId"].astype("str"), sort=False)
    lowest, highest = boxes.min(), boxes.max()
    is_opaque = (class_info["class"] == _POSITIVE_CLASS).groupby(
        class_info["patientId"].astype("str")
    )
    by_class = is_opaque.max().reindex(lowest.index).astype("boolean")
    is_positive = highest == 1
    # NaN is skipped by min and max, so a missing Target is looked for in the rows.
    is_unread = ~targets.isin([0, 1]).groupby(labels["patientId"].astype("str")).min()
    reasons = {
        "Target is neither 0 nor 1": is_unread.reindex(lowest.index),
        "its rows in rsna_labels have different Targets": lowest != highest,
        "rsna_labels and rsna_class_info contradict each other": (
            (by_class != is_positive).fillna(value=False)
        ),
    }
    reason = first_reason(lowest.to_frame(), reasons)
    return pd.DataFrame(
        {
            "image_id": lowest.index.astype("str"),
            "name": lowest.index.astype("str") + ".dcm",
            "pneumonia": is_positive.to_numpy(),
            "reason": reason.to_numpy(),
        }
    )


def _match(
    image_ids: pd.Series, mapping: str | None, rsna_ingestion: RsnaIngestion
) -> dict[str, pd.Series]:
    """Return the columns `patient_id`, `nih_image`, `is_doubtful_match`."""
    own_id = "rsna:" + image_ids
    wants_patients = rsna_ingestion.patient_identity == "nih_patient"
    if mapping is None and wants_patients:
        raise ValueError(
            "The patients behind the RSNA images are asked for (patient_identity: "
            "nih_patient), but rsna_mapping is absent. Get "
            "pneumonia-challenge-dataset-mappings_2018.json from the RSNA's page of "
            "the challenge and put it beside stage_2_train_labels.csv; or set "
            "rsna_ingestion.patient_identity to kaggle_id, which takes each image for "
            "a patient of its own and lets patients be in two parts."
        )
    table = _read_mapping(mapping).reindex(image_ids)
    nih_image = table["nih_image"].set_axis(image_ids.index)
    is_doubtful = (table["mse"] > DOUBTFUL_MSE).set_axis(image_ids.index)
    nih_patient = patient_of_image(nih_image)
    logger.info(
        "rsna: %d of %d images mapped to an NIH image, %d of them doubtful; patients "
        "are taken from %s",
        nih_patient.notna().sum(),
        len(image_ids),
        is_doubtful.sum(),
        "the NIH image" if wants_patients else "the Kaggle id",
    )
    return {
        "patient_id": nih_patient.fillna(own_id) if wants_patients else own_id,
        "nih_image": nih_image.where(nih_patient.notna()),
        "is_doubtful_match": is_doubtful,
    }


def _read_mapping(text: str | None) -> pd.DataFrame:
    """Return `nih_image` and `mse` by Kaggle id, from the JSON or the CSV."""
    if text is None:
        table = pd.DataFrame({"patientId": [], "nih_image": []})
    elif text.lstrip().startswith("["):
        table = _read_official_mapping(text)
    else:
        table = pd.read_csv(StringIO(text))
        require_columns(table, _MAPPING_COLUMNS, table="rsna_mapping (CSV)")
    mse = pd.to_numeric(table["mse"]) if "mse" in table.columns else float("nan")
    columns = table[["patientId", "nih_image"]].astype("str").assign(mse=mse)
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


def _read_headers(names: pd.Series, images: RadiographFolder) -> dict[str, pd.Series]:
    """Return the columns `view`, `sex`, `age_years`; unknown where no file is."""
    files = [images.find(name) for name in names]
    with warnings.catch_warnings():
        # Odd values in a header are the curation's business, image by image.
        warnings.simplefilter("ignore")
        headers = [
            _read_header(images.root / file) if file else {}
            for file in track(
                files,
                description="Reading DICOM headers",
                console=get_console(),
                disable=len(images.files) <= _MANY_FILES,
            )
        ]
    table = pd.DataFrame(headers, columns=list(_HEADER), index=names.index, dtype="str")
    return {
        "view": frontal_view(table["ViewPosition"]),
        "sex": sex(table["PatientSex"]),
        "age_years": age_in_years(table["PatientAge"]),
    }


def _read_header(path: Path) -> dict[str, str]:
    try:
        header = pydicom.dcmread(
            path, stop_before_pixels=True, specific_tags=list(_HEADER)
        )
        return {name: str(header[name].value) for name in _HEADER if name in header}
    except Exception:  # whatever a damaged file raises: curation rejects it by name
        return {}
