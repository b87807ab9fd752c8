"""Bars of what is written: on a terminal only, elsewhere each would be a line."""

import io

import pytest
import rich
from rich.console import Console

from covid_cxr.datasets.image_store import ImageStoreDataset
from covid_cxr.datasets.radiograph_folder import RadiographFolderDataset


@pytest.mark.parametrize("is_terminal", [True, False])
def test_bars_are_for_a_terminal(make_plan, tmp_path, monkeypatch, is_terminal):
    said = io.StringIO()
    console = Console(
        file=said, force_terminal=is_terminal, force_interactive=is_terminal
    )
    monkeypatch.setattr(rich, "_console", console)

    images = RadiographFolderDataset(filepath=str(tmp_path / "drawn"))
    images.save([("a.png", b"1")])
    ImageStoreDataset(filepath=str(tmp_path / "store")).save(make_plan())

    assert ("writing drawn" in said.getvalue()) == is_terminal
    assert ("10/10" in said.getvalue()) == is_terminal
    assert is_terminal or not said.getvalue()
