"""Documents as Markdown that can be pasted into a submission."""

import re
from collections.abc import Iterator, Sequence

from covid_cxr.report.documents.document import Document, Item, Table

# What GitHub's Markdown would read as markup: signs anywhere, an underscore at the edge
# of a word, the second half of a link or image, an entity, a mail address, and what
# begins a heading, a list or a quotation.
_MARKUP = re.compile(
    r"([\\|*`<~$@]|(?<!\w)_|_(?!\w)|\](?=[(\[:])|&(?=[#\w]+;)|^[#>+=-])"
)
_LIST = re.compile(r"^(\d+)([.)])")
_BARE_LINK = re.compile(r"(?i)(:)(//)|\b(www)(\.)")  # a link without any markup


def as_markdown(document: Document) -> str:
    """Return the document as GitHub-flavoured Markdown.

    Items with a number become the rows of a table, as on a form; those without become
    paragraphs under their topic. Blanks are bold.
    """
    lines = [f"# {_plain(document.title)}", ""]
    for notice in document.notices:
        lines += [f"> {_plain(notice)}", ""]
    lines += [_plain(document.source), "", f"{document.tally}.", ""]
    for section in document.sections:
        items = [item for item in document.items if item.section == section]
        tables = [table for table in document.tables if table.section == section]
        lines += [f"## {_plain(section)}", "", *_items(items)]
        lines += [line for table in tables for line in _table(table)]
    return "\n".join(lines).rstrip() + "\n"


def _items(items: Sequence[Item]) -> Iterator[str]:
    if not any(item.number for item in items):
        for item in items:
            yield from (f"**{_plain(item.topic)}.** {_text(item)}", "")
        return
    yield from _header(("Item", "Topic", "Text"))
    for item in items:
        yield _row((item.number, _plain(item.topic), _text(item)))
    yield ""


def _table(table: Table) -> Iterator[str]:
    yield from (_plain(table.caption), "")
    yield from _header([_plain(column) for column in table.columns])
    for row in table.rows:
        yield _row([_plain(cell) for cell in row])
    yield ""


def _header(columns: Sequence[str]) -> tuple[str, str]:
    return _row(columns), _row(["---"] * len(columns))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(item: Item) -> str:
    parts = [_plain(item.told), f"**{_plain(item.blank)}**" if item.blank else ""]
    return " ".join(part for part in parts if part)


def _plain(text: str) -> str:
    marked = _MARKUP.sub(r"\\\1", " ".join(text.split()))
    return _BARE_LINK.sub(r"\1\3\\\2\4", _LIST.sub(r"\1\\\2", marked))
