"""The ingestion pipeline: its wiring, and a run from files to radiograph tables."""

import json
import shutil

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner
from kedro.validation.parameter_validator import ParameterValidator

from covid_cxr.pipelines.ingestion.pipeline import create_pipeline
from covid_cxr.settings import CONFIG_LOADER_ARGS
from covid_cxr.sources.covid import CovidIngestion
from covid_cxr.sources.rsna import RsnaIngestion
from covid_cxr.study_config import StudyConfigLoader

NIH_NAMES = ["00000001_000.png", "00000002_000.png"]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Return a data root with the smallest raw tables, and one file of each cohort."""
    data_root = tmp_path_factory.mktemp("data")
    tables = data_root / "01_raw"
    for cohort, name in {
        "nih": f"images_001/{NIH_NAMES[0]}",
        "rsna": "stage_2_train_images/aa.dcm",
        "covid": "images/0.dcm",
    }.items():
        file = tables / cohort / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"read by curation, not by ingestion")
    (tables / "nih/Data_Entry_2017_v2020.csv").write_text(
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
        "View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n"
        f"{NIH_NAMES[0]},Mass|Nodule,0,1,57,M,PA,2682,2749,0.143,0.143\n"
        f"{NIH_NAMES[1]},No Finding,0,2,61,F,AP,2682,2749,0.143,0.143\n"
    )
    (tables / "nih/train_val_list.txt").write_text(NIH_NAMES[0])
    (tables / "nih/test_list.txt").write_text(NIH_NAMES[1])
    (tables / "rsna/stage_2_train_labels.csv").write_text(
        "patientId,x,y,width,height,Target\naa,1,2,3,4,1\nbb,,,,,0\n"
    )
    (tables / "rsna/stage_2_detailed_class_info.csv").write_text(
        "patientId,class\naa,Lung Opacity\nbb,Normal\n"
    )
    mapping = [{"subset_img_id": "aa", "img_id": NIH_NAMES[0]}]
    (tables / "rsna/pneumonia-challenge-dataset-mappings_2018.json").write_text(
        json.dumps(mapping)
    )
    (tables / "covid/manifest.csv").write_text(
        "image,patient,rt_pcr,site,view,sex,age\n"
        "0.dcm,007,positive,a,AP,F,61\n1.dcm,008,unclear,a,AP,F,61\n"
    )
    return data_root


def ready(project, data_root, *, env):
    """Return the catalog and the pipeline, with the parameters as in a session."""
    loader = StudyConfigLoader(
        str(project / "conf"),
        env=env,
        runtime_params={"data_root": str(data_root)},
        **CONFIG_LOADER_ARGS,
    )
    pipeline, stated = create_pipeline(), loader["parameters"]
    shares = {
        cohort: stated[f"{cohort}_ingestion"]["max_unmatched_share"]
        for cohort in ("nih", "rsna", "covid")
    }
    parameters = ParameterValidator({"ingestion": pipeline}).validate_raw_params(stated)
    catalog = DataCatalog.from_config(loader["catalog"])
    for name, value in parameters.items():
        catalog[f"params:{name}"] = value
    for cohort, share in shares.items():
        catalog[f"params:{cohort}_ingestion.max_unmatched_share"] = share
    return catalog, pipeline


def set_ingestion(catalog, ingestion):
    catalog["params:covid_ingestion"] = ingestion
    share = "params:covid_ingestion.max_unmatched_share"
    catalog[share] = ingestion.max_unmatched_share
    catalog["params:covid_findings"] = ["covid19"]


@pytest.fixture(scope="module")
def ingested(project, raw):
    """Return the catalog after a run of the whole pipeline on the raw tables."""
    catalog, pipeline = ready(project, raw, env="test")
    SequentialRunner().run(pipeline, catalog)
    return catalog


def test_three_cohorts_become_tables_of_one_form(ingested):
    tables = {
        cohort: ingested.load(f"{cohort}_radiographs")
        for cohort in ("nih", "rsna", "covid")
    }

    common = set.intersection(*(set(table.columns) for table in tables.values()))
    assert {"image_id", "patient_id", "file", "view", "sex", "age_years"} <= common
    assert {"source", "site", "study_date", "is_synthetic"} <= common
    found = {name: int(table["file"].notna().sum()) for name, table in tables.items()}
    assert found == {"nih": 1, "rsna": 1, "covid": 1}


def test_rsna_and_nih_name_the_same_patient_alike(ingested):
    nih = ingested.load("nih_radiographs").set_index("image_id")
    rsna = ingested.load("rsna_radiographs").set_index("image_id")

    assert rsna.loc["aa", "patient_id"] == nih.loc[NIH_NAMES[0], "patient_id"]


def test_the_boxes_of_rsna_are_kept(ingested):
    assert ingested.load("rsna_boxes").to_dict("records") == [
        {"image_id": "aa", "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}
    ]


def test_the_ids_of_a_manifest_are_read_as_text(ingested):
    assert ingested.load("covid_radiographs")["patient_id"].tolist() == ["covid:007"]


def test_rejected_rows_are_kept_with_their_reason(ingested):
    rejected = ingested.load("covid_ingestion_rejected")

    assert rejected["reason"].tolist() == ["RT-PCR result not understood"]
    assert ingested.load("nih_ingestion_rejected").empty


def test_parameters_arrive_as_records(project):
    loader = StudyConfigLoader(str(project / "conf"), env="base", **CONFIG_LOADER_ARGS)

    checked = ParameterValidator({"ingestion": create_pipeline()}).validate_raw_params(
        loader["parameters"]
    )

    assert checked["rsna_ingestion"] == RsnaIngestion(
        patient_identity="nih_patient", max_unmatched_share=0.25
    )
    assert checked["covid_ingestion"] == CovidIngestion(
        layout="manifest", pseudonym_salt=None, max_unmatched_share=0.25
    )


@pytest.mark.parametrize(
    ("cohort", "list_", "named"),
    [
        ("nih", "nih_entries", {NIH_NAMES[1]}),
        ("rsna", "rsna_labels", {"bb"}),
        ("covid", "covid_manifest", {"2.dcm"}),
    ],
)
def test_a_cohort_that_lacks_too_many_files_stops_after_all_names_are_written(
    project, raw, tmp_path, cohort, list_, named
):
    shutil.copytree(raw / "01_raw", tmp_path / "01_raw")
    manifest = tmp_path / "01_raw/covid/manifest.csv"
    manifest.write_text(manifest.read_text() + "2.dcm,009,negative,a,AP,F,61\n")
    catalog, pipeline = ready(project, tmp_path, env="base")

    with pytest.raises(ValueError, match=rf"{cohort}_ingestion\.max_unmatched_share"):
        SequentialRunner().run(pipeline.only_nodes_with_tags(cohort), catalog)

    written = catalog.load(f"{cohort}_lists_unmatched")
    of_files = written[written["reason"] == "have no file in the folder"]
    assert set(of_files.loc[of_files["list"] == list_, "image"]) == named
    assert not catalog.exists(f"{cohort}_radiographs")


def test_a_cohort_can_be_run_alone():
    pipeline = create_pipeline().only_nodes_with_tags("covid")

    assert [node.name for node in pipeline.nodes] == [
        "ingestion.list_covid",
        "ingestion.list_covid_lists_unmatched",
        "ingestion.admit_covid",
    ]
    of_others = {name for name in pipeline.inputs() if name.startswith(("nih", "rsna"))}
    assert of_others == {"rsna_mapping"}  # it may be absent


def test_the_step_is_one_collapsible_group():
    groups = create_pipeline().group_nodes_by("namespace")

    assert [group.name for group in groups] == ["ingestion"]


def test_the_public_environment_reads_the_public_collection(project, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").write_bytes(b"read by curation, not by ingestion")
    pd.DataFrame(
        {
            "patientid": ["2"],
            "sex": ["M"],
            "age": ["65"],
            "finding": ["Pneumonia/Viral/COVID-19"],
            "view": ["PA"],
            "modality": ["X-ray"],
            "date": ["2020"],
            "location": ["Italy"],
            "filename": ["a.jpg"],
        }
    ).to_csv(tmp_path / "metadata.csv", index=False)
    loader = StudyConfigLoader(
        str(project / "conf"),
        env="public",
        runtime_params={"data_root": str(tmp_path), "covid_root": str(tmp_path)},
        **CONFIG_LOADER_ARGS,
    )
    catalog = DataCatalog.from_config(loader["catalog"])
    ingestion = CovidIngestion(**loader["parameters"]["covid_ingestion"])
    set_ingestion(catalog, ingestion)

    SequentialRunner().run(create_pipeline().only_nodes_with_tags("covid"), catalog)

    row = catalog.load("covid_radiographs").iloc[0]
    assert row[["file", "site", "covid19"]].tolist() == ["a.jpg", "Italy", True]


def test_a_layout_without_manifest_takes_additions_and_the_mapping(project, tmp_path):
    covid, rsna = tmp_path / "01_raw/covid", tmp_path / "01_raw/rsna"
    study = covid / "MIDRC-RICORD-1C-SITE2-000105/65881/17480"
    study.mkdir(parents=True)
    rsna.mkdir()
    (study / "1.dcm").write_bytes(b"read by curation, not by ingestion")
    (covid / "additions.csv").write_text(
        "image,patient,rt_pcr,site,view,sex,age,source\naa.dcm,aa,negative,,,,,rsna\n"
    )
    (rsna / "pneumonia-challenge-dataset-mappings_2018.json").write_text(
        json.dumps([{"subset_img_id": "aa", "img_id": NIH_NAMES[0]}])
    )
    loader = StudyConfigLoader(
        str(project / "conf"),
        env="base",
        runtime_params={"data_root": str(tmp_path)},
        **CONFIG_LOADER_ARGS,
    )
    catalog = DataCatalog.from_config(loader["catalog"])
    ingestion = CovidIngestion(layout="ricord", max_unmatched_share=1.0)
    set_ingestion(catalog, ingestion)

    SequentialRunner().run(create_pipeline().only_nodes_with_tags("covid"), catalog)

    table = catalog.load("covid_radiographs")
    assert table["patient_id"].tolist() == ["ricord:SITE2-000105", "nih:1"]
    assert table["source"].tolist() == ["ricord", "rsna"]
