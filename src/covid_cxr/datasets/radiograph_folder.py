"""Folders of raw image files: listed when read, written only by the synthesis."""

import logging
from collections.abc import Iterable, Sized
from pathlib import Path, PurePosixPath

from rich import get_console
from rich.progress import track

from covid_cxr.datasets.local import LocalDataset
from covid_cxr.radiographs.folder import (
    SYNTHETIC_MARKER,
    RadiographFolder,
    image_files,
    is_image_name,
    list_folder,
)

logger = logging.getLogger(__name__)


class RadiographFolderDataset(
    LocalDataset[Iterable[tuple[str, bytes]], RadiographFolder]
):
    """A local or shared folder of raw image files.

    Loading lists the files and opens none. Saving writes synthetic files, and only
    into a folder that holds no others: the marker file `SYNTHETIC` names every file
    that was written, and image files that it does not name are never touched.

    Example:
        ```yaml
        nih_images:
          type: covid_cxr.datasets.radiograph_folder.RadiographFolderDataset
          filepath: data/01_raw/nih
        ```
    """

    def load(self) -> RadiographFolder:
        """Return the folder's list of image files.

        Raises:
            FileNotFoundError: If the folder is missing or holds no image file.
        """
        if not self._exists():
            raise FileNotFoundError(
                f"There are no radiographs (.png, .jpg, .jpeg, .dcm, .dicom) below "
                f"{self._filepath}; put the published image files there, or make "
                f"synthetic ones with `kedro run --env=demo --pipelines=synthesis`."
            )
        return list_folder(self._filepath)

    def save(self, data: Iterable[tuple[str, bytes]]) -> None:
        """Write synthetic image files one by one, then remove those written before.

        Args:
            data: File names (posix paths relative to the folder) with their bytes; may
                be lazy. Text files may be among them, as readings of the images.

        Raises:
            ValueError: If the folder holds image files that were not written here, or
                a name leads out of the folder or is not that of an image or a text.
        """
        before = self._written_before()
        self._refuse_real_files(before)
        self._filepath.mkdir(parents=True, exist_ok=True)
        marker = self._filepath / SYNTHETIC_MARKER
        total = len(data) if isinstance(data, Sized) else None
        written: set[str] = set()
        console = get_console()
        with marker.open("a") as names:
            for name, content in track(
                data,
                description=f"writing {self._filepath.name}",
                total=total,
                console=console,
                disable=not console.is_interactive,
            ):
                path = self._path_of(name)
                if name not in before and path.suffix == ".txt" and path.exists():
                    raise ValueError(f"{path} was not written by the synthesis.")
                # Named before it is there: after a kill no file looks like a real one.
                names.write(f"{name}\n")
                names.flush()
                _write_at_once(path, content)
                written.add(name)
        for stale in before - written:
            (self._filepath / stale).unlink(missing_ok=True)
        self._remove_all_but(written)
        names_written = "".join(f"{name}\n" for name in sorted(written))
        _write_at_once(marker, names_written.encode())
        logger.info("wrote %d synthetic radiographs", len(written))

    def _written_before(self) -> set[str]:
        marker = self._filepath / SYNTHETIC_MARKER
        return set(marker.read_text().splitlines()) if marker.is_file() else set()

    def _refuse_real_files(self, ours: set[str]) -> None:
        real = sorted(set(image_files(self._filepath)) - ours)
        if real:
            raise ValueError(
                f"{self._filepath} holds {len(real)} image files that the synthesis "
                f"did not write, as in {real[0]}: synthetic radiographs are not mixed "
                f"with real ones. Write them elsewhere with --params=data_root=…"
            )

    def _path_of(self, name: str) -> Path:
        relative = PurePosixPath(name)
        if (
            relative.is_absolute()
            or ".." in relative.parts
            or not (is_image_name(relative.name) or relative.suffix == ".txt")
        ):
            raise ValueError(
                f"{name!r} cannot be written to {self._filepath}; expected the name of "
                f"a .png, .jpg, .jpeg, .dcm, .dicom or .txt file inside the folder."
            )
        return self._filepath / relative

    def _remove_all_but(self, written: set[str]) -> None:
        for stale in set(image_files(self._filepath)) - written:
            (self._filepath / stale).unlink()

    def _exists(self) -> bool:
        return next(image_files(self._filepath), None) is not None


def _write_at_once(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
