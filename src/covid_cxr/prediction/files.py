"""The files of a bundle, read from its folder or its zip and held to their hashes.

Nothing is unpacked: a member of an archive is read into memory under its name, so that
no name leads anywhere. What was hashed is what is used.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files as resources
from pathlib import Path, PurePosixPath
from typing import Any

SCHEMA_VERSION = 2
RECORD = "bundle.json"
SCHEMA = "bundle.schema.json"
# DenseNet121 takes 30 MB three times over; this is room for any network of Keras.
MAX_BYTES = 2**32


class InvalidBundleError(ValueError):
    """A bundle that is not served, and why."""


def read_bundle(place: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the record of a bundle, and the content of its other files by name.

    Args:
        place: The bundle's folder, or its zip.

    Raises:
        FileNotFoundError: If there is no such folder or file.
        InvalidBundleError: If it is no bundle, of a version that this software does
            not know, or not as it was written.
    """
    if not place.exists():
        raise FileNotFoundError(
            f"There is no bundle at {place}; name the folder, or the .zip, that "
            f"`kedro run --pipelines=bundle` wrote."
        )
    found = _read_folder(place) if place.is_dir() else _read_zip(place)
    if RECORD not in found:
        raise InvalidBundleError(
            f"{place} is no bundle: it has no {RECORD}. Name the folder, or the .zip, "
            f"that `kedro run --pipelines=bundle` wrote."
        )
    record = _parse(found.pop(RECORD), place)
    _check_hashes(found, record["files"], place)
    return record, found


def check_record(record: Mapping[str, Any]) -> None:
    """Check a record against the JSON Schema of its version.

    Raises:
        InvalidBundleError: Says where it is not as the schema has it.
    """
    import fastjsonschema  # noqa: PLC0415 - compiles the schema when first used

    try:
        _validator()(record)
    except fastjsonschema.JsonSchemaException as error:
        raise InvalidBundleError(
            f"its {RECORD} is not as version {SCHEMA_VERSION} has it: {error}"
        ) from error


def sha256_of(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def refuse_unsafe(name: str) -> None:
    """Refuse the name of an archive's member that leads out of a folder.

    Raises:
        ValueError: If it is absolute, climbs, or has a drive or a backslash.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise ValueError(f"the name {name!r} leads out of the archive")


@cache
def _validator() -> Any:
    import fastjsonschema  # noqa: PLC0415

    schema = resources(__package__).joinpath(SCHEMA).read_text("utf-8")
    return fastjsonschema.compile(json.loads(schema))


def _read_folder(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    _refuse_large(sum(path.stat().st_size for path in paths), folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _read_zip(place: Path) -> dict[str, bytes]:
    """Return the members of a zip, whose names begin with one folder or with none."""
    try:
        with zipfile.ZipFile(place) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            for member in members:
                refuse_unsafe(member.filename)
            _refuse_large(sum(member.file_size for member in members), place)
            found = {one.filename: archive.read(one) for one in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise InvalidBundleError(
            f"{place} cannot be read as a zip: {error}. Copy the bundle again."
        ) from error
    except ValueError as error:
        raise InvalidBundleError(f"{place} is no bundle: {error}.") from error
    if len(found) < len(members):
        raise InvalidBundleError(f"{place} is no bundle: a name is there twice.")
    tops = {name.partition("/")[0] for name in found}
    folder = f"{tops.pop()}/" if len(tops) == 1 else ""
    return {name.removeprefix(folder): content for name, content in found.items()}


def _refuse_large(n_bytes: int, place: Path) -> None:
    if n_bytes > MAX_BYTES:
        raise InvalidBundleError(
            f"{place} holds {n_bytes} bytes; no bundle has more than {MAX_BYTES}."
        )


def _parse(content: bytes, place: Path) -> dict[str, Any]:
    try:
        record = json.loads(content)
    except ValueError as error:
        raise InvalidBundleError(
            f"{place}: its {RECORD} is no JSON ({error}). Copy the bundle again."
        ) from error
    version = record.get("schema_version") if isinstance(record, dict) else None
    if isinstance(version, int) and version != SCHEMA_VERSION:
        software = record.get("software")
        made_by = software.get("covid_cxr") if isinstance(software, dict) else None
        raise InvalidBundleError(
            f"{place} is of schema version {version}, and this software reads "
            f"{SCHEMA_VERSION}; install the covid-cxr that wrote it "
            f"({made_by or 'which it does not say'}), or have it written anew."
        )
    try:
        check_record(record)
    except InvalidBundleError as error:
        raise InvalidBundleError(f"{place} is no bundle: {error}.") from error
    return dict(record)


def _check_hashes(
    found: Mapping[str, bytes], expected: Mapping[str, str], place: Path
) -> None:
    missing = sorted(set(expected) - set(found))
    strange = sorted(set(found) - set(expected))
    changed = sorted(
        name
        for name in set(found) & set(expected)
        if sha256_of(found[name]) != expected[name]
    )
    for what, names in (
        ("lacks", missing),
        ("holds what it does not list:", strange),
        ("has changed since it was written:", changed),
    ):
        if names:
            raise InvalidBundleError(
                f"{place} {what} {', '.join(names)}. Nothing is predicted with it; "
                f"copy the bundle again."
            )
