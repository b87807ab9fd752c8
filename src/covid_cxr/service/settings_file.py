"""A YAML file to frozen records, or one message that names its fault and place."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import yaml

T = TypeVar("T")


class MalformedSettingsError(ValueError):
    """Settings by which no service can be run."""


def read_record(kind: type[T], text: str, *, file: str) -> T:
    """Return the record that a YAML text states.

    Args:
        kind: A dataclass whose fields are text, numbers, truth, paths, such
            dataclasses, tuples of these, or one of these or None.
        text: Of the file.
        file: What to call it in messages.

    Raises:
        MalformedSettingsError: Names the key, what came and what is expected.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_twice(node, file)
        stated = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MalformedSettingsError(f"{file} is no YAML: {error}") from error
    record: T = _record(kind, stated, file)
    return record


def _refuse_twice(node: yaml.Node | None, file: str) -> None:
    """Refuse a key that stands twice, of which YAML would take the last."""
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _refuse_twice(one, file)
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, value in node.value:
        if key.value in seen:
            line = key.start_mark.line + 1
            raise MalformedSettingsError(
                f"{file}, line {line}: {key.value} stands twice; keep one of them."
            )
        seen.add(key.value)
        _refuse_twice(value, file)


def _record(kind: Any, stated: Any, place: str) -> Any:
    if not isinstance(stated, Mapping):
        raise MalformedSettingsError(
            f"{place} must be a record of {_names(kind)}, got {stated!r}."
        )
    known = {one.name: one for one in fields(kind)}
    for key in stated:
        if key not in known:
            raise MalformedSettingsError(
                f"{place}: {key!r} is not known here{_meant(str(key), known)}; known: "
                f"{_names(kind)}."
            )
    missing = [n for n, one in known.items() if n not in stated and _must_be(one)]
    if missing:
        raise MalformedSettingsError(f"{place}: {', '.join(missing)} is missing.")
    hints = get_type_hints(kind)
    values = {n: _value(hints[n], v, f"{place}: {n}") for n, v in stated.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise MalformedSettingsError(f"{place}: {error}") from error


def _names(kind: Any) -> str:
    return ", ".join(one.name for one in fields(kind))


def _must_be(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _meant(key: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(key, known, n=1)
    return f", perhaps {near[0]}" if near else ""


def _value(kind: Any, stated: Any, place: str) -> Any:
    if isinstance(kind, types.UnionType):
        (kind,) = (one for one in get_args(kind) if one is not types.NoneType)
        if stated is None:
            return None
    if is_dataclass(kind):
        return _record(kind, stated, place)
    if get_origin(kind) is tuple:
        return _several(get_args(kind)[0], stated, place)
    return _single(kind, stated, place)


def _several(kind: Any, stated: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(stated, list):
        raise MalformedSettingsError(f"{place} must be a list, got {stated!r}.")
    return tuple(
        _value(kind, one, f"{place}, number {number}")
        for number, one in enumerate(stated, start=1)
    )


def _single(kind: Any, stated: Any, place: str) -> Any:
    expected = str if kind is Path else kind
    if expected is float and type(stated) is int:
        return float(stated)
    if type(stated) is not expected or stated == "":
        words = {str: "text", int: "a whole number", float: "a number", bool: "a flag"}
        raise MalformedSettingsError(
            f"{place} must be {words[expected]}, got {stated!r}."
        )
    return Path(stated) if kind is Path else stated
