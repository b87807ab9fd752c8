"""Label tables that a collection delivers inside its folder of images."""

import os
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path


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
