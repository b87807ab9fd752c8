"""What was received and what is still to be done, kept through a crash.

Contents are files, and what is true of them are rows of an SQLite database
(docs/decisions/0055). A file is on the disk before a row says so, and goes after the
rows say that it may: no row lacks its file, and a file without a row was promised to
nobody.

What is to be done is an errand: an instance is to be predicted, its answers are to be
brought to each destination, something is to be fetched from a source. An errand is
tried again and again, later each time, and laid aside as dead in the end. An instance
is known by the hash of its SOPInstanceUID and of the bundle; it is done when no errand
of it is left.
"""

import errno
import fcntl
import os
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from covid_cxr.durable import PART, sync_folder, write_durably
from covid_cxr.prediction.files import sha256_of
from covid_cxr.service.faults import QueueFullError
from covid_cxr.service.service_settings import Retries, Storage

# Where errands are done; the last two lead the names of sources and destinations.
PREDICTION, FROM, TO = "prediction", "from ", "to "
WAITING, DEAD = "waiting", "dead"
DATABASE = "queue.sqlite"
_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_TABLES = """
CREATE TABLE IF NOT EXISTS instances (
    key TEXT PRIMARY KEY, bundle TEXT NOT NULL, received REAL NOT NULL,
    bytes INTEGER NOT NULL, is_done INTEGER NOT NULL, status TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS not_done ON instances (is_done) WHERE NOT is_done;
CREATE TABLE IF NOT EXISTS errands (
    place TEXT NOT NULL, item TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, due REAL NOT NULL, added REAL NOT NULL, reason TEXT,
    PRIMARY KEY (place, item)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_turn ON errands (place, state, due, attempts, added);
CREATE TABLE IF NOT EXISTS answers (uid_sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bookmarks (source TEXT PRIMARY KEY, place TEXT NOT NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What is to be done.

    Attributes:
        place: `PREDICTION`, or a source or destination, as "from orthanc".
        item: Key of the instance; of a source, what it calls that.
        attempts: So far, this one included.
        reason: Why the last one failed.
    """

    place: str
    item: str
    attempts: int
    reason: str | None

    @property
    def name(self) -> str:
        """What it is called in logs, where no UID may be."""
        is_key = self.place == PREDICTION or self.place.startswith(TO)
        shown = self.item if is_key else _known_by(self.item)
        return f"{self.place} {shown[:12]}"


