"""In which formats cohorts come, one record each: the table of adapters.

A further format is one module, one record in `SOURCES` and, if its findings are fixed,
its words in `vocabulary.csv`. Its functions take what
they name as arguments: a raw table by its name here; `images`, the folder of the raw
files; `findings`, what the study learns from the cohort; `ingestion`, the parameters
`<cohort>_ingestion`; `rsna_mapping`, of the RSNA cohort; and, to list what finds
nothing, `listed`, `rejected` and `boxes`, as the first function returned them.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from covid_cxr.cohorts.radiograph_table import COVID19, FINDINGS, TUBERCULOSIS
from covid_cxr.cohorts.vocabulary import findings_of
from covid_cxr.radiographs.admission import ADMIT
from covid_cxr.sources.chexpert import list_chexpert, list_unmatched_chexpert
from covid_cxr.sources.covid import list_covid, list_unmatched_covid
from covid_cxr.sources.covidx import list_covidx, list_unmatched_covidx
from covid_cxr.sources.idc import list_idc, list_unmatched_idc
from covid_cxr.sources.manifest import list_manifest, list_unmatched_manifest
from covid_cxr.sources.midrc import list_midrc, list_unmatched_midrc
from covid_cxr.sources.mimic_cxr_jpg import (
    CHEXPERT,
    list_mimic_cxr_jpg,
    list_unmatched_mimic_cxr_jpg,
)
from covid_cxr.sources.nih import list_nih, list_unmatched_nih
from covid_cxr.sources.nih_adjudicated import read_adjudicated
from covid_cxr.sources.nlm_tuberculosis import (
    list_nlm_tuberculosis,
    list_unmatched_nlm_tuberculosis,
)
from covid_cxr.sources.observations import IGNORE, ZEROS
from covid_cxr.sources.padchest import ALL, list_padchest, list_unmatched_padchest
from covid_cxr.sources.rsna import list_rsna, list_unmatched_rsna
from covid_cxr.sources.siim_pneumothorax import (
    list_siim_pneumothorax,
    list_unmatched_siim_pneumothorax,
)
from covid_cxr.sources.tbx11k import list_tbx11k, list_unmatched_tbx11k
from covid_cxr.sources.vindr_cxr import list_unmatched_vindr_cxr, list_vindr_cxr

CSV, TEXT = "csv", "text"


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """A table that is published with the radiographs.

    Attributes:
        file: Its name as published, in the cohort's folder.
        kind: CSV, or TEXT that the adapter reads itself.
        is_optional: Whether it may be absent.
    """

    file: str
    kind: str = CSV
    is_optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Source:
    """A format in which radiographs and their labels are published.

    Attributes:
        title: In tables, as in "RSNA Pneumonia Challenge 2018".
        short: In figures, as in "RSNA".
        origin: As in a list of sources, with who published it; "" where a parameter
            says which layout it is.
        reference: What its labels are, after "pneumonia is"; "" likewise.
        licence: What may be done with the files, in a few words; "" likewise.
        url: Where its publisher describes it; "" likewise.
        tables: Raw tables by name; the datasets are `<cohort>_<name>`.
        findings: Labels that its cohorts can be asked for; None: any.
        has_official_parts: Whether its publisher says which images are the test list.
        has_patients: Whether it is known whose radiograph each is; if not, each image
            is a patient of its own.
        has_boxes: Whether readers have marked findings by boxes; `list_radiographs`
            then returns them second.
        ingestion: The parameters `<cohort>_ingestion`, with their defaults.
        list_radiographs: Raw tables and files to the radiograph table and the table of
            the rejected.
        list_unmatched: Names that find nothing, as `unmatched.unmatched_names`.
        list_adjudicated: Labels of some images on which readers have agreed, beside
            its own.
    """

    title: str
    short: str
    origin: str = ""
    reference: str = ""
    licence: str = ""
    url: str = ""
    tables: Mapping[str, RawTable]
    findings: tuple[str, ...] | None = None
    has_official_parts: bool = False
    has_patients: bool = True
    has_boxes: bool = False
    ingestion: Mapping[str, Any] = field(
        default_factory=lambda: {"max_unmatched_share": 0.25}
    )
    list_radiographs: Callable[..., Any]
    list_unmatched: Callable[..., Any]
    list_adjudicated: Callable[..., Any] | None = None


_OWN = {
    "pseudonym_salt": None,
    "view_not_understood": ADMIT,
    "max_unmatched_share": 0.25,
}

_OBSERVATIONS = {
    "uncertain": IGNORE,  # ones | zeros | ignore: what -1 becomes
    "uncertain_by_finding": {},  # the same for single findings: {edema: ones}
    "blank": ZEROS,  # zeros | ignore: what is not mentioned becomes
    "max_unmatched_share": 0.25,
}

SOURCES: Mapping[str, Source] = {
    "nih": Source(
        title="NIH ChestX-ray14",
        short="NIH",
        origin="NIH ChestX-ray14 (Wang et al. 2017)",
        reference="text-mined from radiology reports",
        licence="no restriction on use; attribution asked for (NIH Clinical Center)",
        url="https://nihcc.app.box.com/v/ChestXray-NIHCC",
        tables={
            "entries": RawTable(file="Data_Entry_2017_v2020.csv"),
            "train_val_list": RawTable(file="train_val_list.txt", kind=TEXT),
            "test_list": RawTable(file="test_list.txt", kind=TEXT),
            "box_list": RawTable(file="BBox_List_2017.csv", is_optional=True),
            "adjudicated_labels": RawTable(
                file="four_findings_expert_labels_test_labels.csv", is_optional=True
            ),
        },
        findings=FINDINGS,
        has_official_parts=True,
        has_boxes=True,
        list_adjudicated=read_adjudicated,
        list_radiographs=list_nih,
        list_unmatched=list_unmatched_nih,
    ),
    "rsna": Source(
        title="RSNA Pneumonia Challenge 2018",
        short="RSNA",
        origin="RSNA Pneumonia Detection Challenge 2018, a selection of ChestX-ray14",
        reference="what radiologists marked with a box",
        licence="the terms of the challenge (RSNA)",
        url="https://www.rsna.org/rsnai/ai-image-challenge/rsna-pneumonia-detection-challenge-2018",
        tables={
            "labels": RawTable(file="stage_2_train_labels.csv"),
            "class_info": RawTable(file="stage_2_detailed_class_info.csv"),
            # The official JSON, or a CSV with patientId, nih_image, mse.
            "mapping": RawTable(
                file="pneumonia-challenge-dataset-mappings_2018.json",
                kind=TEXT,
                is_optional=True,
            ),
        },
        findings=("pneumonia",),
        has_boxes=True,
        ingestion={"patient_identity": "nih_patient", "max_unmatched_share": 0.25},
        list_radiographs=list_rsna,
        list_unmatched=list_unmatched_rsna,
    ),
    "covid": Source(
        title="COVID-19",
        short="COVID-19",
        tables={
            # Absent for the layouts covidx, ricord and bimcv.
            "manifest": RawTable(file="manifest.csv", is_optional=True),
            # A manifest with the column source.
            "additions": RawTable(file="additions.csv", is_optional=True),
        },
        findings=(COVID19,),
        ingestion={"layout": "manifest", **_OWN},
        list_radiographs=list_covid,
        list_unmatched=list_unmatched_covid,
    ),
    "chexpert": Source(
        title="CheXpert",
        short="CheXpert",
        origin="CheXpert (Irvin et al. 2019)",
        reference="text-mined from radiology reports",
        licence="Stanford's research use agreement: not passed on, not commercial",
        url="https://stanfordmlgroup.github.io/competitions/chexpert/",
        tables={
            "train": RawTable(file="train.csv"),
            "valid": RawTable(file="valid.csv", is_optional=True),
        },
        findings=findings_of("chexpert"),
        has_official_parts=True,
        ingestion=_OBSERVATIONS,
        list_radiographs=list_chexpert,
        list_unmatched=list_unmatched_chexpert,
    ),
    "mimic_cxr_jpg": Source(
        title="MIMIC-CXR-JPG",
        short="MIMIC-CXR",
        origin="MIMIC-CXR-JPG (Johnson et al. 2019)",
        reference="text-mined from radiology reports",
        licence="PhysioNet Credentialed Health Data License",
        url="https://physionet.org/content/mimic-cxr-jpg/",
        tables={
            # As published, or unpacked.
            "metadata": RawTable(file="mimic-cxr-2.0.0-metadata.csv.gz"),
            "split": RawTable(file="mimic-cxr-2.0.0-split.csv.gz"),
            "chexpert": RawTable(
                file="mimic-cxr-2.0.0-chexpert.csv.gz", is_optional=True
            ),
            "negbio": RawTable(file="mimic-cxr-2.0.0-negbio.csv.gz", is_optional=True),
        },
        findings=findings_of("mimic_cxr_jpg"),
        has_official_parts=True,
        ingestion={"labels": CHEXPERT, **_OBSERVATIONS},  # or negbio
        list_radiographs=list_mimic_cxr_jpg,
        list_unmatched=list_unmatched_mimic_cxr_jpg,
    ),
    "padchest": Source(
        title="PadChest",
        short="PadChest",
        origin="PadChest (Bustos et al. 2020)",
        reference="taken from radiology reports, by physicians or a network",
        licence="BIMCV's terms of use",
        url="https://bimcv.cipf.es/bimcv-projects/padchest/",
        tables={
            "labels": RawTable(
                file="PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
            ),
        },
        findings=findings_of("padchest"),
        ingestion={"labelled_by": ALL, "max_unmatched_share": 0.25},  # or physician
        list_radiographs=list_padchest,
        list_unmatched=list_unmatched_padchest,
    ),
    "vindr_cxr": Source(
        title="VinDr-CXR",
        short="VinDr-CXR",
        origin="VinDr-CXR (Nguyen et al. 2022)",
        reference="what radiologists saw in the radiograph",
        licence="PhysioNet, credentialed access",
        url="https://physionet.org/content/vindr-cxr/",
        tables={
            "train_labels": RawTable(file="annotations/image_labels_train.csv"),
            "test_labels": RawTable(
                file="annotations/image_labels_test.csv", is_optional=True
            ),
            "train_annotations": RawTable(
                file="annotations/annotations_train.csv", is_optional=True
            ),
            "test_annotations": RawTable(
                file="annotations/annotations_test.csv", is_optional=True
            ),
        },
        findings=findings_of("vindr_cxr"),
        has_official_parts=True,
        has_patients=False,
        has_boxes=True,
        ingestion={"readers_needed": 2, "max_unmatched_share": 0.25},  # 1 to 3
        list_radiographs=list_vindr_cxr,
        list_unmatched=list_unmatched_vindr_cxr,
    ),
    "manifest": Source(
        title="Own cohort",
        short="own",
        origin="the group's own cohort, as its manifest lists it",
        reference="what the manifest states",
        licence="the group's own",
        tables={"manifest": RawTable(file="manifest.csv")},
        ingestion=_OWN,
        list_radiographs=list_manifest,
        list_unmatched=list_unmatched_manifest,
    ),
    "covidx": Source(
        title="COVIDx",
        short="COVIDx",
        origin="COVIDx, put together from other collections (Wang, Lin and Wong 2020; "
        "CXR-4: Wu et al. 2023)",
        reference="the class in the published label files",
        licence="that of each collection that it is put together from",
        tables={},
        ingestion={"pseudonym_salt": None, "max_unmatched_share": 0.25},
        findings=(COVID19,),
        list_radiographs=list_covidx,
        list_unmatched=list_unmatched_covidx,
    ),
    "idc": Source(
        title="Imaging Data Commons",
        short="IDC",
        origin="collections of COVID-19 in the Imaging Data Commons (NY-SBU, "
        "MIDRC-RICORD-1C, COVID-19-AR)",
        reference="that of its collection: every patient was found to have it",
        licence="CC BY 4.0; RICORD-1C CC BY-NC 4.0",
        url="https://imaging.datacommons.cancer.gov/",
        tables={
            # A manifest with the column source: all of the collections is positive.
            "additions": RawTable(file="additions.csv", is_optional=True),
        },
        ingestion={"collections": None, **_OWN},
        findings=(COVID19,),
        list_radiographs=list_idc,
        list_unmatched=list_unmatched_idc,
    ),
    "nlm_tuberculosis": Source(
        title="Shenzhen and Montgomery",
        short="NLM",
        origin="the Shenzhen and Montgomery sets of the US National Library of "
        "Medicine (Jaeger et al. 2014)",
        reference="manifest on the radiograph, by the publisher's label",
        licence="none stated; to be cited",
        tables={},
        findings=(TUBERCULOSIS,),
        list_radiographs=list_nlm_tuberculosis,
        list_unmatched=list_unmatched_nlm_tuberculosis,
    ),
    "midrc": Source(
        title="MIDRC",
        short="MIDRC",
        origin="the Medical Imaging and Data Resource Center (MIDRC)",
        reference="that of a test near the study, of either result",
        licence="MIDRC's data use agreement",
        url="https://www.midrc.org/",
        tables={
            "studies": RawTable(file="imaging_study.tsv"),
            "cases": RawTable(file="case.tsv", is_optional=True),
            "measurements": RawTable(file="measurement.tsv", is_optional=True),
        },
        ingestion={"max_days": 14, "max_unmatched_share": 0.25},
        findings=(COVID19,),
        list_radiographs=list_midrc,
        list_unmatched=list_unmatched_midrc,
    ),
    "siim_pneumothorax": Source(
        title="SIIM-ACR Pneumothorax Challenge 2019",
        short="SIIM",
        origin="SIIM-ACR Pneumothorax Segmentation Challenge 2019, a selection of "
        "ChestX-ray14 (Filice et al. 2020)",
        reference="what radiologists outlined",
        licence="the rules of the challenge (Kaggle)",
        tables={
            # One of the two is enough; the second stage's counts.
            "masks": RawTable(file="stage_2_train.csv", is_optional=True),
            "stage1_masks": RawTable(file="train-rle.csv", is_optional=True),
            "mapping": RawTable(file="siim_nih_mapping.csv", is_optional=True),
        },
        has_boxes=True,
        findings=("pneumothorax",),
        list_radiographs=list_siim_pneumothorax,
        list_unmatched=list_unmatched_siim_pneumothorax,
    ),
    "tbx11k": Source(
        title="TBX11K",
        short="TBX11K",
        origin="TBX11K (Liu et al. 2020)",
        reference="the hospitals' diagnosis, as the publisher states it",
        licence="CC BY-NC-SA",
        url="https://mmcheng.net/tb/",
        tables={
            "train_list": RawTable(
                file="lists/TBX11K_train.txt", kind=TEXT, is_optional=True
            ),
            "val_list": RawTable(
                file="lists/TBX11K_val.txt", kind=TEXT, is_optional=True
            ),
            "train_boxes": RawTable(
                file="annotations/json/TBX11K_train.json", kind=TEXT, is_optional=True
            ),
            "val_boxes": RawTable(
                file="annotations/json/TBX11K_val.json", kind=TEXT, is_optional=True
            ),
            # Of the simplified copy, in place of lists and annotations.
            "data": RawTable(file="data.csv", is_optional=True),
        },
        has_boxes=True,
        findings=(TUBERCULOSIS,),
        list_radiographs=list_tbx11k,
        list_unmatched=list_unmatched_tbx11k,
    ),
}

RSNA_MAPPING = "rsna_mapping"  # also of cohorts that hold images of RSNA


def inputs_of(function: Callable[..., Any], cohort: str, source: str) -> dict[str, str]:
    """Return which dataset each argument of an adapter's function takes.

    Args:
        function: `list_radiographs` or `list_unmatched`.
        cohort: Its name.
        source: Its source.
    """
    datasets = {
        **{name: f"{cohort}_{name}" for name in SOURCES[source].tables},
        "images": f"{cohort}_images",
        "boxes": f"{cohort}_boxes",
        "listed": f"{cohort}_listed",
        "rejected": f"{cohort}_ingestion_rejected",
        "findings": f"params:{cohort}_findings",
        "ingestion": f"params:{cohort}_ingestion",
        RSNA_MAPPING: RSNA_MAPPING,
    }
    return {name: datasets[name] for name in inspect.signature(function).parameters}
