"""A folder of raw image files, as archives unpack: one subfolder or twelve."""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".dcm", ".dicom"})
SYNTHETIC_MARKER = "SYNTHETIC"
MASKS = "masks"  # the folder beside radiographs that holds masks of them


@dataclass(frozen=True)
class RadiographFolder:
    """The image files below one folder.

    Attributes:
        root: The folder.
        files: File name to posix path relative to `root`. Of files that share a name,
            the first in sorted order has it; the others stand under their path.
        is_synthetic: Whether the folder was written by the synthesis pipeline.
    """

    root: Path
    files: Mapping[str, str]
    is_synthetic: bool

    def find(self, name: str) -> str | None:
        """Return the path of a file relative to `root`, or None if it is not there.

        Args:
            name: A file name ("00000001_000.png"), found in any subfolder, or a posix
                path relative to `root`, which must match as a whole.
        """
        bare = PurePosixPath(name).name
        if self.files.get(bare) == name:
            return name
        return self.files.get(name)


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
    paths = sorted(image_files(root), key=lambda path: (path.count("/"), path))
    files: dict[str, str] = {}
    for path in paths:
        name = PurePosixPath(path).name
        files[path if name in files else name] = path
    n_repeated = sum("/" in key for key in files)
    if n_repeated:
        logger.warning(
            "%s: %d image files have a name that another one has too; only the first "
            "is found by its name, the others by their path in the folder",
            root,
            n_repeated,
        )
    is_synthetic = (root / SYNTHETIC_MARKER).is_file()
    return RadiographFolder(root=root, files=files, is_synthetic=is_synthetic)


def image_files(root: Path) -> Iterator[str]:
    """Yield the posix path relative to `root` of every image file below it.

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
            if is_image_name(name):
                yield (relative / name).as_posix()


def is_image_name(name: str) -> bool:
    """Return whether a file of this name is taken for a radiograph."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix in IMAGE_SUFFIXES and not name.startswith(".")