class DiskQueue:
    """The queue of one service; any number of threads may use it.

    Attributes:
        folder: That it is in.
    """

    def __init__(self, storage: Storage, retries: Retries, *, bundle: str) -> None:
        """Open the queue of a folder, or make one.

        Args:
            storage: Where, and how much.
            retries: How often, and when.
            bundle: Hash of what predicts.

        Raises:
            OSError: If the folder cannot be used, or another service does.
            ValueError: If it holds radiographs that wait for another bundle.
        """
        self.folder = storage.folder
        self._storage, self._retries, self._bundle = storage, retries, bundle
        self._received = storage.folder / "received"
        self._answers = storage.folder / "answers"
        for place in (self.folder, self._received, self._answers):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._changed = threading.Condition()
        self._owned = _own(self.folder / "lock")
        self._rows = _connect(self.folder / DATABASE)
        sync_folder(self.folder)
        self._refuse_other_bundle()
        self._sweep()

    def close(self) -> None:
        """Let another service use the folder."""
        with self._lock:
            self._rows.close()
            os.close(self._owned)

    def wait(self, seconds: float) -> None:
        """Return when something has changed, at the latest after so many seconds."""
        with self._changed:
            self._changed.wait(seconds)

    def wake(self) -> None:
        """End the waiting of all threads."""
        with self._changed:
            self._changed.notify_all()

    def key_of(self, uid: str) -> str:
        """Return what an instance is known by here, given its SOPInstanceUID."""
        return _known_by(f"{self._bundle} {uid}")

    def knows(self, uid: str) -> bool:
        """Return whether it need not be asked for: it was received, or is an answer."""
        with self._lock:
            sql = "SELECT 1 FROM answers WHERE uid_sha256 = ?"
            is_answer = bool(self._find(sql, _known_by(uid)))
            return is_answer or self._is_kept(self.key_of(uid))

    def receive(self, uid: str, content: bytes) -> bool:
        """Keep an instance; when this returns, nothing loses it.

        What is known is not kept again, except what could not be predicted.

        Args:
            uid: Its SOPInstanceUID.
            content: DICOM file.

        Returns:
            Whether it is new.

        Raises:
            QueueFullError: If there is no room for it.
            OSError: If it cannot be written.
        """
        key = self.key_of(uid)
        with self._lock, _full_disk_in_words():
            if self.knows(uid) and not self._is_laid_aside(key):
                return False
            self._refuse_full(len(content))
            write_durably(self.radiograph(key), content)
            with self._transaction():
                self._do(
                    "INSERT OR REPLACE INTO instances VALUES (?,?,?,?,0,NULL)",
                    *(key, self._bundle, time.time(), len(content)),
                )
                self._add("INSERT OR REPLACE", PREDICTION, key)
        self.wake()
        return True

    def radiograph(self, key: str) -> Path:
        """Return the place of an instance's file."""
        return self._received / f"{key}.dcm"

    def answers(self, key: str) -> list[Path]:
        """Return the places of the answers to an instance, in the order of sending."""
        return sorted((self._answers / key).glob("*.dcm"))

    def fetch_later(
        self, source: str, items: Iterable[str], *, bookmark: str | None = None
    ) -> None:
        """Note what a source has that is to be fetched, and up to where it was read.

        With a bookmark, an item is news: it is fetched anew, even if it is being
        fetched at this moment, or was laid aside.
        """
        verb = "INSERT OR IGNORE" if bookmark is None else "INSERT OR REPLACE"
        with self._lock, self._transaction():
            for item in items:
                self._add(verb, source, item)
            if bookmark is not None:
                self._do(
                    "INSERT OR REPLACE INTO bookmarks VALUES (?,?)", source, bookmark
                )
        self.wake()

    def bookmark(self, source: str) -> str | None:
        """Return up to where a source was read; None if it never was."""
        with self._lock:
            row = self._find("SELECT place FROM bookmarks WHERE source = ?", source)
        return None if row is None else str(row[0])

    def next(self, place: str) -> Errand | None:
        """Return an errand whose turn it is; its attempt counts from now on.

        It counts before it begins, since what ends the process comes back, too. What
        was begun least often is first: a process that is ended again and again by
        something else is then not the fault of one errand.
        """
        now = time.time()
        with self._lock, self._transaction():
            row = self._find(
                "SELECT item, attempts, reason FROM errands WHERE place = ? AND "
                "state = ? AND (due <= ? OR due > ?) "
                "ORDER BY due, attempts, added LIMIT 1",
                # So late only where the clock was set back.
                *(place, WAITING, now, now + 2 * self._retries.longest_seconds),
            )
            if row is None:
                return None
            item, attempts, reason = row
            self._do(
                "UPDATE errands SET attempts = ?, due = ? WHERE place = ? AND item = ?",
                *(attempts + 1, self._later(attempts), place, item),
            )
        return Errand(place=place, item=item, attempts=attempts + 1, reason=reason)

    def is_spent(self, errand: Errand) -> bool:
        """Return whether an errand was begun as often as it may be, and never ended."""
        return errand.attempts > self._most(errand)

    def answer(
        self,
        errand: Errand,
        answers: Mapping[str, bytes],
        *,
        status: str,
        destinations: Sequence[str],
    ) -> None:
        """Keep the answers to an instance, which are then to be sent.

        Args:
            errand: Its prediction, which is done by that.
            answers: DICOM files by SOPInstanceUID, in the order of sending.
            status: Of the prediction, for the metrics.
            destinations: Which each get all of them.

        Raises:
            OSError: If they cannot be written; the instance waits still.
        """
        key = errand.item
        folder = self._answers / key
        with self._lock, _full_disk_in_words():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            for number, content in enumerate(answers.values()):
                write_durably(folder / f"{number:02d}.dcm", content)
            sync_folder(self._answers)
            with self._transaction():
                for uid in answers:
                    self._do("INSERT OR IGNORE INTO answers VALUES (?)", _known_by(uid))
                for destination in destinations:
                    self._add("INSERT OR REPLACE", destination, key)
                self._do(
                    "UPDATE instances SET status = ?, bytes = bytes + ? WHERE key = ?",
                    *(status, sum(map(len, answers.values())), key),
                )
                self._delete(errand)
        self.wake()

    def finish(self, errand: Errand) -> None:
        """Note that an errand is done; the files of an instance go with its last."""
        key = errand.item
        with self._lock:
            with self._transaction():
                self._delete(errand)
                if errand.place.startswith(FROM):  # its item is a peer's word, no key
                    return
                left = self._find("SELECT 1 FROM errands WHERE item = ?", key)
                if left is None:
                    self._do(
                        "UPDATE instances SET is_done = 1, bytes = 0 WHERE key = ?", key
                    )
            if left is None:
                _remove(self.radiograph(key))
                _remove(self._answers / key)

    def fail(self, errand: Errand, reason: str, *, is_final: bool = False) -> bool:
        """Note why an errand failed; return whether it is laid aside now.

        Args:
            errand: That failed.
            reason: Why.
            is_final: Whether no further attempt would mend it.
        """
        is_last = is_final or errand.attempts >= self._most(errand)
        with self._lock, self._transaction():
            self._do(
                "UPDATE errands SET state = ?, reason = ? "
                "WHERE place = ? AND item = ? AND attempts = ?",
                *(DEAD if is_last else WAITING, reason),
                *(errand.place, errand.item, errand.attempts),
            )
        return is_last

    def postpone(self, errand: Errand) -> None:
        """Take back an attempt that failed by no fault of the errand."""
        with self._lock, self._transaction():
            self._do(
                "UPDATE errands SET attempts = attempts - 1 "
                "WHERE place = ? AND item = ?",
                *(errand.place, errand.item),
            )

    def revive(self) -> int:
        """Let all that was laid aside be tried anew; return how much that is."""
        with self._lock, self._transaction():
            number = self._do(
                "UPDATE errands SET state = ?, attempts = 0, due = 0 WHERE state = ?",
                *(WAITING, DEAD),
            )
        self.wake()
        return number

    def counts_of_errands(self) -> dict[tuple[str, str], int]:
        """Return how many errands there are, by place and state."""
        with self._lock:
            rows = self._rows.execute(
                "SELECT place, state, COUNT(*) FROM errands GROUP BY place, state"
            ).fetchall()
        return {(place, state): number for place, state, number in rows}

    def counts_of_instances(self) -> dict[tuple[str, bool], int]:
        """Return how many instances there are, by status and whether they are done.

        The status is empty before the prediction.
        """
        with self._lock:
            rows = self._rows.execute(
                "SELECT COALESCE(status, ''), is_done, COUNT(*) FROM instances "
                "GROUP BY status, is_done"
            ).fetchall()
        return {(status, bool(is_done)): number for status, is_done, number in rows}

    def used_bytes(self) -> int:
        """Return what the instances that are not done take, with their answers."""
        with self._lock:
            row = self._find(
                "SELECT COALESCE(SUM(bytes), 0) FROM instances WHERE NOT is_done"
            )
        return 0 if row is None else int(row[0])

    def oldest_seconds(self) -> float:
        """Return how long the oldest errand that is not dead is here; 0 if none is."""
        with self._lock:
            row = self._find("SELECT MIN(added) FROM errands WHERE state = ?", WAITING)
        if row is None or row[0] is None:
            return 0.0
        return max(time.time() - float(row[0]), 0.0)

    def no_room(self) -> str:
        """Return why nothing more is received; empty if something is."""
        try:
            self._refuse_full(0)
        except QueueFullError as error:
            return str(error)
        return ""

    def _refuse_full(self, n_bytes: int) -> None:
        used, most = self.used_bytes(), self._storage.most_bytes
        if used + n_bytes > most:
            raise QueueFullError(f"the queue holds {used} of at most {most} bytes")
        free, least = (
            shutil.disk_usage(self.folder).free,
            self._storage.least_free_bytes,
        )
        if free - n_bytes < least:
            raise QueueFullError(f"the disk has {free} bytes, {least} are kept free")

    def _refuse_other_bundle(self) -> None:
        row = self._find(
            "SELECT COUNT(*) FROM instances JOIN errands ON item = key "
            "WHERE place = ? AND state = ? AND bundle != ?",
            *(PREDICTION, WAITING, self._bundle),
        )
        if row is not None and row[0]:
            self.close()
            raise ValueError(
                f"{row[0]} radiographs in {self.folder} wait for another bundle, which "
                f"received them. Serve that one until they are predicted, or name "
                f"another folder for the queue of this one."
            )

    def _sweep(self) -> None:
        """Remove what a crash left, and let what it interrupted begin at once."""
        with self._transaction():
            self._do("UPDATE errands SET due = 0 WHERE state = ?", WAITING)
        for place in self._received.iterdir():
            if place.name.endswith(PART) or not self._is_open(place.stem):
                _remove(place)
        for place in self._answers.iterdir():
            if not self._is_open(place.name) or self._is_to_be_predicted(place.name):
                _remove(place)

    def _is_kept(self, key: str) -> bool:
        return bool(self._find("SELECT 1 FROM instances WHERE key = ?", key))

    def _is_open(self, key: str) -> bool:
        sql = "SELECT 1 FROM instances WHERE key = ? AND NOT is_done"
        return bool(self._find(sql, key))

    def _is_laid_aside(self, key: str) -> bool:
        sql = "SELECT 1 FROM errands WHERE place = ? AND item = ? AND state = ?"
        return bool(self._find(sql, PREDICTION, key, DEAD))

    def _is_to_be_predicted(self, key: str) -> bool:
        sql = "SELECT 1 FROM errands WHERE place = ? AND item = ?"
        return bool(self._find(sql, PREDICTION, key))

    def _add(self, verb: str, place: str, item: str) -> None:
        values = (place, item, WAITING, time.time())
        self._do(f"{verb} INTO errands VALUES (?,?,?,0,0,?,NULL)", *values)

    def _delete(self, errand: Errand) -> None:
        # By its attempts, too: it may have become news since it was begun.
        sql = "DELETE FROM errands WHERE place = ? AND item = ? AND attempts = ?"
        self._do(sql, errand.place, errand.item, errand.attempts)

    def _find(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._rows.execute(sql, values).fetchone()
        return row

    def _do(self, sql: str, *values: object) -> int:
        return self._rows.execute(sql, values).rowcount

    def _most(self, errand: Errand) -> int:
        if errand.place == PREDICTION:
            return self._retries.predictions
        return self._retries.attempts

    def _later(self, attempts: int) -> float:
        """Return when to try again: at a random time up to a bound that doubles."""
        # 2**64 seconds are longer than any longest_seconds.
        bound = self._retries.first_seconds * 2.0 ** min(attempts, 64)
        bound = min(bound, self._retries.longest_seconds)
        return time.time() + random.uniform(bound / 2, bound)  # noqa: S311

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._rows.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # it may have rolled back by itself
                self._rows.execute("ROLLBACK")
            raise


def dead_errands(folder: Path) -> list[Errand]:
    """Return what was laid aside in a queue, oldest first; a service may use it.

    Raises:
        FileNotFoundError: If there is no queue in the folder.
    """
    place = folder / DATABASE
    if not place.exists():
        raise FileNotFoundError(f"There is no queue in {folder}.")
    with closing(sqlite3.connect(place)) as rows:
        found = rows.execute(
            "SELECT place, item, attempts, reason FROM errands WHERE state = ? "
            "ORDER BY added",
            (DEAD,),
        ).fetchall()
    return [
        Errand(place=place, item=item, attempts=attempts, reason=reason)
        for place, item, attempts, reason in found
    ]


def _connect(place: Path) -> sqlite3.Connection:
    rows = sqlite3.connect(place, check_same_thread=False, isolation_level=None)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = FULL")  # a commit is on the disk
    rows.executescript(_TABLES)
    return rows


def _own(place: Path) -> int:
    """Return the lock that one process at a time has; it ends with the process."""
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise OSError(
            f"{place.parent} is the queue of a service that runs; stop that one, or "
            f"name another folder."
        ) from error
    return descriptor


@contextmanager
def _full_disk_in_words() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise QueueFullError("the disk is full") from error
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise QueueFullError("the disk is full") from error
        raise


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def _known_by(text: str) -> str:
    return sha256_of(text.encode())
