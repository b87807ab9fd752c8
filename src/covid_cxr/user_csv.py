"""The one reader of tables that somebody else wrote.

Every cell stays the text that it is: `004` is not `4`, and a site may be called `NA`.
Only an empty cell is missing. What the reader decides (the code, the separator, the
sign of decimals) is said in the log, and a row that does not fit the header stops it:
to guess which column a cell belongs to would move patients' values.
"""

import csv
import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path

import pandas as pd
import pyarrow as pa

from covid_cxr.regular_csv import read_regular
from covid_cxr.user_numbers import with_decimal_points
from covid_cxr.user_text import encoding_of, read_user_bytes, unpack

logger = logging.getLogger(__name__)

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_STATED_SEPARATOR = re.compile(
    r'"?sep=([^\w"\r\n])"?[,;\t|]*(\r\n|\r|\n)', re.IGNORECASE
)
_UTF_8 = ("utf-8", "utf-8-sig")
_HEAD_CHARACTERS = 2**18
_SAMPLED_ROWS = 500
_ROWS_AT_ONCE = 2**16
_UNNAMED = "Unnamed: "
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, kw_only=True)
class _Form:
    """How a table is written.

    Attributes:
        name: Of the file, for messages.
        codec: Of its text.
        separator: Between cells.
        skipped: Lines before the header: Excel's `sep=;`.
    """

    name: str
    codec: str
    separator: str
    skipped: int

    @property
    def separated_by(self) -> str:
        """The separator in words."""
        return SEPARATORS.get(self.separator, repr(self.separator))


@dataclass(kw_only=True)
class _Rows:
    """Rows as they are read, each with the header's number of cells.

    Attributes:
        form: Of the table.
        header: Names of the columns.
        line: In the file, of what comes next.
        frames: The rows so far.
        lines: `[row, line]` of the first row, and of each where rows and lines get out
            of step: a line is blank, or a cell has a line break.
        n_rows: So far.
        short: Line and number of cells of each row that ends early.
        ends_short: Whether the last row does.
    """

    form: _Form
    header: list[str]
    line: int
    frames: list[pd.DataFrame] = field(default_factory=list)
    lines: list[list[int]] = field(default_factory=list)
    n_rows: int = 0
    short: list[tuple[int, int]] = field(default_factory=list)
    ends_short: bool = False

    def add(self, batch: list[list[str]], *, n_lines: int) -> None:
        """Add rows that stand in so many lines; refuse one that is too long."""
        if self._is_regular(batch, n_lines):
            self._note(self.line)
            self.n_rows += len(batch)
            self.line += n_lines
            self.ends_short = False
        else:
            batch = [row for row in map(self._take, batch) if row]
        columns = zip(*batch, strict=True) if batch else ((),) * len(self.header)
        cells = dict(zip(self.header, map(_as_text, columns), strict=True))
        self.frames.append(pd.DataFrame(cells))

    def add_regular(self, columns: list[pa.LargeStringArray]) -> None:
        """Add all the rows of a table in which every line is one."""
        self._note(self.line)
        self.n_rows += len(columns[0])
        cells = dict(zip(self.header, map(_as_text, columns), strict=True))
        self.frames.append(pd.DataFrame(cells))

    def _is_regular(self, batch: list[list[str]], n_lines: int) -> bool:
        """Return whether each row is a line with all its cells, the first not blank."""
        return (
            len(batch) == n_lines
            and set(map(len, batch)) == {len(self.header)}
            and all(map(str.strip, map(itemgetter(0), batch)))
        )

    def _take(self, row: list[str]) -> list[str]:
        """Return a row in the header's length; nothing for one without a value."""
        line, self.line = self.line, self.line + _n_lines(row)
        if not "".join(row).strip():
            return []
        self._note(line)
        self.n_rows += 1
        self.ends_short = len(row) < len(self.header)
        return row if len(row) == len(self.header) else self._filled(row, line)

    def _note(self, line: int) -> None:
        """Note where the next row stands, if that does not follow from the last."""
        row, last = self.lines[-1] if self.lines else (0, 0)
        if not self.lines or line - last != self.n_rows - row:
            self.lines.append([self.n_rows, line])

    def _filled(self, row: list[str], line: int) -> list[str]:
        expected = len(self.header)
        if len(row) > expected:
            raise ValueError(
                f"{self.form.name}, line {line}: {len(row)} cells, but the header has "
                f"{expected}, separated by {self.form.separated_by}. Remove what is "
                f"too much, or put a cell that holds the separator in quotation marks."
            )
        self.short.append((line, len(row)))
        return row + [""] * (expected - len(row))


