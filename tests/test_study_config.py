"""The study of an environment reaches every command, session and process."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from covid_cxr.study.current import choose, current
from covid_cxr.study.reading import MalformedStudyError

MINE = """\
cohorts:
  rsna: {source: rsna}
  clinic: {source: covid, title: Our clinic}
related:
  boxes:
    cohort: rsna
    labels: [pneumonia]
    split: {validation: 0.2}
target:
  cohort: clinic
  labels: [covid19]
  name: a rare disease
  reference: biopsy
  split: {test: 0.3, validation: 0.2}
paths:
  one: [boxes, target]
  two: [target]
"""


@pytest.fixture
def conf(project, tmp_path):
    """Return a copy of `conf` with an environment `mine` that has its own study."""
    shutil.copytree(project / "conf", tmp_path / "conf")
    (tmp_path / "conf/mine").mkdir()
    (tmp_path / "conf/mine/study.yml").write_text(MINE)
    return tmp_path / "conf"


@pytest.fixture(autouse=True)
def _same_study_after():
    before = current()
    yield
    choose(before)
    pipelines.configure("covid_cxr.pipeline_registry")


def registered(project, conf, env):
    with KedroSession.create(project, env=env, conf_source=str(conf)) as session:
        session.load_context()
        return dict(pipelines)


def test_a_session_has_the_pipelines_of_its_environment(project, conf):
    mine, delivered = (registered(project, conf, env) for env in ("mine", "test"))

    assert {"path_one", "path_two"} == {n for n in mine if n.startswith("path_")}
    assert {"path_a", "path_f"} < set(delivered)
    trainings = [
        node.name for node in mine["__default__"].nodes if "train" in node.tags
    ]
    assert sorted(trainings) == [
        *("path_one.phase2.train", "path_one.phase3.train", "path_two.phase3.train"),
    ]


def test_parameters_and_datasets_follow_from_the_study(project, conf):
    with KedroSession.create(project, env="mine", conf_source=str(conf)) as session:
        context = session.load_context()
        parameters = context.config_loader["parameters"]
        catalog = context.catalog

    assert parameters["phase2_boxes_split"]["validation"] == 0.2
    assert parameters["phase2_boxes_labels"] == ["pneumonia"]
    assert "phase1_split" not in parameters
    store = catalog["clinic_store"]
    assert str(store._filepath).endswith("03_primary/clinic_store")


def test_no_training_reads_what_its_study_does_not_have(project, conf):
    mine = registered(project, conf, "mine")

    assert not {name for name in mine["__default__"].inputs() if "nih" in name}


def test_a_malformed_study_stops_with_its_line(project, conf):
    text = MINE.replace("  two: [target]", "  two: [boxes]")
    (conf / "mine/study.yml").write_text(text)

    with (
        KedroSession.create(project, env="mine", conf_source=str(conf)) as session,
        pytest.raises(
            MalformedStudyError, match=r"mine/study.yml .*\n  line 17: paths"
        ),
    ):
        session.load_context()


def test_a_study_by_another_name_is_not_passed_over(project, conf):
    (conf / "mine/study.yml").rename(conf / "mine/study.yaml")

    with (
        KedroSession.create(project, env="mine", conf_source=str(conf)) as session,
        pytest.raises(ValueError, match=r"mine has a study.yaml.*name it study.yml"),
    ):
        session.load_context()


def test_an_environment_without_a_study_has_that_of_base(project, conf):
    (conf / "mine/study.yml").unlink()

    assert {"path_a", "path_f"} < set(registered(project, conf, "mine"))


def test_the_delivered_file_is_what_the_session_has(project):
    with KedroSession.create(project, env="test") as session:
        session.load_context()

    stated = yaml.safe_load((project / "conf/base/study.yml").read_text())
    assert [path.letter for path in current().paths] == list(stated["paths"])


def test_a_command_without_a_session_takes_the_environment_from_kedro_env(
    project, conf, tmp_path
):
    shutil.copy(project / "pyproject.toml", tmp_path)
    (tmp_path / "src").mkdir()
    listed = subprocess.run(
        [sys.executable, "-m", "kedro", "registry", "list"],
        cwd=tmp_path,
        env={
            **os.environ,
            "KEDRO_ENV": "mine",
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": str(project / "src"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr + listed.stdout

    assert "- path_one" in listed.stdout
    assert "- path_a" not in listed.stdout
