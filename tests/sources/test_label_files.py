from covid_cxr.sources.label_files import find_label_files


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
