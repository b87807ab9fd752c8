"""What publishers call findings, and what these are called here: `vocabulary.csv`.

A table that a radiologist can read and correct, one row for each word of a source: the
finding that it means, or none. A word may mean several findings. Sources are
named as in `sources.adapters.SOURCES`.
"""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from covid_cxr.packaged_csv import read_packaged_csv

_COLUMNS = ("finding", "source", "term", "note")
_LEAST_ALIKE = 0.5


@cache
def terms_of(source: str) -> dict[str, tuple[str, ...]]:
    """Return each word of a source with the findings that it became.

    Returns:
        No finding for a word that is none, as "exclude"; nothing for a source that the
        vocabulary does not have.
    """
    found: dict[str, tuple[str, ...]] = {}
    for finding, published_by, term in _rows():
        if published_by == source:
            named = (finding,) if finding else ()
            found[term] = (*found.get(term, ()), *named)
    return found


def words_for(source: str) -> dict[str, tuple[str, ...]]:
    """Return each finding of a source with the source's words for it, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for finding, published_by, term in _rows():
        if published_by == source and finding:
            found[finding] = (*found.get(finding, ()), term)
    return found


def findings_of(source: str) -> tuple[str, ...]:
    """Return the findings that a source has words for, in the vocabulary's order."""
    return tuple(words_for(source))


@cache
def all_findings() -> tuple[str, ...]:
    """Return every finding of the vocabulary once, in its order."""
    return tuple(dict.fromkeys(finding for finding, _, _ in _rows() if finding))


def absent_finding(asked: str, source: str, known: Sequence[str]) -> str:
    """Return what to say of a finding that a source does not have."""
    nearest = get_close_matches(asked, known, n=1, cutoff=_LEAST_ALIKE)
    hint = f"; nearest: {nearest[0]}" if nearest else ""
    return f"{asked!r}, which {source} does not have{hint}"


def refuse_absent(asked: Collection[str], source: str) -> None:
    """Refuse findings that a source has no word for.

    Raises:
        ValueError: Names them, the nearest and all that there are.
    """
    known = findings_of(source)
    absent = [
        absent_finding(name, source, known) for name in asked if name not in known
    ]
    if absent:
        raise ValueError(
            f"The study asks for {'; and for '.join(absent)}. There are "
            f"{', '.join(known)}. Correct the labels in study.yml, or add the source's "
            f"word to cohorts/vocabulary.csv."
        )


@cache
def _rows() -> tuple[tuple[str, str, str], ...]:
    """Return `finding, source, term` of each row."""
    table = read_packaged_csv(files(__package__) / "vocabulary.csv", _COLUMNS)
    return tuple((row["finding"], row["source"], row["term"]) for row in table)
