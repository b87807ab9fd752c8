"""What goes wrong in a service, and how much of it a log may say."""


class QueueFullError(OSError):
    """There is no room, by the settings or on the disk; nothing was kept."""


class UnacceptableInstanceError(ValueError):
    """An instance that can get no answer, and why; no value of its header is named."""


class TooLargeError(UnacceptableInstanceError):
    """An instance of more bytes than the settings allow."""


class RemoteError(RuntimeError):
    """What another server did not do, in words that name no study and no patient."""


_OUR_WORDS = (QueueFullError, UnacceptableInstanceError, RemoteError)


def in_words(error: Exception) -> str:
    """Return what a log may say: of others' faults the kind, as they may quote."""
    return str(error) if isinstance(error, _OUR_WORDS) else type(error).__name__
