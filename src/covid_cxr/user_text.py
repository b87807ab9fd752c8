"""The bytes of a text file that somebody else wrote: what they are, and in which code.

A table comes from a spreadsheet of any country, from a script, from a download that
may have been a login page. What is no text is refused with what it is.
"""

import gzip
import io
import re
import stat
import zlib
from pathlib import Path

import numpy as np

MAX_BYTES = 2**31  # unpacked: thirty times a table of a million rows
_CHUNK_BYTES = 2**24
_STARTS = (
    (rb"PK[\x03\x05]", "a ZIP archive or an Excel workbook (.xlsx)"),
    (rb"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)"),
    (rb"PAR1", "a parquet file"),
    (rb"BZh[1-9]1AY|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd", "an archive"),
    (rb"%PDF|\x89PNG|\xff\xd8\xff|.{128}DICM", "a document or a picture"),
    (rb"\s*<(!doctype|html|\?xml)", "a web page, as of a download that needs a login"),
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LEAST_SHARE_OF_ZEROS = 0.05  # of the high bytes, in text of UTF-16 without a mark


def read_user_bytes(path: Path) -> bytes:
    """Return what a file holds, unpacked where it is packed with gzip.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is no file, cannot be read or is too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(
                f"{path.name} is a folder, pipe or device where a text file is "
                f"expected; name the file itself."
            )
        if status.st_size > MAX_BYTES:
            raise _too_large(path.name)
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(
            f"{path.name} cannot be read: {error.strerror}; check who may read it."
        ) from error
    return unpack(data, path.name)


def read_user_text(data: bytes, name: str) -> str:
    """Return a text in whichever code it is written, without a byte-order mark.

    Args:
        data: As from `read_user_bytes`.
        name: Of the file, for messages.

    Raises:
        ValueError: As `encoding_of`.
    """
    return data.decode(encoding_of(data, name)).removeprefix("\ufeff")


def unpack(data: bytes, name: str) -> bytes:
    """Return bytes, unpacked where they are packed with gzip.

    Raises:
        ValueError: If the archive is damaged, or larger than `MAX_BYTES`.
    """
    if not data.startswith(b"\x1f\x8b"):
        return data
    parts: list[bytes] = []
    try:
        with gzip.open(io.BytesIO(data)) as file:
            while part := file.read(_CHUNK_BYTES):
                parts.append(part)
                if len(parts) * _CHUNK_BYTES > MAX_BYTES:
                    raise _too_large(name)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{name} is packed with gzip and damaged ({error}); get it again."
        ) from error
    return b"".join(parts)


def encoding_of(data: bytes, name: str) -> str:
    """Return the codec of a text.

    That of a byte-order mark, else UTF-16 where every other byte is mostly zero, UTF-8
    where the bytes are that, Windows-1252, or Latin-1.

    Raises:
        ValueError: If the bytes are no text, are text and zeros, or are in part UTF-8
            and in part not.
    """
    _refuse_what_is_no_text(data, name)
    codec = next((codec for mark, codec in _BOMS if data.startswith(mark)), None)
    codec = codec or _utf_16_without_mark(data)
    if codec is not None:
        _refuse_undecodable(data, codec, name)
        return codec
    if b"\x00" in data:
        line = data[: data.index(b"\x00")].count(b"\n") + 1
        raise ValueError(
            f"{name} has a zero byte in line {line}: it is no text, or damaged; save "
            f"it again as a text in UTF-8."
        )
    return _code_of_single_bytes(data, name)


def _refuse_what_is_no_text(data: bytes, name: str) -> None:
    if not data.strip(b"\x00 \t\r\n"):
        raise ValueError(f"{name} is empty; write or get it again.")
    for start, kind in _STARTS:
        if re.match(start, data[:200], re.DOTALL | re.IGNORECASE):
            raise ValueError(
                f"{name} is {kind}, where a text is expected; unpack it, or save the "
                f"table as CSV in UTF-8."
            )


def _refuse_undecodable(data: bytes, codec: str, name: str) -> None:
    try:
        has_zero = "\x00" in data.decode(codec)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} begins as text in {codec.upper()}, but byte {error.start} is none "
            f"({error.reason}); it is damaged or cut off. Save it again in UTF-8."
        ) from error
    if has_zero:
        raise ValueError(
            f"{name} has zero characters: it is damaged; save it again in UTF-8."
        )


def _utf_16_without_mark(data: bytes) -> str | None:
    if len(data) % 2 or b"\x00" not in data:
        return None
    is_zero = np.frombuffer(data, np.uint8).reshape(-1, 2) == 0
    first, second = is_zero.mean(axis=0)
    if max(first, second) < max(_LEAST_SHARE_OF_ZEROS, 10 * min(first, second)):
        return None
    codec = "utf-16-le" if second > first else "utf-16-be"
    has_line_end = re.search(rb"[\r\n]", data) is not None
    has_one_decoded = re.search(r"[\r\n]", data.decode(codec, errors="replace"))
    return codec if has_one_decoded or not has_line_end else None


def _code_of_single_bytes(data: bytes, name: str) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
    else:
        return "utf-8"
    _refuse_mixture(data, line, name)
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _refuse_mixture(data: bytes, line: int, name: str) -> None:
    """Refuse UTF-8 with some other bytes: as another code, every accent would change.

    In another code, hardly any two letters look like one of UTF-8.
    """
    text = data.decode("utf-8", errors="surrogateescape")
    n_letters = sum(map(len, re.findall(r"[^\x00-\x7f\ud800-\udfff]+", text)))
    n_other = sum(map(len, re.findall(r"[\udc80-\udcff]+", text)))
    if n_letters > n_other:
        raise ValueError(
            f"{name} is UTF-8 but for {n_other} bytes, first in line {line}: lines of "
            f"different origin were put together, or it is damaged. Save it again in "
            f"UTF-8."
        )


def _too_large(name: str) -> ValueError:
    return ValueError(
        f"{name} is larger than {MAX_BYTES} bytes, which no table of radiographs is; "
        f"name the right file."
    )
