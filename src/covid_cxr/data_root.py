"""The folder of a study: one run at a time works in it, and can write to it.

A run that reads what another one is writing would report numbers of two studies.
"""

import errno
import json
import logging
import os
import socket
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

LOCK, HOLDER = ".run.lock", ".run.json"

# What a disk without locks answers; a lock file that is another user's is no such disk.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)


class DataRootHeldError(RuntimeError):
    """Another run works in this data root."""


class DataRootLock:
    """The right to work in a data root, which ends with the process at the latest.

    The system keeps the lock (`flock`), not the file: a run that is killed leaves none
    behind. Other machines see it where their shared disk carries locks, as NFS does.
    """

    def __init__(self, root: Path) -> None:
        """Name the folder.

        Args:
            root: It is made when the lock is taken.
        """
        self._root = root
        self._lock = FileLock(root / LOCK, timeout=0, thread_local=False)

    def take(self) -> None:
        """Take the lock, or refuse at once.

        Raises:
            DataRootHeldError: If another process has it; says which, and since when.
            OSError: If the lock's file cannot be opened.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise DataRootHeldError(
                f"Another run works in {self._root}{self._holder()}. Wait for its end, "
                f"stop it, or name another folder: --params=data_root=…"
            ) from None
        except (NotImplementedError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
                raise
            logger.warning(
                "the disk of %s has no locks (%s): see to it that no other run works "
                "there at the same time",
                self._root,
                error,
            )
            return
        self._say_who()

    def release(self) -> None:
        """Let other runs in."""
        if self._lock.is_locked:
            (self._root / HOLDER).unlink(missing_ok=True)
            self._lock.release()

    def _say_who(self) -> None:
        started = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        holder = {
            "process": os.getpid(),
            "machine": socket.gethostname(),
            "started": started,
        }
        (self._root / HOLDER).write_text(json.dumps(holder) + "\n", "utf-8")

    def _holder(self) -> str:
        try:
            holder = json.loads((self._root / HOLDER).read_text("utf-8"))
            return (
                f": process {holder['process']} on {holder['machine']}, which began at "
                f"{holder['started']}"
            )
        except (OSError, ValueError, TypeError, KeyError):
            return ""


def refuse_unwritable(folders: Iterable[Path]) -> None:
    """Refuse to begin what could not be saved.

    Args:
        folders: They need not exist.

    Raises:
        PermissionError: Names those that nothing can be written to.
    """
    wrong = sorted({str(folder) for folder in folders if not _is_writable(folder)})
    if wrong:
        raise PermissionError(
            f"The run could not save its results: no file can be written to "
            f"{', '.join(wrong)}. Give yourself the right to, or name another folder: "
            f"--params=data_root=…"
        )


def _is_writable(folder: Path) -> bool:
    """Whether a file can be made there, and the folder before it if need be."""
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
