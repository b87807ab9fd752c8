"""How the synthetic hospital makes a cohort of each source: the table of writers.

A further source is one record in `WRITERS`, beside the one of its adapter.

All writers take the same: `radiographs`, from `admit_patients`; `synthesis`, size and
difficulty; `defects`, from `choose_defects`; and `cohort`, its name in the study.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

import covid_cxr.synthesis.raw_commons as commons
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
from covid_cxr.synthesis.raw_covidx import SITE_SHARES as COVIDX_SHARES
from covid_cxr.synthesis.raw_covidx import covidx_file, write_covidx
from covid_cxr.synthesis.raw_manifest import (
    manifest_file,
    write_manifest,
    write_masks,
)
from covid_cxr.synthesis.raw_nih import write_nih
from covid_cxr.synthesis.raw_observations import (
    chexpert_file,
    mimic_file,
    write_chexpert,
    write_mimic_cxr_jpg,
)
from covid_cxr.synthesis.raw_padchest import (
    padchest_file,
    write_padchest,
)
from covid_cxr.synthesis.raw_rsna import write_rsna
from covid_cxr.synthesis.raw_siim import (
    admit_siim,
    write_siim_pneumothorax,
)
from covid_cxr.synthesis.raw_tbx11k import (
    tbx11k_file,
    write_tbx11k,
)
from covid_cxr.synthesis.raw_vindr_cxr import vindr_file, write_vindr_cxr


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


# A finding of each label that several are called by.
_DRAWN_AS = {
    "lung_opacity": "consolidation",
    "lung_lesion": "nodule",
    "pleural_other": "pleural_thickening",
}


def _name(file: str) -> str:
    return PurePosixPath(file).name


def _stem(file: str) -> str:
    return PurePosixPath(file).stem


def _below_study(file: str) -> str:
    return file.partition("/")[2]


def _admit_nih(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    return admit_nih(synthesis).assign(cohort=cohort)


def _admit_rsna(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    return choose_rsna(admit_nih(synthesis), synthesis).assign(cohort=cohort)


def _admit_covid(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    admitted = _admit(
        cohort,
        synthesis,
        file_of="images/{patient}_{visit:02d}.dcm".format_map,
        findings=("covid19",),
        n_images=synthesis.covid_images,
        initial="c",
        positive_share=POSITIVE_SHARE,
        images_per_patient=IMAGES_PER_PATIENT,
    )
    result = np.where(admitted["is_positive"], "positive", "negative")
    return admitted.assign(rt_pcr=result)


def _admit(  # noqa: PLR0913 - all that differs between the sources
    cohort: str,
    synthesis: Synthesis,
    *,
    file_of: Callable[[dict[str, Any]], str],
    id_of: Callable[[str], str] = _name,
    findings: tuple[str, ...] = (),
    drawn_as: Mapping[str, str] = MappingProxyType({}),
    alike: Mapping[str, Any] = MappingProxyType({}),
    **clinic: Any,
) -> pd.DataFrame:
    """Return the patients of a clinic, with files as its source publishes them.

    Args:
        cohort: Its name in the study.
        synthesis: Size and difficulty.
        file_of: A row, with `visit` and `is_positive`, to the path of its file.
        id_of: That path to the id under which ingestion lists the image.
        findings: As of `Clinic`; none: what the study learns from the cohort.
        drawn_as: The finding that is drawn of a label that covers several.
        alike: Columns that are the same of all.
        clinic: Further fields of `Clinic`.
    """
    who = {"n_images": synthesis.images_of(cohort), "initial": f"{cohort}-", **clinic}
    asked = findings or current().labels_of(cohort)
    labels = tuple(dict.fromkeys(drawn_as.get(one, one) for one in asked))
    admitted = admit_clinic(Clinic(cohort=cohort, findings=labels, **who), synthesis)
    rows = admitted.assign(**alike).to_dict("records")
    files = [file_of({str(k): v for k, v in row.items()}) for row in rows]
    ids = [id_of(file) for file in files]
    return admitted.assign(**alike, file=files, image_id=ids)


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
        admit=partial(_admit, file_of=manifest_file),
        write=write_manifest,
        outputs=("images", "manifest"),
        write_masks=write_masks,
    ),
    "nlm_tuberculosis": Writer(
        admit=partial(
            _admit,
            file_of=nlm.file_of,
            id_of=_stem,
            findings=("tuberculosis",),
            alike={"view": "PA", "has_devices": False},
            initial="",
            positive_share=nlm.POSITIVE_SHARE,
            images_per_patient=1,
            site_shares=nlm.SITE_SHARES,
            mean_ages=(38, 38),
        ),
        write=nlm.write_nlm_tuberculosis,
        outputs=("images",),
        write_masks=write_masks,
    ),
    "chexpert": Writer(
        admit=partial(
            _admit,
            file_of=chexpert_file,
            drawn_as=_DRAWN_AS,
            id_of=str,
            initial="patient0",
        ),
        write=write_chexpert,
        outputs=("images", "train", "valid"),
    ),
    "mimic_cxr_jpg": Writer(
        admit=partial(
            _admit, file_of=mimic_file, drawn_as=_DRAWN_AS, id_of=_stem, initial="1000"
        ),
        write=write_mimic_cxr_jpg,
        outputs=("images", "metadata", "split", "chexpert", "negbio"),
    ),
    "padchest": Writer(
        admit=partial(
            _admit,
            file_of=padchest_file,
            drawn_as=_DRAWN_AS,
            initial="83986048869429233163798823568146",
        ),
        write=write_padchest,
        outputs=("images", "labels"),
    ),
    "vindr_cxr": Writer(
        admit=partial(
            _admit,
            file_of=vindr_file,
            drawn_as=_DRAWN_AS,
            id_of=_stem,
            alike={"view": "PA"},
            images_per_patient=1,
        ),
        write=write_vindr_cxr,
        outputs=(
            *("images", "train_labels", "test_labels"),
            *("train_annotations", "test_annotations"),
        ),
    ),
    "covidx": Writer(
        admit=partial(
            _admit,
            file_of=covidx_file,
            findings=("covid19",),
            initial="COVID ",
            site_shares=COVIDX_SHARES,
        ),
        write=write_covidx,
        outputs=("images",),
    ),
    "idc": Writer(
        admit=partial(
            _admit,
            file_of=commons.idc_file,
            id_of=str,
            findings=("covid19",),
            initial="419639-",
            site_shares=dict.fromkeys(commons.IDC_SITES, 1 / 3),
        ),
        write=commons.write_idc,
        outputs=("images", "additions"),
    ),
    "midrc": Writer(
        admit=partial(
            _admit,
            file_of=commons.midrc_file,
            id_of=_below_study,
            findings=("covid19",),
            initial="10000364-",
            site_shares=commons.MIDRC_SITES,
        ),
        write=commons.write_midrc,
        outputs=("images", "studies", "cases"),
    ),
    "siim_pneumothorax": Writer(
        admit=admit_siim,
        write=write_siim_pneumothorax,
        outputs=("images", "masks", "mapping"),
    ),
    "tbx11k": Writer(
        admit=partial(
            _admit,
            file_of=tbx11k_file,
            id_of=_stem,
            findings=("tuberculosis",),
            initial="",
            images_per_patient=1,
        ),
        write=write_tbx11k,
        outputs=(
            *("images", "train_list", "val_list"),
            *("train_boxes", "val_boxes"),
        ),
    ),
}
