"""Which errors a message explains, and which need their traceback.

What this project or Kedro raises by a statement of its own says what came, what was
expected and what to do. So does the system of a file that it cannot open. Everything
else is a fault of the program.
"""

import linecache
from types import TracebackType

from kedro.io import DatasetError

_RAISING = ("covid_cxr", "kedro", "kedro_datasets", "omegaconf")


def is_expected(error: BaseException) -> bool:
    """Whether the message of `error` is enough for who runs the study.

    A dataset's error is judged by what Kedro wraps in it.
    """
    if isinstance(error, DatasetError) and error.__cause__ is not None:
        return is_expected(error.__cause__)
    if isinstance(error, AssertionError | NotImplementedError):
        return False
    of_the_system = isinstance(error, OSError) and error.errno is not None
    return of_the_system or _is_raised_on_purpose(error)


def _is_raised_on_purpose(error: BaseException) -> bool:
    frame = _last(error.__traceback__)
    if frame is None or _module(error).partition(".")[0] not in _RAISING:
        return False
    line = linecache.getline(frame.tb_frame.f_code.co_filename, frame.tb_lineno)
    return line.lstrip().startswith("raise ")


def _module(error: BaseException) -> str:
    """Return the name of the module that raised the error."""
    frame = _last(error.__traceback__)
    return "" if frame is None else str(frame.tb_frame.f_globals.get("__name__", ""))


def _last(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    return frames
