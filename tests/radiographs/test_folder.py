import logging
import unicodedata

import pytest

from covid_cxr.radiographs.folder import list_folder


@pytest.fixture
def folder(tmp_path):
    def fill(*paths):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
        return tmp_path

    return fill


def test_files_are_found_by_name_in_one_folder_or_twelve(folder):
    root = folder("images_001/images/a.png", "images_012/images/b.png", "c.PNG")

    radiographs = list_folder(root)

    assert radiographs.find("a.png") == "images_001/images/a.png"
    assert radiographs.find("b.png") == "images_012/images/b.png"
    assert radiographs.find("c.PNG") == "c.PNG"
    assert radiographs.find("d.png") is None
    assert radiographs.root == root


def test_a_path_finds_exactly_that_file(folder):
    radiographs = list_folder(folder("s1/1.dcm", "s2/1.dcm"))

    assert radiographs.find("s1/1.dcm") == "s1/1.dcm"
    assert radiographs.find("s2/1.dcm") == "s2/1.dcm"
    assert radiographs.find("s3/1.dcm") is None


def test_a_name_of_several_files_is_of_none_and_they_are_counted(folder, caplog):
    root = folder("b/x.png", "a/x.png", "c/x.png")

    with caplog.at_level(logging.WARNING):
        radiographs = list_folder(root)

    assert radiographs.find("x.png") is None
    assert radiographs.locate("x.png") == ("a/x.png", "b/x.png", "c/x.png")
    assert radiographs.find("b/x.png") == "b/x.png"
    assert "3 image files" in caplog.text


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("./neg/2.png", "neg/2.png"),
        ("neg\\2.png", "neg/2.png"),
        ("NEG/2.PNG", "neg/2.png"),
        ("u.png", "U.PNG"),
        ("neg/2", "neg/2.png"),
        ("2.jpg", "neg/2.png"),
        ("IM000001", "IM000001"),
        ("t.tif", "t.tif"),
        ("T", "t.tif"),
        (unicodedata.normalize("NFC", "Ä.png"), unicodedata.normalize("NFD", "Ä.png")),
        (unicodedata.normalize("NFD", "Ö.png"), unicodedata.normalize("NFC", "Ö.png")),
        ("patient.1", "patient.1.dcm"),
        ("../neg/2.png", None),
        ("neg/../neg/2.png", None),
        ("/neg/2.png", None),
        ("..\\secret.png", None),
        ("", None),
        ("3.png", None),
    ],
)
def test_a_file_is_found_as_people_write_its_name(folder, written, found):
    names = ["neg/2.png", "U.PNG", "IM000001", "t.tif", "patient.1.dcm"]
    names += [
        unicodedata.normalize(f, n) for f, n in (("NFD", "Ä.png"), ("NFC", "Ö.png"))
    ]

    assert list_folder(folder(*names)).find(written) == found


@pytest.mark.parametrize(
    ("names", "written", "exact"),
    [
        (["a/1.png", "b/1.PNG"], "1.png", "a/1.png"),
        (["a/1.png", "b/1.PNG"], "1.Png", None),
        (["a/1.png", "b/1.dcm"], "1", None),
        (["1.png", "a/1.png"], "1.png", "1.png"),
    ],
)
def test_what_is_written_exactly_counts_before_what_is_alike(
    folder, names, written, exact
):
    assert list_folder(folder(*names)).find(written) == exact


def test_only_image_files_are_listed(folder):
    root = folder(
        "a.png", "b.jpg", "c.JPEG", "d.dcm", "e.dicom", "Data_Entry.csv", "._a.png"
    )

    listed = list_folder(root)
    assert listed.files == ("a.png", "b.jpg", "c.JPEG", "d.dcm", "e.dicom")
    assert listed.others == ("Data_Entry.csv",)


@pytest.mark.parametrize("is_synthetic", [False, True])
def test_the_marker_tells_synthetic_folders(folder, is_synthetic):
    root = folder("a.png", *(["SYNTHETIC"] if is_synthetic else []))

    assert list_folder(root).is_synthetic is is_synthetic


def test_linked_folders_are_followed_once(folder, tmp_path_factory):
    archive = tmp_path_factory.mktemp("archive")
    (archive / "far.png").touch()
    root = folder("near.png")
    (root / "linked").symlink_to(archive)
    (root / "circle").symlink_to(root)

    assert list_folder(root).files == ("near.png", "linked/far.png")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list_folder(tmp_path / "nowhere")


def test_masks_beside_the_radiographs_are_not_taken_for_them(folder):
    root = folder("positive/a.png", "masks/a.png", "masks/deep/b.png", "s/masks/c.png")

    radiographs = list_folder(root)

    assert radiographs.files == ("positive/a.png", "s/masks/c.png")
    assert radiographs.find("b.png") is None
    assert list_folder(root / "masks").find("a.png") == "a.png"


def test_further_files_are_found_by_a_pattern_at_any_depth_in_either_case(tmp_path):
    for name in ("b/Labels_covid_NEG_JAN21.tsv", "a.tsv", "._labels_neg.tsv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    found = list_folder(tmp_path).named("labels*neg*.tsv", "none.csv")

    assert [path.name for path in found] == ["Labels_covid_NEG_JAN21.tsv"]
