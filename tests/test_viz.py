"""kedro-viz shows the study: six collapsible paths, layers and previews."""

import json
import os
import re
import subprocess
import sys

import pytest

from covid_cxr.study.current import current

LAYERS = [
    "raw",
    "intermediate",
    "primary",
    "model_input",
    "models",
    "model_output",
    "reporting",
]

# What `kedro viz run --save-file` does before it starts its server.
SAVE = """
import sys
from pathlib import Path
import fsspec
from kedro_viz.api.rest.responses.save_responses import save_api_responses_to_fs
from kedro_viz.server import load_and_populate_data

load_and_populate_data(
    Path.cwd(), env="test", package_name="covid_cxr",
    extra_params={"data_root": sys.argv[1]},
)
save_api_responses_to_fs(sys.argv[2], fsspec.filesystem("file"), True)
"""


def run_in_project(project, *arguments):
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=project,
        env={**os.environ, "DO_NOT_TRACK": "1", "KEDRO_ENV": "test"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr[-3000:]
    return finished.stderr


@pytest.fixture(scope="module")
def saved(project, study, tmp_path_factory):
    """Return the folder with what kedro-viz shows of a finished study."""
    folder = tmp_path_factory.mktemp("viz")
    run_in_project(project, "-c", SAVE, str(study), str(folder))
    return folder


def test_the_flow_is_built_without_tensorflow(project):
    imports = run_in_project(project, "-m", "kedro", "viz", "build")

    assert re.search(r"\|\s+pandas$", imports, re.MULTILINE)  # the record is there
    assert not re.search(r"\|\s+(tensorflow|keras)$", imports, re.MULTILINE)


@pytest.mark.slow
def test_the_six_paths_are_collapsible_groups(saved):
    flow = json.loads((saved / "api/main").read_text())

    assert {path.name for path in current().paths} <= set(flow["modular_pipelines"])


@pytest.mark.slow
def test_the_layers_stand_in_the_order_of_the_flow(saved):
    flow = json.loads((saved / "api/main").read_text())

    assert flow["layers"] == LAYERS


@pytest.mark.slow
def test_no_table_with_a_row_per_image_or_patient_has_a_preview(saved):
    identifying = ("image_id", "patient_id", "Patient ID", "patientId", "Image Index")
    for path in (saved / "api/nodes").iterdir():
        preview = json.dumps(json.loads(path.read_text()).get("preview") or "")
        assert not [name for name in identifying if name in preview], path.name


@pytest.mark.slow
def test_tables_and_figures_have_previews(saved):
    nodes = [json.loads(path.read_text()) for path in (saved / "api/nodes").iterdir()]
    shown = {
        str(node.get("filepath", "")).rsplit("/", 1)[-1]
        for node in nodes
        if node.get("preview")
    }

    assert {"table3.csv", "figure1.png"} <= shown
