"""The wheel is whole, and runs outside of the repository with a conf of its own."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the wheel, built from a copy of what it is built from."""
    folder = tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    subprocess.run(
        [sys.executable, *("-m", "build", "--wheel", "--no-isolation", str(folder))],
        capture_output=True,
        check=True,
    )
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def run_packaged(wheel, tmp_path_factory):
    """Return a function that runs the unpacked wheel in a folder, as `covid-cxr`."""
    site = tmp_path_factory.mktemp("site")
    shutil.unpack_archive(wheel, site, "zip")

    def run(*arguments, folder):
        return subprocess.run(
            [sys.executable, "-m", "covid_cxr", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(site), "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


def test_the_wheel_holds_every_file_of_the_package(wheel):
    package = ROOT / "src/covid_cxr"
    there = {
        str(file.relative_to(package.parent))
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert held == there
    assert "covid_cxr/cohorts/vocabulary.csv" in held


def test_it_runs_from_the_archive_of_its_conf(run_packaged, tmp_path):
    with tarfile.open(tmp_path / "conf.tar.gz", "w:gz") as archive:
        archive.add(ROOT / "conf", arcname="conf")

    done = run_packaged(
        *("run", "--conf-source=conf.tar.gz", "--env=test"),
        *("--pipelines=planning", "--params=data_root=here"),
        folder=tmp_path,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "here/08_reporting").rglob("*.csv"))


def test_it_runs_the_study_of_another_folder(run_packaged, tmp_path):
    shutil.copytree(ROOT / "conf/base", tmp_path / "elsewhere/base")
    mine = tmp_path / "elsewhere/mine"
    mine.mkdir()
    (mine / "study.yml").write_text(
        "cohorts: {clinic: {source: manifest}}\n"
        "target:\n"
        "  {cohort: clinic, labels: [tuberculosis], name: tuberculosis, "
        "reference: culture, split: {test: 0.4, validation: 0.25}}\n"
        "paths: {a: [target]}\n"
    )
    (mine / "parameters.yml").write_text(
        "synthesis: {images: {clinic: 40}, raw_size_px: 64, workers: 1}\n"
    )

    done = run_packaged(
        *("run", "--conf-source=elsewhere", "--env=mine"),
        "--pipelines=synthesis,ingestion",
        folder=tmp_path,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "data/02_intermediate/clinic_radiographs.parquet").exists()


def test_without_a_conf_it_says_what_is_missing(run_packaged, tmp_path):
    done = run_packaged("run", folder=tmp_path)

    assert done.returncode != 0
    assert "study.yml" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
