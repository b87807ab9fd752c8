"""Tables as spreadsheets, scripts and downloads make them; nothing in them is real."""

import csv
import gzip
import io
import logging
import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from covid_cxr.user_csv import read_user_csv
from covid_cxr.user_numbers import PIXELS, line_of, numbers

PLAIN = "image,patient,site\n0001.png,004,NA\n0002.png,4,München\n"
ROWS = {
    "image": ["0001.png", "0002.png"],
    "patient": ["004", "4"],
    "site": ["NA", "München"],
}


def read(text, **options):
    return read_user_csv(text.encode(), name="manifest.csv", **options)


@pytest.mark.parametrize(
    "codec",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_codes_separators_and_line_ends_are_told_apart(codec, separator, end):
    text = PLAIN.replace(",", separator).replace("\n", end)

    table = read_user_csv(text.encode(codec), name="manifest.csv")

    assert table.to_dict("list") == ROWS
    assert set(map(str, table.dtypes)) == {"str"}


def test_a_byte_that_windows_has_not_is_read_as_latin_1():
    table = read_user_csv(b"site,n\ncaf\xe9\x81,1\n", name="a.csv")

    assert table["site"].tolist() == ["café\x81"]


def test_what_was_decided_is_said_once(caplog):
    caplog.set_level(logging.INFO)

    read_user_csv("image;x0\na;0,5\nb;1\n".encode("utf-16"), name="crops.csv")

    (record,) = caplog.records
    assert record.message == (
        "crops.csv: read as UTF-16, separated by semicolons; 2 columns, 2 rows; "
        "decimal commas in x0"
    )


@pytest.mark.parametrize("word", ["NA", "N/A", "None", "nan", "NULL", "-", " ", "#N/A"])
def test_only_an_empty_cell_is_missing(word):
    table = read(f'image,site\na,{word}\nb,\nc,""\n')

    assert table["site"].isna().tolist() == [False, True, True]
    assert table.loc[0, "site"] == word


@pytest.mark.parametrize("number", ["004", "4.0", "1e3", "1_000", "00", "+1", "True"])
def test_numbers_stay_as_they_are_written(number):
    assert read(f"id,n\n{number},1\n")["id"].tolist() == [number]


@pytest.mark.parametrize("separator", [";", ",", "\t", "#", " "])
def test_the_separator_that_excel_states_is_taken(separator):
    text = f"sep={separator}\r\nid{separator}n, m|o;p\r\n1{separator}2\r\n"
    if separator in ",;":
        text = text.replace("n, m|o;p", "n")

    table = read(text.replace(", ", ",") if separator == " " else text)

    assert table.iloc[0].tolist() == ["1", "2"]
    assert line_of(table, 0) == "line 3 of manifest.csv"


def test_a_separator_in_quoted_names_does_not_count():
    table = read('"size, px";"a, b, c";n\n1;2;3\n')

    assert list(table) == ["size, px", "a, b, c", "n"]


def test_the_separator_is_that_by_which_the_rows_fit():
    assert len(read("image;age, years;sex\na;1;M\nb;2;F\n").columns) == 3


def test_a_separator_that_cannot_be_told_is_asked_for():
    with pytest.raises(ValueError, match="commas or semicolons: either gives 2"):
        read("image;x,y\na;1,2\nb;3,4\n")


@pytest.mark.parametrize(
    ("rows", "line", "n_cells"),
    [
        ("0001.png,0,0,90,90,\n", 2, 6),
        ("a,0,0,9,9\n0001.png,0,0,90,90,7\n", 3, 6),
        ('"a\nb",0,0,9,9\n\n0001.png,0,0,90,90,,,\n', 5, 8),
    ],
)
def test_a_row_longer_than_the_header_is_refused_with_its_line(rows, line, n_cells):
    with pytest.raises(
        ValueError, match=rf"crops\.csv, line {line}: {n_cells} cells, .* has 5"
    ):
        read_user_csv(f"image,x0,y0,x1,y1\n{rows}".encode(), name="crops.csv")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("image,sex,age\na,M,61\nb,62\n", 3),
        ("image,sex,age\na,61\nb,62\n", 2),
        ("image,sex,age\na,M,\nb,M", 3),  # cut off in the last line
    ],
)
def test_a_row_that_ends_early_is_refused_with_its_line(text, line):
    with pytest.raises(ValueError, match=rf"manifest\.csv, line {line}: 2 cells"):
        read(text)


def test_separators_of_blank_cells_that_a_spreadsheet_left_out_are_filled_in(caplog):
    table = read("image,sex,date\na,M,2020\nb,F,\nc,F\n")

    assert table["date"].isna().tolist() == [False, True, True]
    assert "1 rows end before the header does, as line 4" in caplog.text


def test_separators_that_end_the_header_alone_are_no_columns_that_rows_lack(caplog):
    table = read("image,x,,,\na,1\nb,2,,,\nc,3\n")

    assert list(table)[:2] == ["image", "x"]
    assert table["x"].tolist() == ["1", "2", "3"]
    assert table.iloc[:, 2:].isna().all(axis=None)
    assert not [one for one in caplog.records if one.levelname == "WARNING"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("image,x,,\na,1,2,3\nb,2,3\nc,4,5,6\n", 3),  # a value without a name
        ("image,x,date,,\na,1,,,\nb,2\n", 3),
    ],
)
def test_a_row_that_lacks_more_than_the_headers_last_separators_is_said(
    caplog, text, line
):
    read(text)

    assert f"1 rows end before the header does, as line {line}" in caplog.text


