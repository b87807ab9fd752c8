"""Files that are whole and on the disk, or not there."""

import os
from pathlib import Path

PART = ".part"


def write_durably(place: Path, content: bytes) -> None:
    """Write a file; when this returns, it outlasts a loss of power.

    Args:
        place: Of the file; it has its name only when it is whole.
        content: Of the file.

    Raises:
        OSError: If it cannot be written, or reads back otherwise than it was written;
            nothing is left of it then.
    """
    part = place.with_name(place.name + PART)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if part.read_bytes() != content:
            raise OSError(f"{part} reads back otherwise than it was written")
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(place.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk, or a loss of power undoes the renaming."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
