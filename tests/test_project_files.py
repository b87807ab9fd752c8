"""What tells others of the project agrees with the project."""

import json
import os
import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import covid_cxr

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))  # not config.yml
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


def test_citation_and_codemeta_name_the_authors_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    codemeta = json.loads((ROOT / "codemeta.json").read_text("utf-8"))
    authors = [one["name"] for one in PROJECT["authors"]]

    assert [one["name"] for one in citation["authors"]] == authors
    assert [one["name"] for one in codemeta["author"]] == authors
    assert codemeta["keywords"] == citation["keywords"]
    assert set(citation) >= {"cff-version", "message", "title", "authors"}  # CFF 1.2.0
    assert codemeta["@context"].startswith("https://w3id.org/codemeta/")


def test_the_systems_are_the_same_everywhere():
    prefix = "Operating System :: "
    stated = [c for c in PROJECT["classifiers"] if c.startswith(prefix)]
    systems = {one.rsplit(" ", 1)[1] for one in stated}
    codemeta = json.loads((ROOT / "codemeta.json").read_text("utf-8"))
    tested = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    matrix = tested["jobs"]["run"]["strategy"]["matrix"]
    runners = [*matrix["os"], *(one["os"] for one in matrix["include"])]
    names = {"ubuntu-latest": "Linux", "macos-latest": "macOS"}

    assert {names[one] for one in runners} == set(codemeta["operatingSystem"])
    assert {one.lower() for one in codemeta["operatingSystem"]} == {
        one.lower() for one in systems
    }


def test_every_step_of_the_workflow_is_a_pinned_action_or_a_script_that_is_there():
    tested = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))

    assert True in tested  # YAML 1.1 takes the key `on` for a truth value
    for step in tested["jobs"]["run"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"])
        elif step["run"].startswith("make "):
            subprocess.run(
                ["make", "--dry-run", *step["run"].split()[1:]],  # noqa: S607
                cwd=ROOT,
                check=True,
                capture_output=True,
            )
        else:
            assert os.access(ROOT / step["run"], os.X_OK)


@pytest.mark.parametrize("named", ["", "data/08_reporting/report.html"])
def test_a_report_is_published_only_if_it_is_named(named):
    printed = subprocess.run(
        ["make", "--dry-run", "docs", f"REPORT={named}"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert (f"cp {named} build/site/tutorials/report.html" in printed) == bool(named)
    assert ("08_reporting" in printed) == bool(named)
    assert (ROOT / "docs/tutorials/report.html").exists()  # else its link is lost


def test_dependabot_looks_where_there_is_something():
    asked = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text("utf-8"))

    assert asked["version"] == 2
    found = {
        "pip": ROOT / "pyproject.toml",
        "github-actions": ROOT / ".github/workflows",
    }
    assert {one["package-ecosystem"] for one in asked["updates"]} == set(found)
    for one in asked["updates"]:
        assert one["directory"] == "/"
        assert found[one["package-ecosystem"]].exists()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_an_issue_form_has_what_the_hosting_asks_of_one(form):
    asked = yaml.safe_load(form.read_text("utf-8"))
    fields = [one for one in asked["body"] if one["type"] != "markdown"]
    ids = [one["id"] for one in fields]

    assert all(isinstance(asked[key], str) for key in ("name", "description"))
    assert fields
    assert {one["type"] for one in fields} <= {"textarea", "checkboxes"}
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", one) for one in ids)
    assert all(isinstance(one["attributes"]["label"], str) for one in fields)


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