def test_a_header_that_ends_in_a_separator_makes_a_column_without_a_name():
    table = read("image,age,\na,1,\nb,2\n")

    assert list(table) == ["image", "age", "Unnamed: 2"]
    assert table["age"].tolist() == ["1", "2"]


def test_an_index_without_a_name_is_a_column():
    assert list(read(",image\n0,a\n")) == ["Unnamed: 0", "image"]


@pytest.mark.parametrize("header", ["a,a", "a, a", "a,\ufeffa"])
def test_columns_of_one_name_are_refused(header):
    with pytest.raises(ValueError, match="more than one column called a"):
        read(f"{header}\n1,2\n")


def test_rows_without_a_value_are_left_out_and_lines_still_counted():
    table = read("image,n\n\na,1\n,\n \nb,x\n")

    assert table["image"].tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"line 6 of manifest\.csv: n is 'x'"):
        numbers(table, ["n"])


def test_line_breaks_in_cells_are_read_and_counted():
    table = read('image,note\na,"one\ntwo\r\nthree"\nb,x\nc,y\n')

    assert table["note"].tolist()[0] == "one\ntwo\r\nthree"
    assert line_of(table, 2) == "line 6 of manifest.csv"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0,5", "1,25"], ["0.5", "1.25"]),
        (["1", "", "-0,5", "2,5e-3"], ["1", None, "-0.5", "2.5e-3"]),
        ([",5", "1,234"], [".5", "1.234"]),
        (["1,234", "2,345"], ["1,234", "2,345"]),  # thousands, or decimals
        (["1.234,5", "2,5"], ["1.234,5", "2,5"]),
        (["0.5", "0,5"], ["0.5", "0,5"]),
        (["1,5", "x"], ["1,5", "x"]),
        (["1", "2"], ["1", "2"]),
    ],
)
@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_decimal_commas_become_points_where_nothing_else_can_be_meant(
    cells, expected, separator
):
    rows = "".join(f"a{separator}{cell}\n" for cell in cells)

    table = read(f"image{separator}score\n{rows}")

    assert (
        table["score"].astype("object").where(table["score"].notna(), None).tolist()
        == expected
    )


def test_where_commas_separate_decimals_have_points():
    assert read('image,score\na,"0,5"\n')["score"].tolist() == ["0,5"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\r\n \n", "is empty"),
        (b"\xef\xbb\xbf", "no header line"),
        (b"a,b\n1,\x002\n", "zero byte in line 2"),
        (b"a,b\n1,2\n" + bytes(4096), "zero byte in line 3"),
        (b"\xd0\xcf\x11\xe0 rest", "Excel workbook"),
        (b"PAR1 rest", "parquet"),
        (b"<!DOCTYPE html><p>Log in", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\x1f\x8b\x08\x00 broken", "packed with gzip and damaged"),
        ("a,b\né,ü\nö,ä\n".encode() + b"caf\xe9,1\n", "UTF-8 but for 1 bytes.* line 4"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "damaged or cut off"),
        (b'a,b\n1,"2\n3,4\n', "begins in line 2"),
        (b'a,b\n1,2\n3,"say "hi""\n', "begins in line 3"),
    ],
)
def test_what_is_no_table_is_refused_with_what_it_is(content, expected):
    with pytest.raises(ValueError, match=f"manifest\\.csv.*{expected}"):
        read_user_csv(content, name="manifest.csv")


def test_a_workbook_with_the_name_of_a_table_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "manifest.csv", "w") as workbook:
        workbook.writestr("xl/workbook.xml", "<x/>")

    with pytest.raises(ValueError, match=r"manifest\.csv is a ZIP archive or an Excel"):
        read_user_csv(tmp_path / "manifest.csv")


def test_a_folder_is_refused_and_an_absent_file_is_said(tmp_path):
    with pytest.raises(ValueError, match="is a folder"):
        read_user_csv(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_user_csv(tmp_path / "none.csv")


def test_a_table_packed_with_gzip_is_read(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))

    assert read_user_csv(tmp_path / "a.csv.gz").to_dict("list") == ROWS


def test_a_header_without_rows_is_an_empty_table():
    table = read("image,x0\n")

    assert (list(table), len(table)) == (["image", "x0"], 0)
    assert set(map(str, table.dtypes)) == {"str"}


# No digits: a column of ",0" has decimal commas, and gets points.
CELLS = st.text(st.sampled_from('abx,;\t|"\n\r éß-.'), min_size=1, max_size=5)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_every_table_that_is_written_is_read_back(rows, separator, codec):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(
        [("first", "second", "third"), *rows]
    )
    kept = [row for row in rows if "".join(row).strip()]

    table = read_user_csv(file.getvalue().encode(codec), name="a.csv")

    assert list(table.itertuples(index=False, name=None)) == kept


@pytest.mark.parametrize(
    "cell", ["0px", "1e3", "1,234", "nan", "inf", "1 2", "0x10", "\u0661"]
)
def test_a_pixel_that_is_no_number_is_refused_with_line_and_column(cell):
    table = read(f"image;x0\na;12\nb;{cell}\n")

    with pytest.raises(ValueError, match=r"line 3 of manifest\.csv: x0 is "):
        numbers(table, ["x0"], form=PIXELS)


def test_numbers_are_read_and_blanks_stay_missing():
    table = read("a,b\n12,1e-3\n 7.50 ,\n")

    read_numbers = numbers(table, ["a", "b"])

    assert read_numbers["a"].tolist() == [12.0, 7.5]
    assert read_numbers["b"].fillna(-1).tolist() == [0.001, -1.0]


def test_tables_that_are_no_text_are_numbers_already():
    table = pd.DataFrame({"x": [1, 2]})

    assert numbers(table, ["x"])["x"].tolist() == [1.0, 2.0]
