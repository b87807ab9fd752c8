"""Write `docs/reference/data-sets.md` from the table of adapters.

python scripts/list_data_sets.py
"""

from pathlib import Path

from covid_cxr.sources.adapters import SOURCES, Source

PAGE = Path(__file__).parents[1] / "docs/reference/data-sets.md"
HEAD = """\
# Data sets and their licences

What may stand as `source` of a cohort in `study.yml`. No data set is part of this
project, and none is downloaded by it: get each from its publisher, under its terms. The
words here are short; the publisher's own terms count. Files, counts and known defects:
[Data](../data.md).

This page is made from `sources/adapters.py` by `scripts/list_data_sets.py`.

"""
ITS_LAYOUT = "that of its layout, see [Data](../data.md)"


def page() -> str:
    """Return the page, in Markdown."""
    return HEAD + "\n".join(_section(name, one) for name, one in SOURCES.items())


def _section(name: str, source: Source) -> str:
    rows = {
        "Origin": source.origin or ITS_LAYOUT,
        "Labels are": source.reference or ITS_LAYOUT,
        "Licence": source.licence or ITS_LAYOUT,
        "Labels": _labels(source),
        "Official test list": "yes" if source.has_official_parts else "no",
        "Patients": "known" if source.has_patients else "not published",
        "Readers' boxes": "yes" if source.has_boxes else "no",
    }
    lines = "\n".join(f"- **{what}:** {said}" for what, said in rows.items())
    return f"## `{name}`: {source.title}\n\n{lines}\n"


def _labels(source: Source) -> str:
    if source.findings is None:
        return "the columns of its manifest"
    return ", ".join(f"`{finding}`" for finding in source.findings)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
