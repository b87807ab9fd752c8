"""The study of tuberculosis runs by its file alone, in every command and process."""

import re
import shutil

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from covid_cxr.runners import ResumeRunner
from covid_cxr.study.current import choose, current
from covid_cxr.study.reading import read_study

pytestmark = pytest.mark.slow
ENV = "tuberculosis_tiny"  # the study of conf/tuberculosis with the sizes of conf/test
SMALLEST = """\
nih_ingestion: {max_unmatched_share: 0.5}
rsna_ingestion: {max_unmatched_share: 0.5}
network:
  {size_px: 32, blocks: [1, 1], growth_rate: 4, initial_filters: 8, weights: none}
curation: {size_px: 32, shard_images: 8, workers: 1}
duplicates: {min_correlation: 0.97}
phase1_split: {validation: 0.25, validation_positives: 0.34}
phase1: {recipe: {max_epochs: 1, learning_rate: 0.05}}
phase2: {recipe: {max_epochs: 1, learning_rate: 0.05}}
phase3:
  recipe: {max_epochs: 1, learning_rate: 0.05}
  saliency: {randomised_images: 4}
evaluation: {bootstrap_replicates: 100}
synthesis:
  nih_images: 120
  rsna_images: 60
  images: {nlm: 60}
  raw_size_px: 64
  least_patients: 3
  workers: 1
"""
OTHERS = (r"covid(?!_cxr)", r"RT-?PCR", r"\bpaper", r"Fricks", r"\bnan\b")


@pytest.fixture(scope="module")
def conf(project, tmp_path_factory):
    """Return a copy of `conf` with a small environment of the second study."""
    folder = tmp_path_factory.mktemp("conf") / "conf"
    shutil.copytree(project / "conf", folder)
    (folder / ENV).mkdir()
    (folder / ENV / "parameters.yml").write_text(SMALLEST)
    shutil.copy(folder / "tuberculosis/study.yml", folder / ENV)
    return folder


@pytest.fixture(autouse=True, scope="module")
def _same_study_after():
    before = current()
    yield
    choose(before)
    pipelines.configure("covid_cxr.pipeline_registry")


@pytest.fixture(scope="module")
def run(project, conf):
    """Return a function that runs pipelines of the second study in this process."""

    def session(*names, data_root, params=None, **options):
        with KedroSession.create(
            project,
            env=ENV,
            conf_source=str(conf),
            runtime_params={"data_root": str(data_root), **(params or {})},
        ) as opened:
            return opened.run(pipeline_names=list(names), **options)

    return session


@pytest.fixture(scope="module")
def reported(run, tmp_path_factory):
    """Return the data root of the whole second study, from its hospital on."""
    data_root = tmp_path_factory.mktemp("tuberculosis")
    run("demo", data_root=data_root)
    return data_root


def test_the_demo_asks_the_same_question_of_fewer_radiographs(project):
    whole, demo = (
        read_study((project / f"conf/{env}/study.yml").read_text("utf-8"))
        for env in ("tuberculosis", "tuberculosis_demo")
    )

    assert demo == whole
    assert len(whole.trainings) == 1 + 2 + 4


def test_its_report_speaks_of_nothing_else(reported):
    pages = [reported / "08_reporting/report.html"]
    pages += (reported / "08_reporting").glob("*.md")
    assert len(pages) == 4

    for page in pages:
        text = page.read_text("utf-8")
        bare = re.sub(r"<(style|script)\b.*?</\1>|data:[^\"']+", "", text, flags=re.S)
        said = re.sub(r"<[^>]+>", " ", bare)
        # What the configuration says of every study stands in the provenance.
        said = re.sub(r"\S*covid_(images|cxr)\S*", "", said)
        for other in OTHERS:
            assert not re.search(other, said, re.IGNORECASE), (page.name, other)
        assert "tuberculosis" in said
        assert "radiological reading" in said or page.suffix == ".html"


def test_its_hospital_has_no_cohort_of_the_first_study(reported):
    assert {f.name for f in (reported / "01_raw").iterdir()} == {"nih", "rsna", "nlm"}
    readings = list((reported / "01_raw/nlm").rglob("*.txt"))
    assert len(readings) == 60


def test_a_study_changed_by_a_line_trains_only_what_the_line_adds(
    run, reported, conf, caplog
):
    study = conf / ENV / "study.yml"
    before = study.read_text("utf-8")
    study.write_text(before.replace("  d: [target]\n", ""))
    try:
        with caplog.at_level("INFO"):
            run("__default__", data_root=reported, runner=ResumeRunner())
    finally:
        study.write_text(before)

    said = re.findall(r"Running node: (\S+?):", caplog.text)
    assert said
    assert not [name for name in said if name.endswith(".train")]


def test_a_cohort_without_its_tables_stops_before_anything(run, tmp_path):
    with pytest.raises(FileNotFoundError) as stopped:
        run("__default__", data_root=tmp_path)

    missing = re.findall(r"^  (\w+): ", str(stopped.value), re.MULTILINE)
    assert {"nih_entries", "rsna_labels", "nlm_images"} <= set(missing)
    assert not any("covid" in name for name in missing)
    assert not (tmp_path / "04_model_input").exists()
