import gzip

import pytest
from kedro.io import DataCatalog, DatasetError

TYPE = "covid_cxr.datasets.user_text.UserTextDataset"


def load(path):
    return DataCatalog.from_config({"t": {"type": TYPE, "filepath": str(path)}}).load(
        "t"
    )


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_list_is_read_in_its_code(tmp_path, codec, pack):
    (tmp_path / "list.txt").write_bytes(pack("ä_000.png\nb.png\n".encode(codec)))

    assert load(tmp_path / "list.txt").split() == ["ä_000.png", "b.png"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html>", b"a\x00b\n"])
def test_what_is_no_list_is_named(tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content)

    with pytest.raises(DatasetError, match=r"list\.txt"):
        load(tmp_path / "list.txt")
