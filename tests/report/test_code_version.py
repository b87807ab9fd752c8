"""Which code made a report: from a clone, from an edited one, from none."""

import shutil
import subprocess

import numpy as np
import pytest

import covid_cxr
from covid_cxr.report.code_version import code_version, package_versions

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no Git")


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=0"]
    finished = subprocess.run(
        [shutil.which("git"), *identity, "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


@pytest.fixture
def clone(tmp_path):
    """Return the folder of a package inside a clone with one commit."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    git(tmp_path, "tag", "v9")
    return package


def test_a_clone_is_known_by_its_commit(clone):
    found = code_version(clone)

    commit = git(clone, "rev-parse", "HEAD")
    assert found == {
        "version": covid_cxr.__version__,
        "commit": commit,
        "edited": "no",
    }


def test_an_edited_clone_is_said_to_be(clone):
    (clone / "__init__.py").write_text("edited = True\n")

    assert code_version(clone)["edited"] == "yes"


def test_a_package_outside_any_clone_has_its_version_only(tmp_path):
    assert code_version(tmp_path) == {"version": covid_cxr.__version__}


def test_a_package_installed_below_somebodys_clone_is_not_of_that_clone(clone):
    installed = clone.parent / "site-packages"
    installed.mkdir()
    (installed / "__init__.py").write_text("")

    assert code_version(installed) == {"version": covid_cxr.__version__}


def test_the_versions_are_those_that_are_installed():
    versions = package_versions()

    assert versions["numpy"] == np.__version__
    assert versions["python"].count(".") == 2
