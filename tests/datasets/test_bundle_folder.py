"""Bundles on disk: whole, or not there."""

from zipfile import ZipFile

import pytest

from covid_cxr.datasets.bundle_folder import BundleFiles, BundleFolderDataset


@pytest.fixture
def bundles(tmp_path):
    return BundleFolderDataset(filepath=str(tmp_path / "bundles"))


def test_a_bundle_is_a_folder_and_a_zip_of_the_same_files(bundles, tmp_path):
    content = {"bundle.json": b"{}", "selftest/1.png": b"pixels"}

    bundles.save(BundleFiles(name="mine", content=content))

    (folder,) = bundles.load()
    assert folder == tmp_path / "bundles/mine"
    assert {n: (folder / n).read_bytes() for n in content} == content
    with ZipFile(tmp_path / "bundles/mine.zip") as archive:
        assert {n: archive.read(f"mine/{n}") for n in content} == content
        assert len(archive.namelist()) == len(content)


def test_what_a_killed_run_left_is_no_bundle(bundles, tmp_path):
    (tmp_path / "bundles/.mine.part").mkdir(parents=True)

    assert bundles.load() == []
    assert not bundles.exists()
