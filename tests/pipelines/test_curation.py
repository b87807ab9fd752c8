"""The curation pipeline: its wiring, a run from files to splits, edited splits."""

import cv2
import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.io.core import DatasetError
from kedro.runner import SequentialRunner
from kedro.validation.exceptions import DataValidationError
from kedro.validation.parameter_validator import ParameterValidator

from covid_cxr.cohorts.intensity import IntensitySample
from covid_cxr.patients.split_targets import SplitTargets
from covid_cxr.pipelines.curation.pipeline import create_pipeline
from covid_cxr.radiographs.curation import Curation
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.settings import CONFIG_LOADER_ARGS
from covid_cxr.sources.covid import CovidIngestion, list_covid
from covid_cxr.study.current import current
from covid_cxr.study_config import StudyConfigLoader

N_IMAGES = 40


def load_parameters(project, env):
    """Return the parameters of an environment with their records, as in a session."""
    loader = StudyConfigLoader(str(project / "conf"), env=env, **CONFIG_LOADER_ARGS)
    validator = ParameterValidator({"curation": create_pipeline()})
    return validator.validate_raw_params(loader["parameters"])


@pytest.fixture(scope="module")
def curated(project, tmp_path_factory):
    """Return the catalog after curating 40 COVID-19 images, one damaged, one absent."""
    data_root = tmp_path_factory.mktemp("data")
    images = data_root / "01_raw/covid/images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for n in range(N_IMAGES - 1):
        grey = rng.integers(0, 256, (48, 40), dtype=np.uint8)
        cv2.imwrite(str(images / f"{n}.png"), grey)
    (images / "3.png").write_bytes(b"damaged")
    manifest = pd.DataFrame(
        {
            "image": [f"{n}.png" for n in range(N_IMAGES)],
            "patient": [str(n // 2) for n in range(N_IMAGES)],
            "rt_pcr": ["positive", "negative"] * (N_IMAGES // 2),
            "site": "a",
            "view": [*["AP"] * (N_IMAGES - 2), "L", "AP"],
            "sex": "F",
            "age": "50",
        }
    )
    loader = StudyConfigLoader(
        str(project / "conf"),
        env="test",
        runtime_params={"data_root": str(data_root)},
        **CONFIG_LOADER_ARGS,
    )
    catalog = DataCatalog.from_config(loader["catalog"])
    for name, value in load_parameters(project, "test").items():
        catalog[f"params:{name}"] = value
    catalog["params:phase3_split.label"] = "covid19"
    catalog["params:curation"] = Curation(
        size_px=16, shard_images=8, compression="none", workers=1, cluster=None
    )
    listed, rejected = list_covid(
        manifest,
        None,
        None,
        list_folder(images.parent),
        CovidIngestion(layout="manifest", pseudonym_salt=None),
    )
    catalog.save("covid_listed", listed)
    catalog.save("covid_radiographs", listed)
    catalog.save("covid_ingestion_rejected", rejected)
    SequentialRunner().run(create_pipeline().only_nodes_with_tags("covid"), catalog)
    return catalog


def test_every_listed_image_is_curated_or_rejected(curated):
    usable, rejected = curated.load("covid_curated"), curated.load("covid_rejected")

    assert len(usable) + len(rejected) == N_IMAGES
    assert set(rejected["image_id"]) == {"3.png", "38.png", "39.png"}
    stages = rejected.set_index("image_id")["stage"]
    assert stages["38.png"] == "ingestion"
    assert (stages[["3.png", "39.png"]] == "curation").all()


def test_the_row_of_a_curated_image_is_its_image_in_the_store(curated):
    store, usable = curated.load("covid_store"), curated.load("covid_curated")
    records = store.records.set_index("row")

    assert (
        records.loc[usable["row"], "image_id"].tolist() == usable["image_id"].tolist()
    )
    assert store.read(usable["row"].to_numpy()).std(axis=(1, 2)).min() > 0


def test_the_split_divides_the_curated_images_by_patient(curated):
    split, usable = curated.load("phase3_split"), curated.load("covid_curated")

    assert sorted(split["image_id"]) == sorted(usable["image_id"])
    assert split.drop_duplicates(["patient_id", "part"])["patient_id"].is_unique
    assert set(split["part"]) == {"train", "validation", "test"}


def test_nothing_is_left_out_and_no_picture_is_there_twice(curated):
    assert curated.load("phase3_left_out").empty
    assert curated.load("covid_duplicates").empty


def test_a_cohort_without_lung_masks_has_none_and_no_error(curated):
    assert curated.load("covid_lungs").empty
    assert curated.load("covid_lungs_rejected").empty


def test_patients_with_both_results_are_listed(curated):
    mixed = curated.load("covid_mixed_results")

    # Of each patient's two images one is positive; those of 1 and 19 lost one or both.
    assert len(mixed) == N_IMAGES / 2 - 2
    assert not set(mixed["patient_id"]) & {"covid:1", "covid:19"}


def test_intensity_is_that_of_the_training_images(curated):
    split, usable = curated.load("phase3_split"), curated.load("covid_curated")
    trained = split.loc[split["part"] == "train", "image_id"]
    rows = usable.set_index("image_id").loc[trained, "row"]
    pixels = curated.load("covid_store").read(rows.to_numpy()) / 255

    intensity = curated.load("phase3_examples").intensity

    assert intensity.n_images == len(trained)
    assert intensity.mean == pytest.approx(pixels.mean())
    assert intensity.standard_deviation == pytest.approx(pixels.std())


def test_a_split_file_edited_by_hand_is_refused_when_it_is_read(curated):
    split = curated.load("phase3_split")
    other = {"train": "test", "test": "train", "validation": "train"}
    leaked = split.iloc[[0]].assign(part=split["part"].iloc[[0]].map(other))
    path = curated["phase3_split"]._filepath
    try:
        pd.concat([split, leaked]).to_parquet(path)

        with pytest.raises(
            (DataValidationError, DatasetError), match="more than one part"
        ):
            curated.load("phase3_split")
    finally:
        split.to_parquet(path)


@pytest.mark.parametrize("env", ["base", "demo", "test", "public"])
def test_the_parameters_of_every_environment_arrive_as_records(project, env):
    parameters = load_parameters(project, env)

    assert isinstance(parameters["curation"], Curation)
    for training_set in current().training_sets:
        sample = parameters[f"{training_set}_intensity_sample"]
        assert isinstance(parameters[f"{training_set}_split"], SplitTargets)
        assert isinstance(sample, IntensitySample)


@pytest.mark.parametrize("env", ["base", "demo", "test", "public"])
def test_images_are_curated_at_the_size_of_the_network(project, env):
    parameters = load_parameters(project, env)

    assert parameters["curation"].size_px == parameters["network"]["size_px"]


def test_four_training_sets_are_drawn_from_three_stores():
    nodes = {node.name: node for node in create_pipeline().nodes}

    assert len([name for name in nodes if ".curate_" in name]) == 3
    assert len([name for name in nodes if ".settle_" in name]) == 3
    assert len([name for name in nodes if ".find_" in name]) == 3 + 1
    for training_set, cohort in current().origin_of.items():
        drawn = nodes[f"curation.split_{training_set}"]
        assert {f"{cohort}_curated", f"{cohort}_duplicates"} <= set(drawn.inputs)
        assert f"{training_set}_left_out" in drawn.outputs
        assembled = nodes[f"curation.assemble_{training_set}"]
        assert {f"{cohort}_store", f"{training_set}_split"} <= set(assembled.inputs)


def test_only_covid_radiographs_are_cropped():
    inputs = create_pipeline().inputs()

    assert {name for name in inputs if name.endswith("_crops")} == {"covid_crops"}


def test_unmatched_crops_are_written_before_they_may_stop_the_run():
    nodes = {node.name: node for node in create_pipeline().nodes}

    assert "covid_crops_unmatched" in nodes["curation.curate_covid"].inputs
    lister = nodes["curation.list_covid_crops_unmatched"]
    assert lister.outputs == ["covid_crops_unmatched"]


def test_the_step_is_one_collapsible_group():
    groups = create_pipeline().group_nodes_by("namespace")

    assert [group.name for group in groups] == ["curation"]
