"""Regular tables are cut into columns as `csv` reads their rows, or left to it."""

import codecs
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from covid_cxr.regular_csv import read_regular
from covid_cxr.user_csv import read_user_csv

ROUTE = f"{read_user_csv.__module__}.read_regular"


def outcome(data):
    """Return the table with its types and lines, or the error."""
    try:
        table = read_user_csv(data, name="a.csv")
    except ValueError as error:
        return str(error)
    return table


def both(data):
    """Return what comes out by columns where that is possible, and by rows."""
    with patch(ROUTE, return_value=None):
        by_rows = outcome(data)
    return outcome(data), by_rows


def assert_alike(data):
    found, expected = both(data)
    if isinstance(expected, str):
        assert found == expected
    else:
        pd.testing.assert_frame_equal(found, expected)
        assert found.attrs == expected.attrs


def is_regular(data):
    """Return whether the columns are taken without `csv`."""
    with patch(ROUTE, wraps=read_regular) as route:
        taken = []
        route.side_effect = lambda *args, **named: (
            taken.append(read_regular(*args, **named)) or taken[-1]
        )
        outcome(data)
    return any(columns is not None for columns in taken)


REGULAR = [
    "a,b\n1,2\n3,4\n",
    "a,b\n1,2\n3,4",
    "a;b;c\r\n1;2,5;\r\nx;;é\r\n",
    "\n\na\tb\n004\t4\n",
    "sep=|\na|b\n1|2\n",
    "a,b\n1, 2 \nNA,null\n",
    "a,b\n1,\x0b\u2028x\x1c\n-1,#N/A\n",
    ",b\n1,2\n2,'\n",
    "a,b\n1,\\\n2,\\,\n".replace("\\,", "\\"),
]
ODD = [
    "a,b\n",
    "a,b",
    "a\n1\n2\n",
    "a,b\n1,2\n\n3,4\n",
    "a,b\n1,2\n3,4\n\n",
    "a,b\n1,2\n  ,\n3,4\n",
    "a,b\n1,2\n,4\n",
    "a,b\n,\n1,2\n",
    "a,b\n1\n3,4,5\n",
    "a,b,c\n1,2\n3,4,5\n",
    "a,b,c\n1,2\n3,\n",
    "a,b\n1,2,3\n",
    'a,b\n1,"2\n3"\n4,5\n',
    'a,b\n1,2\n3,"4\n',
    '"a",b\n1,2\n',
    "a,b\r1,2\r3,4\r",
    "a,b\n1,2\r3,4\n",
    "a,b\r\n1,2\r\r\n3,4\r\n",
    "a,b\n\u00a0,\n1,2\n",
    "a,b\n\x1c,\n1,2\n",
    "a,b\né,2\n",
    "a,b\n \t1,2\n",
    "a,b\n1," + "x" * 70_000 + "\n",
    "a,b\n1," + "x" * 140_000 + "\n",
    "sep=§\na§b\n1§2\n",
    "a,a\n1,2\n",
]


@pytest.mark.parametrize("text", REGULAR)
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_regular_table_is_cut_into_the_same_columns(text, mark):
    data = mark + text.encode()

    assert is_regular(data)
    assert_alike(data)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_other_table_is_left_to_csv(text, codec):
    data = text.encode(codec, errors="replace")

    assert not is_regular(data)
    assert_alike(data)


@pytest.mark.parametrize("codec", ["cp1252", "latin-1", "utf-16"])
def test_a_table_in_another_code_is_left_to_csv(codec):
    data = "a,b\nMünchen,2\nx,Köln\n".encode(codec)

    assert not is_regular(data)
    assert_alike(data)


CELLS = st.text(
    st.sampled_from('a1é \t\x0b\x1c\u00a0\u2028\ufeff,;|"\r\n.-'), max_size=4
)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    is_ended=st.booleans(),
)
@example(rows=[["a", ""], ["", "b"]], separator=",", end="\n", is_ended=False)
def test_both_routes_agree_on_any_text(rows, separator, end, is_ended):
    text = end.join(["a,b".replace(",", separator), *map(separator.join, rows)])

    assert_alike((text + end * is_ended).encode())


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.text("a1é-", min_size=1, max_size=3),
            st.text("a1é \t\x0b\x1c\u00a0\u2028.'", max_size=4),
            st.text("\\#x/", max_size=3),
        ),
        min_size=1,
        max_size=8,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_both_routes_agree_where_most_lines_are_regular(rows, end):
    assert_alike(end.join(["a|b|c", *map("|".join, rows)]).encode())


def test_lines_are_told_behind_more_rows_than_are_read_at_once():
    rows = "".join(f"{k},{k % 7}\n" for k in range(70_000))
    data = f"\na,b\n{rows}".encode()

    assert is_regular(data)
    assert_alike(data)
