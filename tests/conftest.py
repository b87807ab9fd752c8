"""Fixtures shared by all tests: the project, runs in `conf/test`, one whole study."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from playwright.sync_api import sync_playwright

from covid_cxr.evaluation.inference_settings import Evaluation, Margins, Reporting
from covid_cxr.evaluation.scored_part import ScoredPart
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.study.current import choose
from covid_cxr.study.reading import read_study
from covid_cxr.training.recipe import Recipe

ROOT = Path(__file__).parents[1]
# Test modules ask for the study's paths when they are imported.
choose(read_study((ROOT / "conf/base/study.yml").read_text("utf-8")))
CHROMIUM_OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]


@pytest.fixture(scope="session")
def real_data():
    """Return the folder of published files, which are no part of the project."""
    shared = Path(os.environ.get("COVID_CXR_SHARED") or ROOT.parent / "shared")
    if not (shared / "data").is_dir():
        pytest.skip("real data: there is no data/ in COVID_CXR_SHARED or ../shared")
    return shared / "data"


@pytest.fixture(scope="session")
def project():
    """Return the project's folder, configured for Kedro sessions."""
    bootstrap_project(ROOT)
    return ROOT


@pytest.fixture(scope="session")
def run_kedro(project):
    """Return a function that runs registered pipelines in this process."""

    def run(*pipelines, data_root, params=None, **options):
        runtime_params = {"data_root": str(data_root), **(params or {})}
        with KedroSession.create(
            project, env="test", runtime_params=runtime_params
        ) as session:
            return session.run(pipeline_names=list(pipelines), **options)

    return run


@pytest.fixture(scope="session")
def kedro_command(project):
    """Return a function that gives a command line to `kedro`, in this process."""

    def run(*arguments):
        return CliRunner().invoke(KedroCLI(project), arguments)

    return run


