"""MIMIC-CXR-JPG 2: radiographs of an emergency department, labelled from reports.

Johnson et al. 2019, PhysioNet. Labels are of the study, made by the labeler of CheXpert
or NegBio; the view stands in a table, for a JPEG has no header. Sex and age are not
published with it.
"""

from dataclasses import dataclass

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    admit,
    first_reason,
    frontal_view,
    is_lateral,
    is_view_not_stated,
    is_view_not_understood,
    nothing_known,
    require_columns,
    stated,
)
from covid_cxr.cohorts.vocabulary import findings_of, refuse_absent
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_rejected, names_without_file
from covid_cxr.sources.observations import (
    ObservationIngestion,
    observation_columns,
    read_observations,
)
from covid_cxr.sources.published_counts import MIMIC_CXR_JPG, log_differences

SOURCE = "mimic_cxr_jpg"
CHEXPERT, NEGBIO = "chexpert", "negbio"
_PATIENTS = "mimic-cxr"
_CODED_VIEW = "ViewCodeSequence_CodeMeaning"
_PARTS = {"train": "train_val", "validate": "train_val", "test": "test"}
_NO_LABELS = "its study has no row in the table of labels"
_NO_PART = "without a row in the table of splits"


@dataclass(frozen=True, kw_only=True)
class MimicIngestion(ObservationIngestion):
    """How the observations of two labelers become labels.

    Attributes:
        labels: Whose labels are taken: "chexpert" or "negbio".
    """

    labels: str = CHEXPERT

    def __post_init__(self) -> None:
        """Refuse words and findings that do not exist."""
        super().__post_init__()
        self._check_word("labels", (CHEXPERT, NEGBIO))


