import pytest
from kedro.io import DatasetError

from covid_cxr.datasets.radiograph_folder import RadiographFolderDataset


@pytest.fixture
def dataset(tmp_path):
    return RadiographFolderDataset(filepath=str(tmp_path / "raw"))


def files(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != "SYNTHETIC"
    }


def test_what_is_saved_is_listed_as_synthetic(dataset, tmp_path):
    dataset.save([("a.png", b"1"), ("images_002/b.png", b"2")])

    folder = dataset.load()

    assert folder.is_synthetic
    assert folder.files == ("a.png", "images_002/b.png")
    assert files(tmp_path / "raw") == {"a.png": b"1", "images_002/b.png": b"2"}


def test_a_generator_is_written_file_by_file(dataset, tmp_path):
    def lazily():
        for i in range(3):
            there = files(tmp_path / "raw")
            assert len(there) == i
            # A run killed here must be able to write these files again.
            marker = tmp_path / "raw" / "SYNTHETIC"
            assert set(there) == set(marker.read_text().split())
            yield f"{i}.png", b"content"

    dataset.save(lazily())

    assert len(files(tmp_path / "raw")) == 3


def test_real_files_are_never_mixed_with_synthetic_ones(dataset, tmp_path):
    (tmp_path / "raw" / "deep").mkdir(parents=True)
    (tmp_path / "raw" / "deep" / "real.dcm").write_bytes(b"real")

    with pytest.raises(DatasetError, match="did not write"):
        dataset.save([("a.png", b"1")])

    assert files(tmp_path / "raw") == {"deep/real.dcm": b"real"}
    assert not (tmp_path / "raw" / "SYNTHETIC").exists()


def test_a_real_file_put_beside_synthetic_ones_is_never_removed(dataset, tmp_path):
    dataset.save([("a.png", b"1")])
    (tmp_path / "raw" / "real.png").write_bytes(b"real")

    with pytest.raises(DatasetError, match=r"real\.png"):
        dataset.save([("b.png", b"2")])

    assert files(tmp_path / "raw") == {"a.png": b"1", "real.png": b"real"}


def test_other_files_of_the_cohort_are_left_alone(dataset, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "labels.csv").write_bytes(b"table")

    dataset.save([("a.png", b"1")])

    assert files(tmp_path / "raw") == {"a.png": b"1", "labels.csv": b"table"}


def test_synthetic_files_of_an_earlier_run_are_removed(dataset, tmp_path):
    dataset.save([("a.png", b"1"), ("b.png", b"2")])

    dataset.save([("b.png", b"3"), ("c.png", b"4")])

    assert files(tmp_path / "raw") == {"b.png": b"3", "c.png": b"4"}


def test_a_save_that_breaks_off_can_be_repeated(dataset, tmp_path):
    def breaking():
        yield "a.png", b"1"
        raise OSError("disk full")

    with pytest.raises(DatasetError, match="disk full"):
        dataset.save(breaking())
    assert files(tmp_path / "raw") == {"a.png": b"1"}
    assert dataset.load().is_synthetic

    dataset.save([("b.png", b"2")])
    assert files(tmp_path / "raw") == {"b.png": b"2"}


@pytest.mark.parametrize("name", ["../a.png", "/tmp/a.png", "labels.csv", ".png"])  # noqa: S108 - refused
def test_names_that_lead_elsewhere_are_refused(dataset, name):
    with pytest.raises(DatasetError, match="cannot be written"):
        dataset.save([(name, b"1")])


def test_a_folder_without_images_does_not_exist(dataset, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "labels.csv").touch()

    assert not dataset.exists()
    with pytest.raises(DatasetError, match="put the published image files there"):
        dataset.load()


def test_readings_beside_the_images_come_and_go_with_them(dataset, tmp_path):
    dataset.save([("a.png", b"1"), ("readings/a.txt", b"male 45yrs")])
    first = (tmp_path / "raw/readings/a.txt").read_bytes()
    dataset.save([("a.png", b"1"), ("readings/b.txt", b"female 30yrs")])

    assert first == b"male 45yrs"
    texts = [path.name for path in (tmp_path / "raw").rglob("*.txt")]
    assert texts == ["b.txt"]


def test_a_text_of_somebody_else_is_never_overwritten(dataset, tmp_path):
    notes = tmp_path / "raw/notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")

    with pytest.raises(DatasetError, match="was not written by the synthesis"):
        dataset.save([("a.png", b"1"), ("notes.txt", b"drawn")])

    assert notes.read_text() == "mine"
