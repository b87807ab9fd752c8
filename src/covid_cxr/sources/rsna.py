"""RSNA Pneumonia Detection Challenge 2018, stage 2: 26,684 radiographs, read anew.

Its `patientId` is one id per image, and its images are images of ChestX-ray14: the
true patient is known only through the mapping to the NIH image.
"""

import logging
from dataclasses import dataclass

import pandas as pd

from covid_cxr.cohorts.dicom_headers import read_headers
from covid_cxr.cohorts.radiograph_table import (
    BOX,
    NIH_SITE,
    admit,
    first_reason,
    require_columns,
    stated,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import (
    NO_FILE,
    names_rejected,
    names_without_file,
    unmatched_names,
)
from covid_cxr.sources.listed import Ingestion
from covid_cxr.sources.published_counts import RSNA, log_differences
from covid_cxr.sources.rsna_mapping import NO_NIH_IMAGE, match_nih
from covid_cxr.user_numbers import PIXELS, line_of, numbers

logger = logging.getLogger(__name__)

NIH_PATIENT = "nih_patient"
PATIENT_IDENTITIES = (NIH_PATIENT, "kaggle_id")

_LABEL_COLUMNS = ("patientId", *BOX, "Target")
_CLASS_COLUMNS = ("patientId", "class")
_POSITIVE_CLASS = "Lung Opacity"
_NO_ID = "(none)"
_NO_LABEL = "in rsna_class_info, but without a row in rsna_labels"
_CLASSES = ("Normal", "No Lung Opacity / Not Normal", _POSITIVE_CLASS)


@dataclass(frozen=True, kw_only=True)
class RsnaIngestion(Ingestion):
    """How the RSNA tables are read, from parameters_ingestion.yml.

    Attributes:
        patient_identity: "nih_patient" (the true patient, through the mapping) or
            "kaggle_id" (one "patient" per image, as in the paper).
    """

    patient_identity: str

    def __post_init__(self) -> None:
        """Refuse an identity that does not exist, and what is no share."""
        super().__post_init__()
        self._check_word("patient_identity", PATIENT_IDENTITIES)


def list_rsna(
    labels: pd.DataFrame,
    class_info: pd.DataFrame,
    mapping: str | None,
    images: RadiographFolder,
    ingestion: RsnaIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the RSNA radiograph table, its boxes, and the rejected rows.

    `pneumonia` is the challenge's Target. Adds `rsna_class`, `nih_image` (missing
    where unmapped) and `is_doubtful_match` (the mapping is by image distance, and the
    distance is large). View, sex and age come from the DICOM headers of the files that
    are there. The boxes are `image_id, x, y, width, height` in pixels of the raw image.

    Args:
        labels: stage_2_train_labels.csv, one row per box.
        class_info: stage_2_detailed_class_info.csv.
        mapping: Text of the official JSON, or of a CSV (see `rsna_mapping`). None if
            the file is absent.
        images: The folder of the DICOM files.
        ingestion: Whose patient ids to use.

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
    matches = _match(rows["image_id"], mapping, ingestion)
    headers = read_headers(rows["name"], images)
    listing = rows.assign(
        source="rsna",
        site=NIH_SITE,
        **headers.assign(reason=rows["reason"].fillna(headers["reason"])),
        **matches,
    )
    radiographs, rejected = admit("rsna", listing, images)
    boxes = _boxes(labels, radiographs)
    if not images.is_synthetic:
        log_differences("rsna", _counts(radiographs, boxes), RSNA)
    return radiographs, boxes, rejected


def list_unmatched_rsna(
    listed: pd.DataFrame,
    boxes: pd.DataFrame,
    rejected: pd.DataFrame,
    ingestion: RsnaIngestion,
) -> pd.DataFrame:
    """Return names without a file, label, class or patient, as `unmatched_names`."""
    names, n_matched = listed["image_id"], len(listed)
    absent = names[listed["file"].isna()]
    of_absent = boxes.loc[boxes["image_id"].isin(absent), "image_id"]
    wants_patients = ingestion.patient_identity == NIH_PATIENT
    return pd.concat(
        [
            names_without_file(listed, of="rsna_labels"),
            unmatched_names(
                of_absent,
                of="the boxes of rsna_labels",
                n_names=len(boxes),
                reason=NO_FILE,
            ),
            unmatched_names(
                names[listed["rsna_class"].isna()],
                of="rsna_labels",
                n_names=n_matched,
                reason="have no row in rsna_class_info",
            ),
            names_rejected(
                rejected,
                _NO_LABEL,
                of="rsna_class_info",
                n_matched=n_matched,
                reason="have no row in rsna_labels",
            ),
            unmatched_names(
                names[listed["nih_image"].isna() & wants_patients],
                of="rsna_labels",
                n_names=n_matched,
                reason=NO_NIH_IMAGE,
            ),
        ],
        ignore_index=True,
    )


def _one_row_per_image(labels: pd.DataFrame, class_info: pd.DataFrame) -> pd.DataFrame:
    """Return `image_id, name, pneumonia, rsna_class, reason` for every image named."""
    label_ids, class_ids = _ids(labels), _ids(class_info)
    targets = pd.to_numeric(labels["Target"], errors="coerce")
    # An unread Target is skipped by min and max, so it is looked for in the rows.
    by_image = pd.DataFrame(
        {"target": targets, "is_read": targets.isin([0, 1])}
    ).groupby(label_ids)
    classes = stated(class_info["class"]).groupby(class_ids)
    images = pd.DataFrame(
        {
            "lowest": by_image["target"].min(),
            "highest": by_image["target"].max(),
            "is_read": by_image["is_read"].min(),
        }
    ).join(
        pd.DataFrame({"rsna_class": classes.first(), "n_classes": classes.nunique()}),
        how="outer",
    )
    in_order = pd.concat([label_ids, class_ids]).drop_duplicates()
    images = images.loc[in_order]
    image_ids = images.index.astype("str")
    return pd.DataFrame(
        {
            "image_id": image_ids,
            "name": image_ids + ".dcm",
            "pneumonia": (images["highest"] == 1).to_numpy(),
            "rsna_class": images["rsna_class"].to_numpy(),
            "reason": _reason(images).to_numpy(),
        }
    )


def _ids(rows: pd.DataFrame) -> pd.Series:
    return stated(rows["patientId"]).fillna(_NO_ID)


def _reason(images: pd.DataFrame) -> pd.Series:
    """Return why an image's labels and classes cannot be used; missing if they can."""
    has_class = images["rsna_class"].notna()
    is_opaque = images["rsna_class"] == _POSITIVE_CLASS
    return first_reason(
        images,
        {
            "no patientId": images.index.to_series() == _NO_ID,
            _NO_LABEL: images["is_read"].isna(),
            "Target is neither 0 nor 1": images["is_read"] == 0,
            "its rows in rsna_labels have different Targets": (
                images["lowest"] != images["highest"]
            ),
            "its rows in rsna_class_info have different classes": (
                images["n_classes"] > 1
            ),
            "its class is not one of the challenge's three": (
                has_class & ~images["rsna_class"].isin(_CLASSES)
            ),
            "rsna_labels and rsna_class_info contradict each other": (
                has_class & (is_opaque != (images["highest"] == 1))
            ),
        },
    )


def _match(
    image_ids: pd.Series, mapping: str | None, ingestion: RsnaIngestion
) -> dict[str, pd.Series]:
    """Return the columns `patient_id`, `nih_image`, `is_doubtful_match`."""
    own_id = "rsna:" + image_ids
    wants_patients = ingestion.patient_identity == NIH_PATIENT
    if mapping is None and wants_patients:
        raise ValueError(
            "The patients behind the RSNA images are asked for (patient_identity: "
            "nih_patient), but rsna_mapping is absent. Get "
            "pneumonia-challenge-dataset-mappings_2018.json from the RSNA's page of "
            "the challenge and put it beside stage_2_train_labels.csv; or set "
            "rsna_ingestion.patient_identity to kaggle_id, which takes each image for "
            "a patient of its own and lets patients be in two parts."
        )
    matches = match_nih(image_ids, mapping)
    nih_patient = matches["nih_patient"]
    logger.info(
        "rsna: %d of %d images mapped to an NIH image, %d of them doubtful; patients "
        "are taken from %s",
        nih_patient.notna().sum(),
        len(image_ids),
        matches["is_doubtful_match"].sum(),
        "the NIH image" if wants_patients else "the Kaggle id",
    )
    return {
        "patient_id": nih_patient.fillna(own_id) if wants_patients else own_id,
        "nih_image": matches["nih_image"],
        "is_doubtful_match": matches["is_doubtful_match"],
    }


def _boxes(labels: pd.DataFrame, radiographs: pd.DataFrame) -> pd.DataFrame:
    """Return `image_id, x, y, width, height` of the admitted positive images."""
    rows = numbers(labels, BOX, form=PIXELS).assign(image_id=_ids(labels))
    positive = radiographs.loc[radiographs["pneumonia"], "image_id"]
    asked = rows[rows["image_id"].isin(positive)]
    is_box = asked[["x", "y"]].ge(0).all(axis=1) & asked[["width", "height"]].gt(0).all(
        axis=1
    )
    is_left_out = labels.index.isin(asked.index[~is_box])
    if not is_box.all():
        logger.warning(
            "rsna: %d of %d boxes are left out, as that of %s (%s): x and y must be at "
            "least 0, width and height above 0",
            (~is_box).sum(),
            len(asked),
            asked.loc[~is_box, "image_id"].iloc[0],
            line_of(labels, int(is_left_out.argmax())),
        )
    kept: pd.DataFrame = asked.loc[is_box, ["image_id", *BOX]]
    return kept.reset_index(drop=True)


def _counts(radiographs: pd.DataFrame, boxes: pd.DataFrame) -> dict[str, int]:
    """Return the counts that `published_counts.RSNA` holds."""
    classes = radiographs["rsna_class"].value_counts()
    return {
        "images": len(radiographs),
        "pneumonia": int(radiographs["pneumonia"].sum()),
        "boxes": len(boxes),
        **{f"of class {name}": int(classes.get(name, 0)) for name in _CLASSES},
    }