def list_mimic_cxr_jpg(  # noqa: PLR0913 - four of the publisher's tables
    *,
    metadata: pd.DataFrame,
    split: pd.DataFrame,
    chexpert: pd.DataFrame | None,
    negbio: pd.DataFrame | None,
    images: RadiographFolder,
    findings: list[str],
    ingestion: MimicIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of MIMIC-CXR-JPG, and the rejected rows.

    Adds `study` and `official_part`: "test", or "train_val" for what the publisher
    calls train and validate. Patients are "mimic-cxr:<subject_id>".

    Args:
        metadata: mimic-cxr-2.0.0-metadata.csv, as text.
        split: mimic-cxr-2.0.0-split.csv.
        chexpert: mimic-cxr-2.0.0-chexpert.csv; None if it is absent.
        negbio: mimic-cxr-2.0.0-negbio.csv; None if it is absent.
        images: The folder of the JPEG files.
        findings: Labels of the study; a row that is silent on all of them is rejected.
        ingestion: Whose labels, and what uncertain and blank ones become.

    Raises:
        ValueError: If columns are missing, the table of labels that is asked for is
            absent, or it has no such finding.
    """
    refuse_absent(findings, SOURCE)
    labels = {CHEXPERT: chexpert, NEGBIO: negbio}[ingestion.labels]
    if labels is None:
        raise ValueError(
            f"The labels of {ingestion.labels} are asked for, but "
            f"mimic-cxr-2.0.0-{ingestion.labels}.csv.gz is absent. Put it beside the "
            f"other tables, or correct <cohort>_ingestion.labels."
        )
    ids = ("subject_id", "study_id")
    for table, name, columns in (
        (metadata, "metadata", ("dicom_id", *ids, "ViewPosition", "StudyDate")),
        (split, "split", ("dicom_id", "subject_id", "split")),
        (labels, ingestion.labels, (*ids, *observation_columns(SOURCE))),
    ):
        require_columns(table, columns, table=f"mimic-cxr-2.0.0-{name}.csv")
    listing = _listing(
        metadata, _parts(split), _studies(labels, findings=findings, as_told=ingestion)
    )
    if not images.is_synthetic:
        log_differences(SOURCE, _counts(listing), MIMIC_CXR_JPG)
    return admit(SOURCE, listing, images)


def list_unmatched_mimic_cxr_jpg(
    listed: pd.DataFrame, rejected: pd.DataFrame
) -> pd.DataFrame:
    """Return the names without a file, labels or a part, as `unmatched_names`."""
    without_row = [
        names_rejected(
            rejected,
            reason,
            of="the metadata",
            n_matched=len(listed),
            reason=f"have no row in the table of {table}",
        )
        for reason, table in ((_NO_LABELS, "labels"), (_NO_PART, "splits"))
    ]
    without_file = names_without_file(listed, of="the metadata")
    return pd.concat([without_file, *without_row], ignore_index=True)


def _parts(split: pd.DataFrame) -> pd.DataFrame:
    """Return `part, patient` by image; of images in several parts the part is ""."""
    rows = pd.DataFrame(
        {
            "image": stated(split["dicom_id"]),
            "part": stated(split["split"]).str.lower(),
            "patient": _ids(split["subject_id"]),
        }
    ).dropna(subset="image")
    is_mixed = rows.groupby("image")["part"].transform("nunique") > 1
    return (
        rows.assign(part=rows["part"].mask(is_mixed, ""))
        .drop_duplicates("image")
        .set_index("image")
    )


def _studies(
    labels: pd.DataFrame, *, findings: list[str], as_told: MimicIngestion
) -> pd.DataFrame:
    """Return findings, `patient` and `problem` by study."""
    observed, problem = read_observations(labels, SOURCE, as_told)
    studies = _ids(labels["study_id"])
    repeated = first_reason(
        labels, {"its study has several rows of labels": studies.duplicated(keep=False)}
    )
    return (
        observed.assign(
            patient=_ids(labels["subject_id"]),
            problem=repeated.fillna(problem).fillna(nothing_known(observed, findings)),
            study=studies,
        )
        .dropna(subset="study")
        .drop_duplicates("study")
        .set_index("study")
    )


def _listing(
    metadata: pd.DataFrame, parts: pd.DataFrame, studies: pd.DataFrame
) -> pd.DataFrame:
    names, patients = stated(metadata["dicom_id"]), _ids(metadata["subject_id"])
    study = _ids(metadata["study_id"])
    of_image = parts.reindex(names).set_axis(metadata.index)
    of_study = studies.reindex(study).set_axis(metadata.index)
    view = _views(metadata)
    part = of_image["part"].map(_PARTS)
    reasons = {
        "no dicom_id": names.isna(),
        "no patient": patients.isna(),
        _NO_LABELS: ~study.isin(studies.index),
        _NO_PART: ~names.isin(parts.index),
        "its part is not train, validate or test": part.isna(),
        "its patient differs between the tables": (of_image["patient"] != patients)
        | (of_study["patient"] != patients),
        "lateral view": is_lateral(view),
        "view not stated": is_view_not_stated(view),
        "view not understood": is_view_not_understood(view),
    }
    return pd.DataFrame(
        {
            "image_id": names,
            "name": names + ".jpg",
            "patient_id": f"{_PATIENTS}:" + patients,
            "view": frontal_view(view),
            "source": _PATIENTS,
            "site": "Beth Israel Deaconess Medical Center",
            "study_date": stated(metadata["StudyDate"]),
            **of_study[[*findings_of(SOURCE)]].astype("boolean"),
            "study": study,
            "official_part": part.astype("str"),
            "reason": first_reason(metadata, reasons).fillna(of_study["problem"]),
        }
    )


def _views(metadata: pd.DataFrame) -> pd.Series:
    """Return the view as stated, else the coded one, which is there more often."""
    position = metadata["ViewPosition"]
    coded = metadata.reindex(columns=[_CODED_VIEW])[_CODED_VIEW].astype("str")
    return position.astype("str").mask(is_view_not_stated(position), coded)


def _ids(values: pd.Series) -> pd.Series:
    """Return ids as text, without the ".0" of a column that once was a number."""
    return stated(values).str.replace(r"\.0+$", "", regex=True)


def _counts(listing: pd.DataFrame) -> dict[str, int]:
    """Return the counts that `published_counts.MIMIC_CXR_JPG` holds."""
    return {
        "images": len(listing),
        "studies": listing["study"].nunique(),
        "patients": listing["patient_id"].nunique(),
        "images of the test part": int((listing["official_part"] == "test").sum()),
    }
