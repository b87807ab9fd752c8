"""Label tables that a collection delivers inside its folder of images."""

import os
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd


def find_label_files(root: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the files below `root` whose name fits one of the patterns, sorted.

    Linked folders are followed, as by `list_folder`; letters may be of either case.

    Args:
        root: The cohort's folder.
        patterns: As of a shell: "labels*posi*.tsv".
    """
    wanted = [pattern.lower() for pattern in patterns]
    seen: set[str] = set()
    found: list[Path] = []
    for folder, subfolders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        found += [
            Path(folder) / name
            for name in names
            if any(fnmatch(name.lower(), pattern) for pattern in wanted)
            and not name.startswith(".")
        ]
    return sorted(found)


def read_label_table(path: Path) -> pd.DataFrame:
    """Return a .csv or .tsv file with all columns read as text.

    Raises:
        ValueError: If the file is no table.
    """
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        return pd.read_csv(path, sep=separator, dtype="str")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
        raise ValueError(
            f"{path.name} cannot be read as a table ({error}); use the file as "
            f"published, in UTF-8."
        ) from error