@pytest.fixture(scope="session")
def kedro_process(project):
    """Return a function that runs a `kedro` command line in a process of its own."""

    def run(*arguments, timeout=300):
        return subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=project,
            env={**os.environ, "COLUMNS": "200", "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def hospital(run_kedro, tmp_path_factory):
    """Return a data root that holds the synthetic hospital's raw files."""
    data_root = tmp_path_factory.mktemp("hospital")
    run_kedro("synthesis", data_root=data_root)
    return data_root


@pytest.fixture(scope="session")
def study(run_kedro, hospital):
    """Return the data root of one whole study over the synthetic hospital."""
    run_kedro("__default__", data_root=hospital)
    return hospital


@pytest.fixture(scope="session")
def follow_how_to(study, tmp_path_factory):
    """Return a function that runs a page's commands in a copy of the project.

    It returns the copy's folder, whose data are those of `study`, and what was printed.
    """

    def follow(page):
        folder = tmp_path_factory.mktemp("how_to")
        shutil.copytree(ROOT / "conf", folder / "conf")
        for name in ("pyproject.toml", "LICENSE"):
            shutil.copy(ROOT / name, folder)
        (folder / "src").mkdir()
        (folder / "data").symlink_to(study)
        (folder / "bin").mkdir()
        for name, module in (("covid-cxr", "covid_cxr"), ("kedro", "kedro")):
            command = folder / "bin" / name
            command.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
            command.chmod(0o755)
        blocks = "\n".join(re.findall(r"```bash\n(.*?)```", page, re.DOTALL))
        binaries = (folder / "bin", Path(sys.executable).parent, os.environ["PATH"])
        done = subprocess.run(
            [shutil.which("bash"), "-e", "-c", blocks],
            cwd=folder,
            env={
                **os.environ,
                "PATH": os.pathsep.join(map(str, binaries)),
                "PYTHONPATH": str(ROOT / "src"),
                "KEDRO_ENV": "test",
                "DO_NOT_TRACK": "1",
            },
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return folder, done.stdout

    return follow


@pytest.fixture(scope="session")
def planted(run_kedro, tmp_path_factory):
    """Return the data root of a small hospital with defects, curated and split."""
    defects = (
        *("copy", "stored_anew", "inverted_copy", "inverted", "in_two_cohorts"),
        *("corrupt", "truncated", "wrong_size", "missing", "mixed_labels"),
    )
    data_root = tmp_path_factory.mktemp("planted")
    run_kedro(
        *("synthesis", "ingestion", "curation"),
        data_root=data_root,
        params={
            "synthesis": {
                "nih_images": 200,
                "covid_images": 90,
                "raw_size_px": 96,
                "least_patients": 5,
            },
            "defects": dict.fromkeys(defects, 1),
            "curation": {"size_px": 64, "workers": 1},
        },
    )
    return data_root


@pytest.fixture(scope="session")
def make_recipe():
    """Return a function that makes a recipe, with what a test changes."""

    def make(**changes):
        settings = {
            "learning_rate": 0.02,
            "momentum": 0.9,
            "weight_decay": 0.01,
            "decay": "coupled_l2",
            "batch_images": 8,
            "max_epochs": 3,
            "plateau_epochs": 3,
            "plateau_factor": 0.1,
            "stop_epochs": 10,
            "flip": True,
            "rotation_degrees": 8.0,
            "crop_share": 0.1,
            "seed": 11,
        }
        return Recipe(**{**settings, **changes})

    return make


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium; `.ci/run` installs it where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium, args=CHROMIUM_OPTIONS
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def open_offline(browser):
    """Return a function that opens an HTML file without a network.

    The page keeps what it asked for in `requests` and its errors in `complaints`.
    """

    def open_file(place, *, width=1280, height=900, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True, **options
        )
        page = context.new_page()
        page.requests, page.complaints = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(place.as_uri())
        return page

    return open_file


@pytest.fixture(scope="session")
def reporting():
    return Reporting(level=0.95, significance=0.05, seed=1)


@pytest.fixture(scope="session")
def evaluation():
    return Evaluation(
        target_sensitivity=0.9,
        prevalences=[0.1, 0.5],
        max_false_positive_rate=0.2,
        least_sensitivity=0.8,
        specificity=0.9,
        decision_threshold=0.2,
        bootstrap_replicates=200,
        calibration_bins=4,
        age_edges=[40, 60],
        least_subgroup_patients=5,
        power=0.8,
        primary_auroc="image",
        seed=1,
    )


@pytest.fixture(scope="session")
def margins():
    return Margins(auroc=0.1, sensitivity=0.2, specificity=None, ppv=0.3, npv=None)


def scored_part(seed, n_images=160):
    """Return two overconfident classifiers' probabilities, two images a patient."""
    rng = np.random.default_rng(seed)
    is_case = np.repeat(rng.random(n_images // 2) < 0.5, 2)
    signal = 1.5 * (is_case - 0.5)[:, np.newaxis] + rng.standard_normal((n_images, 2))
    scores = 1 / (1 + np.exp(-3 * signal * [1.0, 0.4] - [0.0, 1.0]))
    images = [f"image_{i:03d}" for i in range(n_images)]
    return ScoredPart(
        is_case=is_case,
        scores=pd.DataFrame(scores, columns=["sharp", "dull"], index=images),
        patients=np.repeat([f"p{i}" for i in range(n_images // 2)], 2).astype(object),
    )


@pytest.fixture(scope="session")
def validation():
    return scored_part(1)


@pytest.fixture(scope="session")
def test_part():
    return scored_part(2)


@pytest.fixture
def folder_of():
    """Return a function that makes a folder holding the named files."""

    def make(*names, root=Path("raw"), is_synthetic=False):
        files = tuple(f"images/{name}" for name in names)
        return RadiographFolder(
            root=root, files=files, others=(), is_synthetic=is_synthetic
        )

    return make


@pytest.fixture(scope="session")
def dicom_errors():
    """Return a function: how a DICOM file breaks the standard, in dciodvfy's words.

    It comes with the package dicom3tools, and knows modules, types and values.
    """
    dciodvfy = Path(sys.executable).with_name("dciodvfy")

    def errors_of(place):
        said = subprocess.run(
            [dciodvfy, place], check=False, capture_output=True, text=True
        )
        lines = said.stderr.splitlines()
        return [line for line in lines if line.startswith("Error")]

    return errors_of
