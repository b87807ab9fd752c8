"""Documents as Markdown: tables that any renderer reads, blanks that are seen."""

import re

import pytest
from markdown_it import MarkdownIt

from covid_cxr.report.documents.checklist import fill_claim, fill_tripod_ai
from covid_cxr.report.documents.document import Document, Item
from covid_cxr.report.documents.markdown import as_markdown
from covid_cxr.report.documents.model_card import fill_model_card

CELL_END = r"(?<!\\)\|"


def tables(text):
    """Return the runs of lines that begin with a bar."""
    return [t.splitlines() for t in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]


@pytest.mark.parametrize("fill", [fill_model_card, fill_claim, fill_tripod_ai])
def test_every_table_has_a_rule_and_as_many_cells_in_every_row(fill, evidence):
    found = tables(as_markdown(fill(evidence)))

    assert found
    for table in found:
        n_cells = {len(re.findall(CELL_END, line)) for line in table}
        assert len(n_cells) == 1, table[0]
        assert set(table[1]) <= set("|- ")


def test_a_form_has_one_row_per_item(evidence):
    rows = [row for table in tables(as_markdown(fill_claim(evidence))) for row in table]

    numbers = [row.split("|")[1].strip() for row in rows]
    assert [n for n in numbers if n.isdigit()] == [str(n) for n in range(1, 45)]


def test_a_bar_in_a_cell_is_escaped(evidence):
    assert "North\\|East" in as_markdown(fill_model_card(evidence))


def test_blanks_are_bold_and_notices_come_first(evidence):
    text = as_markdown(fill_claim(evidence))

    assert "**[TO BE FILLED BY THE AUTHORS: funding" in text
    assert text.splitlines()[2].startswith("> Draft")


def test_markup_in_a_text_stays_text():
    item = Item(number="", section="S", topic="T", told="a *b* <script>", asked="")
    document = Document(
        name="d", title="D", source="s", notices=(), items=(item,), tables=()
    )

    assert "**T.** a \\*b\\* \\<script>" in as_markdown(document)


@pytest.mark.parametrize(
    "text",
    [
        "[the report](http://e.org/x)",
        "![seen](http://e.org/pixel.png)",
        "[ref]: http://e.org",
        "see https://e.org/a_b_c and www.e.org",
        "mail a@e.org",
        "<img src=x onerror=alert(1)> <http://e.org>",
        "_leading and **bold** and ~~struck~~",
        "$x^2$ costs $5",
        "&lt;b&gt; a & b",
        "# heading",
        "- item",
        "+ item",
        "1. first",
        "12) twelfth",
        "> quoted",
        "a | b | c",
        "C:\\new\\table",
        "`code`",
    ],
)
def test_whatever_stands_in_a_text_a_renderer_shows_it_as_it_is(text):
    item = Item(number="", section="S", topic=text, told=text, asked="")
    document = Document(
        name="d", title=text, source=text, notices=(text,), items=(item,), tables=()
    )
    renderer = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    tokens = renderer.parse(as_markdown(document))

    inline = [token for token in tokens if token.type == "inline"]
    kinds = {child.type for token in inline for child in token.children}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close"}
    shown = ["".join(child.content for child in token.children) for token in inline]
    assert shown == [text, text, text, f"{document.tally}.", "S", f"{text}. {text}"]
    assert not re.search(r"(?i)https?://|www\.|\w@\w", as_markdown(document))


def test_an_item_that_neither_tells_nor_asks_is_refused():
    with pytest.raises(ValueError, match="neither filled nor blank"):
        Item(number="9", section="S", topic="T", told="", asked="")
