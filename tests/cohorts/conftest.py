"""Fixtures of the cohorts' tests: folders without image files behind them."""

from pathlib import Path

import pytest

from covid_cxr.radiographs.folder import RadiographFolder, list_folder


@pytest.fixture
def folder_of():
    """Return a function that makes a folder holding the named files."""

    def make(*names, root=Path("raw"), is_synthetic=False):
        files = tuple(f"images/{name}" for name in names)
        return RadiographFolder(
            root=root, files=files, others=(), is_synthetic=is_synthetic
        )

    return make


@pytest.fixture
def unpacked(tmp_path):
    """Return a function that writes files below a folder and lists its images."""

    def make(files, *, folder=""):
        for name, text in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list_folder(tmp_path)

    return make
