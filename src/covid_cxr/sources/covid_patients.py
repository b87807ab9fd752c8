"""Whose radiograph it is, across the collections that make up a COVID-19 cohort."""

import logging
from collections.abc import Sequence
from pathlib import PurePosixPath

import pandas as pd

from covid_cxr.cohorts.radiograph_table import admit, complete, contradicting
from covid_cxr.patients.pseudonyms import pseudonymise
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import unmatched_names
from covid_cxr.sources.nih import patient_of_image
from covid_cxr.sources.rsna_mapping import NO_NIH_IMAGE, match_nih

logger = logging.getLogger(__name__)


def admit_identified(
    cohort: str,
    listing: pd.DataFrame,
    images: RadiographFolder,
    *,
    labels: Sequence[str],
    rsna_mapping: str | None,
    salt: str | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of a listing, and the table of the rejected.

    Rows that give one image, or one file, different labels are all rejected.

    Raises:
        ValueError: As `admit`.
    """
    whole = complete(listing)
    located = whole.assign(file=whole["name"].map(images.find))
    identified = identify_patients(located, rsna_mapping=rsna_mapping, salt=salt)
    return admit(cohort, contradicting(identified, labels), images)


def identify_patients(
    listing: pd.DataFrame, *, rsna_mapping: str | None, salt: str | None
) -> pd.DataFrame:
    """Return a listing with `patient_id`, `nih_image`, `is_doubtful_match`.

    Patients are "<source>:<patient>", so that the ids of two sources cannot meet. Rows
    of the sources "nih" and "rsna" carry the NIH patient, as in those cohorts: their
    ids are public, and no salt is put to them, or a leak could not be seen.

    Args:
        listing: With `patient` and `source`; for the source "rsna", `patient` is the
            Kaggle id of the image.
        rsna_mapping: As for `rsna_mapping.match_nih`.
        salt: If given, the other sources' ids become pseudonyms.
    """
    is_rsna, is_nih = listing["source"] == "rsna", listing["source"] == "nih"
    matches = match_nih(listing["patient"].where(is_rsna), rsna_mapping)
    if is_rsna.any():
        logger.info(
            "covid: %d of %d images of RSNA mapped to an NIH image, %d of them "
            "doubtful%s",
            matches["nih_patient"].notna().sum(),
            is_rsna.sum(),
            matches["is_doubtful_match"].sum(),
            ""
            if rsna_mapping is not None
            else "; without rsna_mapping each image is taken for a patient of its own",
        )
    own_ids = listing["patient"]
    if salt is not None:
        own_ids = own_ids.where(is_rsna, pseudonymise(own_ids, salt=salt))
    nih_names = _file_names(listing["name"]).where(is_nih)
    return listing.assign(
        patient_id=(listing["source"] + ":" + own_ids)
        .mask(is_nih, patient_of_image(nih_names).fillna(_nih_patients(listing)))
        .mask(matches["nih_patient"].notna(), matches["nih_patient"]),
        nih_image=matches["nih_image"].fillna(
            nih_names.where(patient_of_image(nih_names).notna())
        ),
        is_doubtful_match=matches["is_doubtful_match"],
    ).drop(columns="patient")


def unmapped_rsna_images(
    listed: pd.DataFrame, rsna_mapping: str | None
) -> list[pd.DataFrame]:
    """Return the images of RSNA that the mapping does not know; none without one.

    Args:
        listed: With `image_id`, `source` and `nih_image`.
        rsna_mapping: As for `identify_patients`.
    """
    if rsna_mapping is None:
        return []
    of_rsna = listed[listed["source"] == "rsna"]
    return [
        unmatched_names(
            of_rsna.loc[of_rsna["nih_image"].isna(), "image_id"],
            of="images of the source rsna",
            n_names=len(of_rsna),
            reason=NO_NIH_IMAGE,
        )
    ]


def _nih_patients(listing: pd.DataFrame) -> pd.Series:
    """Return "nih:13" for a stated patient such as "00000013"."""
    return "nih:" + listing["patient"].str.replace(r"^0+(?=\d)", "", regex=True)


def _file_names(names: pd.Series) -> pd.Series:
    return names.map(lambda name: PurePosixPath(name).name).astype("str")
