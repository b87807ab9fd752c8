"""Which code made a report: its version, and its commit where there is one."""

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import covid_cxr

# What the numbers of a report depend on beside the training's own record.
PACKAGES = (
    *("kedro", "numpy", "pandas", "scipy", "scikit-learn", "statsmodels"),
    *("pydicom", "opencv-python-headless", "zarr", "tensorflow", "keras"),
    *("matplotlib", "plotly", "jinja2"),
)
_DIRTY = "-dirty"


def code_version(folder: Path) -> dict[str, str]:
    """Return `version` and, inside a clone that tracks the code, `commit` and `edited`.

    `commit` is the whole hash; `edited` is "yes" where tracked files differ from it.

    Args:
        folder: Of the package.
    """
    version = {"version": covid_cxr.__version__}
    # A package that was installed below somebody's clone is not of that clone.
    if not _git(folder, "ls-files", "--error-unmatch", "__init__.py"):
        return version
    described = _git(
        folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"
    )
    if not described:
        return version
    edited = "yes" if described.endswith(_DIRTY) else "no"
    return {**version, "commit": described.removesuffix(_DIRTY), "edited": edited}


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers depend on."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, **{name: metadata.version(name) for name in PACKAGES}}


def _git(folder: Path, *arguments: str) -> str:
    """Return what Git says, or nothing where there is no Git or no clone."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "-C", str(folder), *arguments]
    finished = subprocess.run(  # noqa: S603 - fixed words, and the package's own folder
        command, capture_output=True, text=True, check=False
    )
    return finished.stdout.strip() if finished.returncode == 0 else ""
