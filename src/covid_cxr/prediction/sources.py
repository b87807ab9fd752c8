"""The radiographs that a user names: files, folders, archives and DICOMDIRs."""

import logging
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path, PurePath, PurePosixPath
from typing import IO

from covid_cxr.prediction.files import refuse_unsafe
from covid_cxr.radiographs.dicom_file import quiet, read_dataset
from covid_cxr.radiographs.files import MAX_FILE_BYTES
from covid_cxr.radiographs.folder import IMAGE_SUFFIXES, files_below
from covid_cxr.radiographs.rendering import UnreadableRadiograph

logger = logging.getLogger(__name__)

_DICOMDIR, _ZIP = "DICOMDIR", ".zip"
_NOT_ALONE = frozenset({".txt", ".csv", ".json", ".xml", ".html", ".pdf", ".md"})


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file to be predicted.

    Attributes:
        name: In the table: its path below the folder or in the archive that was named.
        path: Its place, or that of the archive.
        member: Its name in the archive; None outside of one.
    """

    name: str
    path: Path
    member: str | None = None

    @property
    def state(self) -> tuple[int, int]:
        """Size in bytes and time of change in ns of what is at `path`; 0 if absent.

        By these a file is known to be as it was, as in `radiographs.curation`.
        """
        try:
            status = self.path.stat()
        except OSError:
            return 0, 0
        return status.st_size, status.st_mtime_ns

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """Give the place of the file; that of an archive's member ends with the block.

        Raises:
            UnreadableRadiograph: If the member cannot be taken out of the archive.
        """
        if self.member is None:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="covid_cxr_") as folder:
            # A name of our own: that in the archive may lead anywhere.
            place = Path(folder) / f"member{PurePosixPath(self.member).suffix[:8]}"
            self._take_out(self.member, place)
            yield place

    def _take_out(self, member: str, place: Path) -> None:
        try:
            refuse_unsafe(member)
            with zipfile.ZipFile(self.path) as archive:
                _refuse_large(archive.getinfo(member))
                content = archive.read(member)
        except Exception as error:  # whatever zipfile and its codecs raise
            raise UnreadableRadiograph(
                f"not taken from the archive: {error}"
            ) from error
        place.write_bytes(content)


def _refuse_large(member: zipfile.ZipInfo) -> None:
    if member.file_size > MAX_FILE_BYTES:
        raise ValueError(
            f"it has {member.file_size} bytes, at most {MAX_FILE_BYTES} are read"
        )


def list_inputs(places: Iterable[Path]) -> list[InputFile]:
    """Return the files that `places` name, in their order, those of folders sorted.

    Of a folder with a DICOMDIR, what that lists; of another, all images: by their
    endings, or, with an ending that is unknown, if they are DICOM by their first bytes.
    Files that are passed over are counted in the log. What `files_below` leaves out is
    left out.

    Args:
        places: Files, folders, .zip archives, DICOMDIR files.

    Raises:
        FileNotFoundError: If one of them is not there.
        ValueError: If an archive or a DICOMDIR cannot be read, there is no image, or
            two would have one name.
    """
    found = [one for place in places for one in _inputs_at(place)]
    if not found:
        raise ValueError(
            "There are no radiographs at the places named: no .dcm, .dicom, .png, "
            ".jpg, .jpeg or .zip file, no DICOMDIR, no DICOM file without an ending."
        )
    _refuse_one_name(found)
    return found


def _refuse_one_name(found: Iterable[InputFile]) -> None:
    name, number = Counter(one.name for one in found).most_common(1)[0]
    if number > 1:
        raise ValueError(
            f"{number} of the files would be {name} in the table, which could not tell "
            f"them apart. Name a folder above them, or predict them one by one."
        )


def _inputs_at(place: Path) -> Iterator[InputFile]:
    if place.is_dir():
        yield from _in_folder(place)
    elif not place.exists():
        raise FileNotFoundError(f"There is no file or folder {place}.")
    elif place.name.upper() == _DICOMDIR:
        yield from _in_dicomdir(place)
    elif place.suffix.lower() == _ZIP:
        yield from _in_archive(place, place.name)
    else:
        yield InputFile(name=place.name, path=place)


def _in_folder(folder: Path) -> Iterator[InputFile]:
    below = sorted(folder / name for name in files_below(folder))
    if (folder / _DICOMDIR).is_file():
        listed = list(_in_dicomdir(folder / _DICOMDIR))
        yield from listed
        known = {folder / _DICOMDIR, *(one.path for one in listed)}
        _say_passed_over(folder, [path for path in below if path not in known])
        return
    passed_over = []
    for path in below:
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() == _ZIP:
            yield from _in_archive(path, name)
        elif path.is_file() and _is_image(path, partial(FileIO, path)):
            yield InputFile(name=name, path=path)
        else:
            passed_over.append(path)
    _say_passed_over(folder, passed_over)


def _say_passed_over(place: Path, names: Sequence[PurePath]) -> None:
    """Warn of files that are not predicted, by their endings."""
    counts = Counter(name.suffix.lower() or "without an ending" for name in names)
    shown = ", ".join(f"{number} {kind}" for kind, number in counts.most_common())
    if counts:
        logger.warning("%s: %d files passed over (%s)", place, len(names), shown)


def _is_image(name: PurePath, open_file: Callable[[], IO[bytes]]) -> bool:
    """Return whether a file is an image by its ending, or DICOM by its first bytes."""
    suffix = name.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return True
    # It lists images; what it lists is found beside it.
    if suffix in _NOT_ALONE or name.name.upper() == _DICOMDIR:
        return False
    try:
        with open_file() as file:
            return file.read(132)[128:] == b"DICM"
    except Exception:  # whatever a file system, zipfile and its codecs raise
        return True  # who reads it is told why it is refused


def _in_archive(path: Path, name: str) -> Iterator[InputFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            seen = [one for one in archive.infolist() if _is_seen(one)]
            members = [(one.filename, _is_image_in(archive, one)) for one in seen]
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"{path} cannot be read as a zip: {error}") from error
    for member in sorted(inside for inside, is_image in members if is_image):
        yield InputFile(name=f"{name}/{member}", path=path, member=member)
    others = [PurePosixPath(inside) for inside, is_image in members if not is_image]
    _say_passed_over(path, others)


def _is_seen(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is a file, and not hidden, as in `files_below`."""
    name = PurePosixPath(member.filename).name
    return not member.is_dir() and not name.startswith(".")


def _is_image_in(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    inside = PurePosixPath(member.filename)
    has_no_ending = not inside.suffix and inside.name != _DICOMDIR
    return has_no_ending or _is_image(inside, partial(archive.open, member))


def _in_dicomdir(path: Path) -> Iterator[InputFile]:
    """Yield the images that a DICOMDIR lists (PS3.10, Annex F.3)."""
    try:
        with quiet(), path.open("rb") as file:
            records = read_dataset(file).DirectoryRecordSequence
            ids = [one.ReferencedFileID for one in records if "ReferencedFileID" in one]
    except Exception as error:  # whatever pydicom raises on a damaged one
        raise ValueError(f"{path} cannot be read as a DICOMDIR.") from error
    for parts in ids:
        name = "/".join([parts] if isinstance(parts, str) else parts)
        refuse_unsafe(name)
        yield InputFile(name=name, path=path.parent / name)
