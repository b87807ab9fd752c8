"""Reading .npz files without taking memory for what they only claim to hold.

An array's header states its shape, and NumPy takes the memory for it before it reads a
value: a file of 300 bytes can ask for 128 GiB. The ZIP archive around the arrays states
sizes as well, which are as little to be believed.
"""

import math
import zipfile
import zlib
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_MOST_INFLATED = 1032  # times its compressed size: the most of DEFLATE (zlib's manual)
# RuntimeError: encrypted, or, as NotImplementedError, compressed in an unknown way.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
_READ_HEADER = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def read_arrays(file: BinaryIO, *, most_bytes: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz by name.

    Args:
        file: Open for reading.
        most_bytes: That all arrays together may have.

    Raises:
        ValueError: If it is no .npz, or damaged; if an array claims more than the file
            holds, or all have more bytes than `most_bytes`; if one holds Python
            objects.
        OSError: If the file cannot be read.
    """
    try:
        _refuse_false_claims(file, most_bytes)
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except _DAMAGE as error:
        raise ValueError(str(error) or "it breaks off") from error


def _refuse_false_claims(file: BinaryIO, most_bytes: int) -> None:
    with zipfile.ZipFile(file) as archive:
        size = file.seek(0, 2)
        for member in archive.infolist():
            _refuse_false_size(member, size)
        total = sum(member.file_size for member in archive.infolist())
        if total > most_bytes:
            raise ValueError(f"{total} bytes of arrays, at most {most_bytes} are read")
        for member in archive.infolist():
            with archive.open(member) as opened:
                _refuse_false_shape(member, opened)


def _refuse_false_size(member: zipfile.ZipInfo, size: int) -> None:
    """Refuse a member that cannot be as long as the archive of `size` bytes says."""
    is_deflated = member.compress_type == zipfile.ZIP_DEFLATED
    most = member.compress_size * (_MOST_INFLATED if is_deflated else 1)
    if member.compress_size > size or member.file_size > most:
        raise ValueError(
            f"{member.filename} claims {member.file_size} bytes and has "
            f"{min(member.compress_size, size)} in the file"
        )


def _refuse_false_shape(member: zipfile.ZipInfo, opened: IO[bytes]) -> None:
    version = npy.read_magic(opened)
    if version not in _READ_HEADER:
        raise ValueError(f"{member.filename} has version {version} of NumPy's format")
    shape, _, dtype = _READ_HEADER[version](opened)
    if dtype.hasobject:
        raise ValueError(f"Object arrays are pickles: {member.filename}")
    claimed = math.prod(shape) * dtype.itemsize
    held = member.file_size - opened.tell()
    if claimed != held or min(shape, default=0) < 0:
        raise ValueError(
            f"{member.filename} claims {claimed} bytes by its shape {shape} and holds "
            f"{held}"
        )
