"""What goes wrong in a service, how much of it a log may say, and what is final."""

from covid_cxr.prediction.dicom_results.subject import NoResultsError


class QueueFullError(OSError):
    """There is no room, by the settings or on the disk; nothing was kept."""


class UnacceptableInstanceError(ValueError):
    """An instance that can get no answer, and why; no value of its header is named."""


class TooLargeError(UnacceptableInstanceError):
    """An instance of more bytes than the settings allow."""


class RemoteError(RuntimeError):
    """What another server did not do, in words that name no study and no patient."""


_FINAL = (UnacceptableInstanceError, NoResultsError)
_OUR_WORDS = (*_FINAL, QueueFullError, RemoteError)


def is_final(error: Exception) -> bool:
    """Return whether the same radiograph would fail by it again."""
    return isinstance(error, _FINAL)


def in_words(error: Exception) -> str:
    """Return what a log may say: of others' faults the kind, as they may quote."""
    return str(error) if isinstance(error, _OUR_WORDS) else type(error).__name__
