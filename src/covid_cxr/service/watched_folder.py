"""A folder whose DICOM files are taken as soon as they are whole.

A file is taken when neither its size nor its time of change has moved for a while. It
then goes to `taken`, or to `refused` with the reason beside it; nothing is deleted.
"""

import logging
import threading
import time
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path

from watchfiles import watch

from covid_cxr.durable import PART, sync_folder, write_durably
from covid_cxr.prediction.sources import InputFile
from covid_cxr.service.disk_queue import FROM
from covid_cxr.service.faults import UnacceptableInstanceError
from covid_cxr.service.reception import Reception
from covid_cxr.service.service_settings import WatchedFolder

logger = logging.getLogger(__name__)

TAKEN, REFUSED = "taken", "refused"
FROM_FOLDER = f"{FROM}folder"
State = tuple[int, int]  # size in bytes, time of change in ns


class Inbox:
    """The files of a folder, and since when each is as it is."""

    def __init__(
        self, watched: WatchedFolder, reception: Reception, stop: threading.Event
    ) -> None:
        """Begin with none; `stop` ends a pause."""
        self._watched, self._reception = watched, reception
        self._since: dict[Path, tuple[State, float]] = {}
        # Where the file system tells of no changes, as on a share, time passes.
        self._changes = watch(
            watched.path,
            stop_event=stop,
            rust_timeout=int(1000 * watched.stable_seconds),
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for name in (TAKEN, REFUSED):
            (watched.path / name).mkdir(exist_ok=True)

    def step(self) -> bool:
        """Take what is whole; return False, as files need time.

        Raises:
            OSError: If a file cannot be read or moved; the others are taken.
        """
        now = time.monotonic()
        found = list(self._files())
        self._since = {file: self._state(file, now) for file in found}
        faults = [fault for file in found if (fault := self._take_whole(file, now))]
        if faults:
            raise faults[0]
        return False

    def pause(self) -> None:
        """Return when something has changed in the folder, or may be whole by now."""
        next(self._changes, None)

    def _files(self) -> Iterator[Path]:
        for file in sorted(self._watched.path.rglob("*")):
            inside = file.relative_to(self._watched.path)
            is_hidden = any(part.startswith(".") for part in inside.parts)
            is_ours = inside.parts[0] in {TAKEN, REFUSED}
            if not is_hidden and not is_ours and file.suffix != PART and file.is_file():
                yield file

    def _state(self, file: Path, now: float) -> tuple[State, float]:
        state = InputFile(name=file.name, path=file).state
        known = self._since.get(file)
        return known if known is not None and known[0] == state else (state, now)

    def _take_whole(self, file: Path, now: float) -> OSError | None:
        """Take a file that is whole; return why it cannot be taken."""
        state, since = self._since[file]
        if state != (0, 0) and now - since >= self._watched.stable_seconds:
            try:
                self._take(file)
            except OSError as error:
                return error
        return None

    def _take(self, file: Path) -> None:
        try:
            with file.open("rb") as opened:
                content = opened.read(self._reception.largest_bytes + 1)
            self._reception.take(content, source=FROM_FOLDER)
        except UnacceptableInstanceError as error:
            _move(file, self._watched.path / REFUSED, reason=str(error))
        else:
            _move(file, self._watched.path / TAKEN)


def _move(file: Path, folder: Path, *, reason: str = "") -> None:
    """Move a file to a name that is free."""
    others = (f"{file.stem}-{number}{file.suffix}" for number in count(1))
    names = chain([file.name], others)
    place = next(folder / name for name in names if not (folder / name).exists())
    if reason:
        write_durably(place.with_name(f"{place.name}.txt"), f"{reason}\n".encode())
    file.replace(place)
    sync_folder(folder)
