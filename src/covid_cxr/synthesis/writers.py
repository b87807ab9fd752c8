"""How the synthetic hospital makes a cohort of each source: the table of writers.

A further source is one record in `WRITERS`, beside the one of its adapter. A source
without a writer has no synthetic cohorts.

All writers take the same: `radiographs`, from `admit_patients`; `synthesis`, size and
difficulty; `defects`, from `choose_defects`; and `cohort`, its name in the study.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

import covid_cxr.synthesis.raw_nlm as nlm
from covid_cxr.study.current import current
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.patients_clinic import (
    IMAGES_PER_PATIENT,
    POSITIVE_SHARE,
    Clinic,
    admit_clinic,
)
from covid_cxr.synthesis.patients_nih import admit_nih, choose_rsna
from covid_cxr.synthesis.raw_covid import write_covid, write_covid_masks
from covid_cxr.synthesis.raw_manifest import write_manifest, write_masks
from covid_cxr.synthesis.raw_nih import write_nih
from covid_cxr.synthesis.raw_rsna import write_rsna


@dataclass(frozen=True, kw_only=True)
class Writer:
    """How a cohort of one source is made.

    Attributes:
        admit: A cohort's name and the hospital's parameters to its radiographs, one row
            each, with the columns of `hospital.COLUMNS` that it has.
        write: Radiographs, parameters and defects to the raw files.
        outputs: What that returns: the datasets are `<cohort>_<name>`.
        write_masks: Likewise to masks of the lungs, if there are any.
    """

    admit: Callable[[str, Synthesis], pd.DataFrame]
    write: Callable[..., Any]
    outputs: tuple[str, ...]
    write_masks: Callable[..., Any] | None = None


def _admit_nih(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    return admit_nih(synthesis).assign(cohort=cohort)


def _admit_rsna(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    return choose_rsna(admit_nih(synthesis), synthesis).assign(cohort=cohort)


def _admit_covid(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    clinic = Clinic(
        cohort=cohort,
        findings=("covid19",),
        n_images=synthesis.covid_images,
        initial="c",
        positive_share=POSITIVE_SHARE,
        images_per_patient=IMAGES_PER_PATIENT,
    )
    admitted = admit_clinic(clinic, synthesis)
    result = np.where(admitted["is_positive"], "positive", "negative")
    return _filed(admitted.assign(rt_pcr=result), "images/{patient}_{visit:02d}.dcm")


def _admit_own(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    clinic = Clinic(
        cohort=cohort,
        findings=current().labels_of(cohort),
        n_images=synthesis.images_of(cohort),
        initial=f"{cohort}-",
    )
    admitted = admit_clinic(clinic, synthesis)
    kind = np.where(admitted["drawing_seed"] % 2, "png", "dcm")
    pattern = "images/{patient}_{visit:02d}.{kind}"
    return _filed(admitted.assign(kind=kind), pattern)


def _admit_nlm(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    clinic = Clinic(
        cohort=cohort,
        findings=("tuberculosis",),
        n_images=synthesis.images_of(cohort),
        initial="",
        positive_share=nlm.POSITIVE_SHARE,
        images_per_patient=1,
        site_shares=nlm.SITE_SHARES,
        mean_ages=(38, 38),
    )
    admitted = admit_clinic(clinic, synthesis).assign(view="PA", has_devices=False)
    columns = ("site", "patient", "is_positive")
    told = zip(*(admitted[column] for column in columns), strict=True)
    files = [nlm.file_of(site, int(n), is_positive=ill) for site, n, ill in told]
    ids = [PurePosixPath(file).stem for file in files]
    return admitted.assign(file=files, image_id=ids)


def _filed(admitted: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """Return `admitted` with the file of each radiograph, and its name as its id."""
    rows = admitted.to_dict("records")
    files = [pattern.format_map({str(k): v for k, v in row.items()}) for row in rows]
    names = [file.rpartition("/")[2] for file in files]
    return admitted.assign(file=files, image_id=names)


WRITERS: Mapping[str, Writer] = {
    "nih": Writer(
        admit=_admit_nih,
        write=write_nih,
        outputs=("images", "entries", "train_val_list", "test_list", "box_list"),
    ),
    "rsna": Writer(
        admit=_admit_rsna,
        write=write_rsna,
        outputs=("images", "labels", "class_info", "mapping"),
    ),
    "covid": Writer(
        admit=_admit_covid,
        write=write_covid,
        outputs=("images", "manifest", "crops"),
        write_masks=write_covid_masks,
    ),
    "manifest": Writer(
        admit=_admit_own,
        write=write_manifest,
        outputs=("images", "manifest"),
        write_masks=write_masks,
    ),
    "nlm_tuberculosis": Writer(
        admit=_admit_nlm,
        write=nlm.write_nlm_tuberculosis,
        outputs=("images",),
        write_masks=write_masks,
    ),
}
