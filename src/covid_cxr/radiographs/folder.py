"""A folder of raw image files, as archives unpack: one subfolder or twelve."""

import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import compress
from pathlib import Path, PurePosixPath

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".dcm", ".dicom"})
# Of files that a list may name with another suffix, or without one.
_SUFFIXES = IMAGE_SUFFIXES | {".tif", ".tiff", ".ima", ".img", ".bmp"}
SYNTHETIC_MARKER = "SYNTHETIC"
MASKS = "masks"  # the folder beside radiographs that holds masks of them


@dataclass(frozen=True)
class RadiographFolder:
    """The image files below one folder.

    Attributes:
        root: The folder.
        files: Posix paths of the image files relative to `root`, sorted.
        others: Those of further files, which are found by their names only.
        is_synthetic: Whether the folder was written by the synthesis pipeline.
    """

    root: Path
    files: tuple[str, ...]
    others: tuple[str, ...]
    is_synthetic: bool

    def find(self, name: str) -> str | None:
        """Return the path of the only file that has a name, or None.

        Args:
            name: As for `locate`.
        """
        found = self.locate(name)
        return found[0] if len(found) == 1 else None

    def locate(self, name: str) -> tuple[str, ...]:
        """Return the paths of all files that a name may mean, relative to `root`.

        A name that is written exactly like a file's counts before one that is alike:
        without regard to case, then to the suffix. A path may have Windows separators
        or begin with "./"; one that leads out of the folder means no file.

        Args:
            name: A file name ("00000001_000.png"), found in any subfolder, or a path
                relative to `root`, which must match as a whole.
        """
        path = PurePosixPath(_composed(name).replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or not path.name:
            return ()
        for fold in (_composed, _folded, _without_suffix):
            found = self._index(fold).get(fold(str(path)), ())
            if found:
                return found
        return ()

    def named(self, *patterns: str) -> list[Path]:
        """Return the further files, as tables, whose name fits a pattern, sorted.

        Args:
            patterns: As of a shell: "labels*posi*.tsv"; letters may be of either case.
        """
        return sorted(
            self.root / file
            for file in self.others
            for pattern in patterns
            if fnmatch(PurePosixPath(file).name.lower(), pattern.lower())
        )

    def _index(self, fold: Callable[[str], str]) -> Mapping[str, tuple[str, ...]]:
        """Return files by path and by name, as `fold` writes them."""
        indexes = self.__dict__.setdefault("_indexes", {})
        if fold not in indexes:
            indexes[fold] = _by_name_and_path((*self.files, *self.others), fold)
        index: Mapping[str, tuple[str, ...]] = indexes[fold]
        return index


def list_folder(root: Path) -> RadiographFolder:
    """Return the image files below `root`: .png, .jpg, .jpeg, .dcm, .dicom.

    Hidden files are left out (macOS leaves "._name.png" beside each file it copies).

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    if not root.is_dir():
        raise FileNotFoundError(
            f"There is no folder {root}; put the image files below it, or name the "
            f"folder that holds them in the catalog."
        )
    paths = sorted(files_below(root), key=lambda path: (path.count("/"), path))
    is_image = [is_image_name(PurePosixPath(path).name) for path in paths]
    files = tuple(compress(paths, is_image))
    names = Counter(PurePosixPath(path).name for path in files)
    n_repeated = sum(count for count in names.values() if count > 1)
    if n_repeated:
        logger.warning(
            "%s: %d image files have a name that another one has too; they are found "
            "by their path in the folder only",
            root,
            n_repeated,
        )
    return RadiographFolder(
        root=root,
        files=files,
        others=tuple(compress(paths, [not image for image in is_image])),
        is_synthetic=(root / SYNTHETIC_MARKER).is_file(),
    )


def _by_name_and_path(
    paths: Iterable[str], fold: Callable[[str], str]
) -> dict[str, tuple[str, ...]]:
    by_name: dict[str, tuple[str, ...]] = {}
    by_path: dict[str, tuple[str, ...]] = {}
    for path in paths:
        name, whole = fold(PurePosixPath(path).name), fold(path)
        by_name[name] = (*by_name.get(name, ()), path)
        by_path[whole] = (*by_path.get(whole, ()), path)
    # A path counts before a name: one in the root is written like a name.
    return {**by_name, **by_path}


def _composed(name: str) -> str:
    """Return a name in the normal form that composes accents; macOS writes another."""
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _composed(name).casefold()


def _without_suffix(name: str) -> str:
    path = PurePosixPath(_folded(name))
    return str(path.with_suffix("")) if path.suffix in _SUFFIXES else str(path)


def image_files(root: Path) -> Iterator[str]:
    """Yield the posix path relative to `root` of every image file below it."""
    return (
        path for path in files_below(root) if is_image_name(PurePosixPath(path).name)
    )


def files_below(root: Path) -> Iterator[str]:
    """Yield the posix path relative to `root` of every file below it, but hidden ones.

    Linked folders are followed, each one once, so that a cohort may be put together
    from archives that lie elsewhere. The folder `masks` in `root` is left out: masks
    are named like the radiographs that they are of.
    """
    seen: set[str] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        relative = Path(folder).relative_to(root)
        subfolders[:] = sorted(s for s in subfolders if relative / s != Path(MASKS))
        for name in names:
            if not name.startswith("."):
                yield (relative / name).as_posix()


def is_image_name(name: str) -> bool:
    """Return whether a file of this name is taken for a radiograph."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix in IMAGE_SUFFIXES and not name.startswith(".")
