"""Fixtures of the cohorts' tests: folders without image files behind them."""

from pathlib import Path

import pytest

from covid_cxr.radiographs.folder import RadiographFolder


@pytest.fixture
def folder_of():
    """Return a function that makes a folder holding the named files."""

    def make(*names, root=Path("raw"), is_synthetic=False):
        files = {name: f"images/{name}" for name in names}
        return RadiographFolder(root=root, files=files, is_synthetic=is_synthetic)

    return make
