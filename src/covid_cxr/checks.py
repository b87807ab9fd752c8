"""What a parameter may be, and how one that may not is refused."""

from collections.abc import Collection
from typing import Any


def check_word(name: str, value: object, words: Collection[str], *, place: str) -> None:
    """Refuse a word that is none of those that there are.

    Args:
        name: Of the parameter, as "curation.compression".
        value: As given.
        words: Those that there are.
        place: Where it is corrected, as "parameters_curation.yml".

    Raises:
        ValueError: If it is another.
    """
    if value not in words:
        raise ValueError(
            f"{name} must be one of {', '.join(words)}, got {value!r}; correct it in "
            f"{place}."
        )


def check_whole(
    name: str, value: Any, *, least: int, most: int | None = None, place: str
) -> None:
    """Refuse what is no whole number, or one that is too small or too large.

    True and False are no numbers. Arguments are as of `check_word`; `most` is the
    largest that may be, None for any.

    Raises:
        ValueError: If it is no such number.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(
            f"{name} must be a whole number {bounds}, got {value!r}; correct it in "
            f"{place}."
        )


def check_flag(name: str, value: object, *, place: str) -> None:
    """Refuse what is neither true nor false; arguments as of `check_word`.

    Raises:
        ValueError: If it is neither.
    """
    if value is not True and value is not False:
        raise ValueError(
            f"{name} must be true or false, got {value!r}; correct it in {place}."
        )


def check_share(name: str, value: Any) -> None:
    """Refuse what is no share; arguments as of `check_word`.

    Raises:
        ValueError: If it is no number from 0 to 1.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:
        raise ValueError(
            f"{name} must be a share from 0 to 1, got {value!r}; correct it in "
            f"conf/base, conf/local, the environment or on the command line."
        )
