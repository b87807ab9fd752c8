"""Tables that come with the package."""

import pytest

from covid_cxr.packaged_csv import read_packaged_csv


@pytest.fixture
def table(tmp_path):
    return tmp_path / "words.csv"


def test_cells_come_by_column_without_marks_blanks_and_empty_lines(table):
    table.write_text('\ufeffa,b\n1, "x"\n\n"2, 3",y \n', encoding="utf-8")

    assert read_packaged_csv(table, ("a", "b")) == [
        {"a": "1", "b": '"x"'},
        {"a": "2, 3", "b": "y"},
    ]


def test_lines_within_a_cell_stay_apart(table):
    table.write_bytes(b'a,b\r\n1,"two\r\nlines"\r\n')

    assert read_packaged_csv(table, ("a", "b")) == [{"a": "1", "b": "two\nlines"}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('a,b\n1,"2\n3,4\n', "words.csv is no CSV .*mark without its other"),
        ("b,a\n1,2\n", r"words.csv must have the columns a, b, .*\['b', 'a'\]"),
        ("a;b\n1;2\n", r"words.csv must have the columns a, b, .*\['a;b'\]"),
        ("", r"words.csv must have the columns a, b, .* begins with \[\]"),
        ("a,b\n1,2,3\n", r"words.csv has a row of 3 cells, expected 2: \['1', '2'"),
        ("a,b\n1\n", "words.csv has a row of 1 cells, expected 2"),
    ],
)
def test_other_columns_and_rows_of_other_lengths_are_refused(table, text, told):
    table.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=told):
        read_packaged_csv(table, ("a", "b"))
