"""Parameters as a report may print them: no secret, and no place on a machine."""

from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

NOT_SHOWN = "set, not shown"
NOT_SET = "not set"

_SECRETS = {"pseudonym_salt"}


def printable(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return `parameters` without secrets, and without places on a machine.

    In `conf/` every parameter stands in a record of its step; a plain value beside the
    records is a place that was given for one run, such as `data_root`, and is left out.
    Of a file the name is kept, of an address nothing.
    """
    records = {key: v for key, v in parameters.items() if isinstance(v, Mapping)}
    return {str(key): _printable(str(key), value) for key, value in records.items()}


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the values of nested records as text, by dotted names.

    Lists are one value each, empty ones "none"; None reads "not set".

    Args:
        record: As in `{"phase1": {"recipe": {"seed": 2021}}}`.
        prefix: Put before every name.
    """
    flat: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = _as_text(value)
    return flat


def _printable(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _printable(str(name), own) for name, own in value.items()}
    if key in _SECRETS:
        return value if value is None else NOT_SHOWN
    if isinstance(value, list | tuple):
        return [_printable(key, own) for own in value]
    return _without_place(value) if isinstance(value, str) else value


def _without_place(text: str) -> str:
    if "://" in text:
        return NOT_SHOWN
    for path in (PurePosixPath(text), PureWindowsPath(text)):
        if path.is_absolute() or text.startswith("~"):
            return path.name
    return text


def _as_text(value: Any) -> str:
    if value is None:
        return NOT_SET
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(_as_text(own) for own in value) or "none"
    return str(value)
