"""Tables of text in which every line is a row with all its cells, and nothing quoted.

Those that a program wrote, and the only ones that are large: their columns are cut out
of the bytes several times faster than `csv` reads rows. Whatever might be read in any
other way is left to `csv`.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

_LONGEST_LINE = 2**16  # in bytes; `csv` refuses a cell of twice as many characters
_PRINTABLE = range(0x21, 0x7F)


def read_regular(
    data: bytes, *, header: list[str], separator: str, n_before: int
) -> list[pa.LargeStringArray] | None:
    """Return the cells of each column, or None for a table that is not regular.

    Regular is one without any quotation mark, whose lines end alike for all readers,
    begin with a sign that can be seen, and have as many separators as the header.

    Args:
        data: UTF-8, without a zero byte.
        header: Names of the columns.
        separator: Between cells.
        n_before: Lines up to the header's, with it.
    """
    is_plain = len(separator.encode()) == 1 and len(header) > 1
    if not is_plain or b'"' in data or data.count(b"\r") != data.count(b"\r\n"):
        return None
    start = 0
    for _ in range(n_before):
        start = data.find(b"\n", start) + 1
        if start == 0:
            return None
    if not _is_regular(data, start, ord(separator), len(header) - 1):
        return None
    table = csv.read_csv(
        pa.BufferReader(pa.py_buffer(data)[start:]),
        read_options=csv.ReadOptions(column_names=header),
        parse_options=csv.ParseOptions(
            delimiter=separator, quote_char=False, ignore_empty_lines=False
        ),
        convert_options=csv.ConvertOptions(
            check_utf8=False, column_types=dict.fromkeys(header, pa.large_string())
        ),
    )
    return [column.combine_chunks() for column in table.columns]


def _is_regular(data: bytes, start: int, separator: int, n_separators: int) -> bool:
    """Return whether each line from `start` on has so many separators."""
    signs = np.frombuffer(data, np.uint8, offset=start)
    if not len(signs):
        return False
    ends = np.flatnonzero(signs == ord("\n"))
    if signs[-1] != ord("\n"):
        ends = np.append(ends, len(signs))
    starts = np.append(0, ends[:-1] + 1)
    separators = np.flatnonzero(signs == separator)
    if len(separators) != len(ends) * n_separators:
        return False
    of_lines = separators.reshape(len(ends), n_separators)
    return bool(
        (of_lines[:, 0] > starts).all()
        and (of_lines[:, -1] < ends).all()
        and (ends - starts).max() < _LONGEST_LINE
        and _is_seen(signs[starts]).all()
    )


def _is_seen(signs: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (signs >= _PRINTABLE.start) & (signs < _PRINTABLE.stop)
