"""What the hospital draws of every source is read again, in every stage of a study."""

import shutil

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from covid_cxr.study.current import choose, current

# Findings that the studies ask of each source; the first is told of half of the images.
ASKED = {
    "nih": ["pneumonia", "effusion", "pneumothorax"],
    "rsna": ["pneumonia"],
    "chexpert": ["pneumonia", "effusion"],
    "mimic_cxr_jpg": ["pneumonia", "effusion"],
    "padchest": ["pneumonia", "effusion"],
    "vindr_cxr": ["pneumonia", "effusion"],
    "siim_pneumothorax": ["pneumothorax"],
    "manifest": ["effusion", "pneumonia"],
    "covid": ["covid19"],
    "covidx": ["covid19"],
    "idc": ["covid19"],
    "midrc": ["covid19"],
    "nlm_tuberculosis": ["tuberculosis"],
    "tbx11k": ["tuberculosis"],
}
LABELS = ["pneumonia", "effusion", "pneumothorax", "covid19", "tuberculosis"]
N_IMAGES = 40
SIZES = f"""\
nih_ingestion: {{max_unmatched_share: 0.5}}
synthesis: {{nih_images: 120, rsna_images: 40, cohort_images: {N_IMAGES}, covid_images: 50, raw_size_px: 32, least_patients: 8, workers: 1}}
curation: {{size_px: 32, shard_images: 64, workers: 1}}
duplicates: {{min_correlation: 0.97}}
"""
TARGET = "target: {{cohort: {cohort}, labels: [{label}], name: it, reference: what is drawn, "
TARGET += "split: {{test: 0.3, validation: 0.3}}}}\n"


def study_of_all():
    """Return a study that learns from all but the target's cohort, twice."""
    learned = {source: own for source, own in ASKED.items() if source != "manifest"}
    lines = ["cohorts:", *(f"  {source}: {{source: {source}}}" for source in ASKED)]
    lines += ["general:", f"  labels: [{', '.join(LABELS)}]", "  cohorts:"]
    for source, own in learned.items():
        lines.append(
            f"    {source}: {{labels: [{', '.join(own)}], split: {{label: {own[0]}, "
            f"test: 0.2, validation: 0.3}}}}"
        )
    lines.append("related:")
    for source, own in learned.items():
        lines.append(
            f"  of_{source}: {{cohort: {source}, labels: [{own[0]}], "
            f"split: {{validation: 0.3}}}}"
        )
    sets = ", ".join(f"of_{source}" for source in learned)
    lines.append(TARGET.format(cohort="manifest", label="effusion"))
    return "\n".join([*lines, f"paths: {{a: [general, {sets}, target]}}", ""])


@pytest.fixture(scope="module")
def run(project, tmp_path_factory):
    """Return a function that runs nodes of a study in this process."""
    before = current()
    conf = tmp_path_factory.mktemp("conf") / "conf"
    shutil.copytree(project / "conf", conf)
    shutil.copytree(conf / "test", conf / "formats")
    for one in ("parameters_curation.yml", "parameters_ingestion.yml"):
        (conf / "formats" / one).unlink()
    (conf / "formats/parameters_synthesis.yml").unlink()
    sizes = (project / "conf/test/parameters_synthesis.yml").read_text()
    (conf / "formats/parameters_sizes.yml").write_text(SIZES)
    print(sizes)

    def session(study, *names, data_root, **options):
        (conf / "formats/study.yml").write_text(study)
        with KedroSession.create(
            project,
            env="formats",
            conf_source=str(conf),
            runtime_params={"data_root": str(data_root)},
        ) as opened:
            return opened.run(pipeline_names=list(names), **options)

    yield session
    choose(before)
    pipelines.configure("covid_cxr.pipeline_registry")


@pytest.fixture(scope="module")
def curated(run, tmp_path_factory):
    """Return a data root with a cohort of every source, drawn, read and split."""
    data_root = tmp_path_factory.mktemp("formats")
    run(study_of_all(), "synthesis", "ingestion", "curation", data_root=data_root)
    return data_root


def test_all(curated):
    shutil.copytree(curated, "/tmp/hospital/data", dirs_exist_ok=True)
