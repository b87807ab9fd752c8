"""What tells others of the project agrees with the project."""

import json
import re
import runpy
import tomllib
from pathlib import Path

import pytest
import yaml

import covid_cxr

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LICENCES = runpy.run_path(str(ROOT / "scripts/list_licences.py"))


def test_citation_and_codemeta_name_the_version_and_licence_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    codemeta = json.loads((ROOT / "codemeta.json").read_text("utf-8"))

    for stated in (citation, codemeta):
        assert stated["version"] == covid_cxr.__version__
        assert (
            stated["license"].removeprefix("https://spdx.org/licenses/")
            == (PROJECT["license"])
        )
    assert codemeta["description"] == PROJECT["description"]


def test_the_versions_of_python_are_the_same_everywhere():
    prefix = "Programming Language :: Python :: 3."
    stated = [c for c in PROJECT["classifiers"] if c.startswith(prefix)]
    versions = [one.rsplit(" ", 1)[1] for one in stated]
    tested = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    codemeta = json.loads((ROOT / "codemeta.json").read_text("utf-8"))
    first, last = re.search(
        r"Python (3\.\d+) to (3\.\d+) is needed", (ROOT / "Makefile").read_text("utf-8")
    ).groups()

    assert tested["jobs"]["run"]["strategy"]["matrix"]["python"] == versions
    assert codemeta["runtimePlatform"] == [f"Python {one}" for one in versions]
    assert (first, last) == (versions[0], versions[-1])
    assert PROJECT["requires-python"] == f">={first}"


@pytest.mark.parametrize(
    "file", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda file: file.name
)
def test_what_the_hosting_reads_is_yaml(file):
    assert isinstance(yaml.safe_load(file.read_text("utf-8")), dict)


def test_every_locked_package_has_a_licence_that_goes_with_ours():
    refused = [
        (name, licence)
        for name, _, licence in LICENCES["locked"]()
        if not LICENCES["is_allowed"](name, licence)
    ]

    assert refused == []


@pytest.mark.parametrize(
    "licence",
    ["GPL-3.0-only", "MIT AND AGPL-3.0", "LicenseRef-Proprietary", "not stated"],
)
def test_a_licence_that_does_not_is_refused(licence):
    assert not LICENCES["is_allowed"]("a-package", licence)


def test_the_page_of_licences_is_that_of_the_lock():
    assert LICENCES["PAGE"].read_text("utf-8") == LICENCES["page"]()


@pytest.mark.parametrize(
    "lock", sorted(ROOT.glob("*.lock")), ids=lambda lock: lock.name
)
def test_a_lock_has_hashes_and_names_no_index(lock):
    text = re.sub(r"^#.*\n", "", lock.read_text("utf-8"), flags=re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.strip())

    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?:|--index|--find-links|--trusted", text)
