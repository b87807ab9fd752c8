import pytest

from covid_cxr.cohorts.label_files import find_label_files, read_label_table


def test_label_files_are_found_at_any_depth_in_either_case(tmp_path):
    for name in ("b/Labels_covid_NEG_JAN21.tsv", "a.tsv", "._labels_neg.tsv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    found = find_label_files(tmp_path, ["labels*neg*.tsv", "none.csv"])

    assert [path.name for path in found] == ["Labels_covid_NEG_JAN21.tsv"]


def test_linked_folders_are_followed_once(tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/train.txt").touch()
    (tmp_path / "covid").mkdir()
    (tmp_path / "covid/linked").symlink_to(tmp_path / "archive")
    (tmp_path / "archive/back").symlink_to(tmp_path / "covid")

    found = find_label_files(tmp_path / "covid", ["train*.txt"])

    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "covid/linked/train.txt"
    ]


@pytest.mark.parametrize(("name", "separator"), [("a.tsv", "\t"), ("a.csv", ",")])
def test_a_table_is_read_as_text(tmp_path, name, separator):
    (tmp_path / name).write_text(f"id{separator}n\n007{separator}1\n")

    assert read_label_table(tmp_path / name).to_dict("list") == {
        "id": ["007"],
        "n": ["1"],
    }


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n1,2,3,4\n", b"caf\xe9\n\xff\n"])
def test_a_file_that_is_no_table_is_named(tmp_path, content):
    (tmp_path / "labels.csv").write_bytes(content)

    with pytest.raises(ValueError, match=r"labels\.csv cannot be read as a table"):
        read_label_table(tmp_path / "labels.csv")
