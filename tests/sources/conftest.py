"""Fixtures of the sources' tests: folders without image files behind them."""

import pytest

from covid_cxr.radiographs.folder import list_folder


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
