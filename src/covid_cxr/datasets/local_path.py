"""Places of datasets that are kept in files of this machine, and nowhere else."""

import re
from pathlib import Path

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # no drive: it has one letter


def local_path(filepath: str) -> Path:
    """Return the path of a file or folder on a local or mounted disk.

    Args:
        filepath: As the catalog names it.

    Raises:
        ValueError: If it is a URL, which would become a folder of that name.
    """
    if _URL.match(filepath):
        raise ValueError(
            f"The place is {filepath}, but only local or mounted folders can be "
            f"written to here: name one, such as where the bucket is mounted."
        )
    return Path(filepath)
