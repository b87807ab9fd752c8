"""Names in headers are in nothing that ingestion and curation write or log."""

import logging
import warnings

import numpy as np
import pandas as pd
import pydicom
import pytest
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner
from kedro.validation.parameter_validator import ParameterValidator
from pydicom import Dataset, config
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from covid_cxr.pipelines.curation.pipeline import create_pipeline as curation
from covid_cxr.pipelines.ingestion.pipeline import create_pipeline as ingestion
from covid_cxr.settings import CONFIG_LOADER_ARGS
from covid_cxr.study_config import StudyConfigLoader

NAME = "MUELLER QUIRIN"  # a code string could be written so (PS3.5 6.2)
PARTS = ("MUELLER", "QUIRIN")
TEXTS = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM")
CURATED = ("curate", "settle", "find")

# What each file says rightly in place of a name.
GREY = {"PhotometricInterpretation": "MONOCHROME2", "NumberOfFrames": "1"}
CHEST = {**GREY, "BodyPartExamined": "CHEST"}
PA_CHEST = {**CHEST, "ViewPosition": "PA", "Modality": "DX"}
RIGHT = {
    "good": PA_CHEST,
    "good too": {**PA_CHEST, "WindowCenter": "500", "WindowWidth": "900"},
    "of a strange view": CHEST,
    "of a strange part": {**GREY, "ViewPosition": "AP"},
    "contradicted": {**GREY, "StudyDescription": "XR CHEST"},
    "of strange colours": {},
    "for processing": {**CHEST, "PresentationIntentType": "FOR PROCESSING"},
    "without pixels": PA_CHEST,
    "broken off": PA_CHEST,
    "of a broken codestream": PA_CHEST,
}


def planted(right, **elements):
    """Return a radiograph with the name in each element of text that it may have."""
    dataset = Dataset()
    for tag, (kind, _, _, _, keyword) in DicomDictionary.items():
        if kind in TEXTS and keyword and 2 < tag >> 16 < 0x40:
            dataset[tag] = DataElement(tag, "LO", NAME, validation_mode=config.IGNORE)
    del dataset.SpecificCharacterSet
    pixels = np.random.default_rng(len(right)).integers(0, 999, (16, 16), np.uint16)
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 16, 16, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    for keyword, value in {**right, **elements}.items():
        setattr(dataset, keyword, value)
    return dataset


def write_cohort(folder, names):
    """Write one damaged or doubtful file for each kind of trouble."""
    folder.mkdir(parents=True)
    for kind, name in zip(RIGHT, names, strict=True):
        dataset, path = planted(RIGHT[kind]), folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "without pixels":
            del dataset.PixelData
        if kind == "of a broken codestream":
            dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
            dataset.PixelData = encapsulate([b"\xff\xd8\xff\xfe" + NAME.encode() * 2])
            dataset["PixelData"].VR = "OB"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pydicom.dcmwrite(path, dataset, enforce_file_format=True)
        if kind == "broken off":
            path.write_bytes(path.read_bytes()[:-200])


@pytest.fixture(params=["manifest", "ricord"])
def run(request, project, tmp_path, caplog):
    """Return the catalog, the folder and the log after ingestion and curation."""
    covid = tmp_path / "01_raw/covid"
    names = [f"{n}.dcm" for n in range(len(RIGHT))]
    if request.param == "ricord":
        study = "MIDRC-RICORD-1C-SITE2-{n:06d}/65881/17480/1.dcm"
        names = [study.format(n=n) for n in range(len(RIGHT))]
    write_cohort(covid, names)
    rows = "".join(f"{name},{n},positive,a,,,\n" for n, name in enumerate(names))
    (covid / "manifest.csv").write_text(
        "image,patient,rt_pcr,site,view,sex,age\n" + rows
    )
    loader = StudyConfigLoader(
        str(project / "conf"),
        env="test",
        runtime_params={
            "data_root": str(tmp_path),
            "covid_ingestion": {"layout": request.param},
            "curation": {"workers": 1},
        },
        **CONFIG_LOADER_ARGS,
    )
    pipeline = ingestion().only_nodes_with_tags("covid") + curation().only_nodes(
        "curation.list_covid_crops_unmatched",
        "curation.curate_covid",
        "curation.settle_covid",
        "curation.report_covid_identifying",
        "curation.find_covid_duplicates",
        "curation.outline_covid_lungs",
    )
    parameters = ParameterValidator({"whole": pipeline}).validate_raw_params(
        loader["parameters"]
    )
    catalog = DataCatalog.from_config(loader["catalog"])
    for name, value in parameters.items():
        catalog[f"params:{name}"] = value
    catalog["params:covid_ingestion.max_unmatched_share"] = 1.0
    catalog["params:phase3_split.label"] = "covid19"
    caplog.clear()
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        SequentialRunner().run(pipeline, catalog)
    said = caplog.text + "".join(str(warning.message) for warning in warned)
    return catalog, tmp_path, said


def test_a_name_in_every_element_is_in_no_log_and_no_file(run):
    catalog, folder, said = run

    rejected = catalog.load("covid_rejected")
    assert len(catalog.load("covid_curated")) == 4  # the others met every fault
    assert len(rejected) == len(RIGHT) - 4
    written = {
        path: as_text(path)
        for path in folder.rglob("*")
        if path.is_file() and "01_raw" not in path.parts
    }
    assert len(written) > 8
    for where, text in {"the log": said, **written}.items():
        assert not [part for part in PARTS if part in text.upper()], where


def as_text(path):
    """Return what a file holds, unpacked."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    return path.read_bytes().decode("latin-1")