PARQUET = ".parquet"
TEXTS = (".csv", ".tsv", ".txt", ".gz")  # the separator is told by the content


def read_user_table(place: Path) -> pd.DataFrame:
    """Return a user's table of scores.

    Args:
        place: Ends in `.csv`, `.tsv`, `.txt`, `.csv.gz` or `.parquet`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of another kind, cannot be read, or as `read_user_csv`.
    """
    refuse_other_kinds(place)
    if not place.exists():
        raise FileNotFoundError(f"There is no table at {place}; correct the name.")
    if place.suffix.lower() == PARQUET:
        return _read_parquet(place)
    return read_user_csv(place)


def refuse_other_kinds(place: Path) -> None:
    """Refuse a file that `read_user_table` does not read, by its name."""
    if place.suffix.lower() not in (*TEXTS, PARQUET):
        raise ValueError(
            f"A table of scores is a .csv, .tsv or .parquet file, got "
            f"{str(place)!r}; save it as one of these."
        )


def _read_parquet(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except Exception as error:  # whatever pyarrow raises on what is none
        raise ValueError(
            f"{file} cannot be read as parquet ({error}); save it again, or as .csv."
        ) from error


def read_user_csv(source: Path | bytes, *, name: str | None = None) -> pd.DataFrame:
    """Return a table of text; an empty cell is missing, and nothing else is.

    UTF-8, UTF-16 and Windows-1252, commas, semicolons, tabs and bars are told apart;
    where the separator is no comma, columns of numbers with decimal commas get points.
    Columns without a name are called "Unnamed: 0" by their place. Rows without any
    value are left out. A row may end early only where the columns that it lacks are
    blank in whole rows, too: spreadsheets leave out such separators.

    Args:
        source: A file, which may be packed with gzip; or what is in it.
        name: Of the file, for messages, where `source` is bytes.

    Returns:
        The columns as "str". `attrs` hold the file's name and lines for `line_of`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no table: names the file, the line and what to do.
    """
    called = name or (source.name if isinstance(source, Path) else "the table")
    data = (
        read_user_bytes(source) if isinstance(source, Path) else unpack(source, called)
    )
    form = _form_of(data, called)
    rows = _read(data, form)
    table = pd.concat(rows.frames, ignore_index=True)
    _refuse_cut_off(table, rows, data, called)
    table, decimal = with_decimal_points(table, form.separator)
    table.attrs = {"file": called, "lines": rows.lines}
    logger.info(
        "%s: read as %s, separated by %s; %d columns, %d rows%s",
        called,
        form.codec.upper(),
        form.separated_by,
        len(table.columns),
        len(table),
        f"; decimal commas in {', '.join(decimal)}" if decimal else "",
    )
    return table


def _form_of(data: bytes, name: str) -> _Form:
    codec = encoding_of(data, name)
    head = _open(data, codec).read(_HEAD_CHARACTERS)
    if stated := _STATED_SEPARATOR.match(head):
        return _Form(name=name, codec=codec, separator=stated[1], skipped=1)
    separator = _separator_of(head, name, is_whole=len(head) < _HEAD_CHARACTERS)
    return _Form(name=name, codec=codec, separator=separator, skipped=0)


def _open(data: bytes, codec: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding=codec, newline="")


def _separator_of(head: str, name: str, *, is_whole: bool) -> str:
    """Return the separator by which most rows have as many cells as the header."""
    found: dict[str, tuple[float, int]] = {}
    for separator in SEPARATORS:
        rows = _sample(head, separator, is_whole=is_whole)
        width = len(rows[0]) if rows else 1
        if width > 1:
            fitting = [len(row) == width for row in rows[1:]]
            found[separator] = (sum(fitting) / max(len(fitting), 1), width)
    if not found:
        return ","
    best = max(found.values())
    equal = [separator for separator, fit in found.items() if fit == best]
    if len(equal) > 1:
        raise ValueError(
            f"{name} may be separated by {' or '.join(SEPARATORS[s] for s in equal)}: "
            f"either gives {best[1]} columns. Write sep={equal[0]} as its first line, "
            f"with the right one."
        )
    return equal[0]


def _sample(head: str, separator: str, *, is_whole: bool) -> list[list[str]]:
    """Return the first rows that are not blank."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(head, newline=""), delimiter=separator):
            if "".join(row).strip():
                rows.append(row)
            if len(rows) > _SAMPLED_ROWS:
                break
        else:
            rows = rows if is_whole else rows[:-1]
    except csv.Error:  # said with its line when the whole is read
        pass
    return rows


def _read(data: bytes, form: _Form) -> _Rows:
    stream = _open(data, form.codec)
    for _ in range(form.skipped):
        stream.readline()
    reader = csv.reader(stream, delimiter=form.separator, strict=True)
    rows = _Rows(form=form, header=[], line=1 + form.skipped)
    try:
        cells = next((row for row in reader if "".join(row).strip()), [])
    except csv.Error as error:
        raise _unreadable(rows, [], error) from error
    rows.header = _names(cells, form.name)
    n_read = reader.line_num
    rows.line += n_read
    if form.codec in _UTF_8:
        columns = read_regular(
            data,
            header=rows.header,
            separator=form.separator,
            n_before=form.skipped + n_read,
        )
        if columns is not None:
            rows.add_regular(columns)
            return rows
    is_more = True
    while is_more:
        batch: list[list[str]] = []
        try:
            batch.extend(islice(reader, _ROWS_AT_ONCE))
        except csv.Error as error:
            raise _unreadable(rows, batch, error) from error
        rows.add(batch, n_lines=reader.line_num - n_read)
        n_read, is_more = reader.line_num, bool(batch)
    return rows


def _unreadable(rows: _Rows, batch: list[list[str]], error: csv.Error) -> ValueError:
    line = rows.line + sum(map(_n_lines, batch))
    return ValueError(
        f"{rows.form.name}: the row that begins in line {line} cannot be read "
        f"({error}): a quotation mark is opened and not closed, or stands alone inside "
        f"a cell in quotation marks. Close it, or write it twice."
    )


def _n_lines(row: list[str]) -> int:
    """Return how many lines of the file a row takes."""
    return 1 + sum(len(_LINE_BREAK.findall(cell)) for cell in row)


def _as_text(cells: Sequence[str] | pa.LargeStringArray) -> pd.Series:
    """Return cells as text, empty ones missing."""
    text = pd.Series(pd.array(pa.array(cells, pa.large_string()), dtype="str"))
    return text.mask(text == "")


def _names(cells: list[str], name: str) -> list[str]:
    names = [
        cell.strip("\ufeff \t\xa0") or f"{_UNNAMED}{place}"
        for place, cell in enumerate(cells)
    ]
    if not any(cell.strip() for cell in cells):
        raise ValueError(f"{name} has no header line; expected names of columns.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"{name} has more than one column called {', '.join(twice)}; rename "
            f"or remove one of them."
        )
    return names


def _refuse_cut_off(table: pd.DataFrame, rows: _Rows, data: bytes, name: str) -> None:
    """Refuse rows that end early where no whole row is blank, or the file is cut."""
    if not rows.short:
        return
    blank = table.isna().sum()
    told = [
        place
        for place, column in enumerate(rows.header)
        if not column.startswith(_UNNAMED) or blank[column] < len(table)
    ]
    # The separators that end a header are no columns that a row could lack.
    short = [one for one in rows.short if one[1] <= told[-1]]
    lacking = {
        column: sum(n_cells <= place for _, n_cells in short)
        for place, column in enumerate(rows.header)
    }
    is_unlike = any(
        n and blank[column] == n and not column.startswith(_UNNAMED)
        for column, n in lacking.items()
    )
    is_cut = rows.ends_short and data.rstrip(b"\x00")[-1:] not in (b"\n", b"\r")
    if is_unlike or is_cut:
        line, n_cells = rows.short[-1] if is_cut else short[0]
        raise ValueError(
            f"{name}, line {line}: {n_cells} cells, but the header has "
            f"{len(rows.header)}. Add what is missing, or get the file again if it is "
            f"cut off; a separator stands before a blank cell, too."
        )
    if short:
        logger.warning(
            "%s: %d rows end before the header does, as line %d; what they lack is "
            "taken for blank, as it is in other rows",
            name,
            len(short),
            short[0][0],
        )
