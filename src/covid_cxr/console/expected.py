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
    last = _last(error.__traceback__)
    if last is None:
        return False
    frame = last.tb_frame
    line = linecache.getline(frame.f_code.co_filename, last.tb_lineno)
    module = str(frame.f_globals.get("__name__", ""))
    is_ours = module.partition(".")[0] in _RAISING
    return is_ours and line.lstrip().startswith("raise ")


def _last(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    return frames
