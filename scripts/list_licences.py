"""Write `docs/community/licences.md` from the lock and what is installed of it.

Run it after a change of the lock: `.venv/bin/python scripts/list_licences.py`.
"""

import re
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/community/licences.md"
HEAD = """\
# Licences of the locked packages

What `requirements.lock` installs, as each package states its licence. The project is
Apache-2.0. What builds these pages (`requirements-docs.lock`) is not shipped with it.

This page is made by `scripts/list_licences.py`; a test refuses a licence that is not on
its list of those that go with Apache-2.0, but for the exceptions below.

| package | version | licence |
|---|---|---|
"""
# In their files only, not in their metadata.
STATED_IN_FILES = {
    "cookiecutter": "BSD-3-Clause",
    "mlcroissant": "Apache-2.0",
    "namex": "Apache-2.0",
}
# May be combined with Apache-2.0 and passed on; the words of SPDX and of PyPI.
ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Zlib|CC0|Unlicense"
    r"|Public Domain"
)
EXCEPTIONS = {
    "codespell": "GPL-2.0-only: a program that checks spelling, imported by nothing",
    "text-unidecode": "GPL or Artistic License: taken under the latter",
}


def locked() -> Iterator[tuple[str, str, str]]:
    """Return name, version and licence of each package of the lock."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE):
        yield name, version, licence_of(name)


def licence_of(package: str) -> str:
    """Return what an installed package states, in one line."""
    stated = metadata(package)
    if expression := stated.get("License-Expression"):
        return expression
    prefix = "License :: "
    classifiers = stated.get_all("Classifier") or []
    named = [c.split(" :: ")[-1] for c in classifiers if c.startswith(prefix)]
    if named:
        return ", ".join(named)
    in_words = (stated.get("License") or "").strip().splitlines()
    return in_words[0] if in_words else STATED_IN_FILES.get(package, "not stated")


def is_allowed(package: str, licence: str) -> bool:
    """Return whether each part of a licence is on the list, or the package excepted."""
    parts = re.split(r",| AND | OR |\(|\)", licence)
    return package in EXCEPTIONS or all(
        ALLOWED.search(part) for part in parts if part.strip()
    )


def page() -> str:
    """Return the page, in Markdown."""
    rows = "".join(f"| {n} | {v} | {licence} |\n" for n, v, licence in locked())
    excepted = "".join(f"- `{name}`: {why}\n" for name, why in EXCEPTIONS.items())
    return f"{HEAD}{rows}\nExceptions:\n\n{excepted}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
