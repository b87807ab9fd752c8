"""The disk of this machine, on which a file appears whole or not at all.

Kedro's datasets write through fsspec: with this file system in the place of fsspec's
own, a run that is ended in the middle of a table or a figure leaves the file as it was.
"""

import os
from types import TracebackType
from typing import Any, Self

import fsspec
from fsspec.implementations.local import LocalFileSystem

PART = ".part"


class WholeFileSystem(LocalFileSystem):  # type: ignore[misc]  # has no types
    """`LocalFileSystem` whose files take their name when they are written and closed.

    Until then they are beside it, with `.part` at the end. Where a link stands, the
    file that it names is replaced, not the link.
    """

    def open(self, path: Any, mode: str = "rb", **options: Any) -> Any:
        """Open a file, as fsspec does."""
        if "w" not in mode:
            return super().open(path, mode, **options)
        target = os.path.realpath(self._strip_protocol(path))
        part = f"{target}{PART}"
        # Not super(), whose `open` of a text calls this one again for its bytes.
        plain = LocalFileSystem(auto_mkdir=self.auto_mkdir)
        return _WholeFile(plain.open(part, mode, **options), part, target)


class _WholeFile:
    """A file that is being written beside the one that it will replace."""

    def __init__(self, file: Any, part: str, target: str) -> None:
        self._file, self._part, self._target = file, part, target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._discard()

    def close(self) -> None:
        """Close the file and give it its name; a second time does nothing."""
        if self._file.closed:
            return
        try:
            self._file.close()
            os.replace(self._part, self._target)  # noqa: PTH105 - fsspec has text
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        try:
            self._file.close()
        finally:
            if os.path.exists(self._part):  # noqa: PTH110 - fsspec has text
                os.unlink(self._part)  # noqa: PTH108 - fsspec has text


def write_files_whole() -> None:
    """Let every dataset that is made from now on write its files so."""
    for protocol in ("file", "local"):
        fsspec.register_implementation(protocol, WholeFileSystem, clobber=True)
