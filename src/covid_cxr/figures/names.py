"""Names as literal text: whatever a site or a classifier is called, a figure shows it.

Matplotlib reads formulas between dollars and leaves out of legends what begins with an
underscore; plotly reads tags, entities and formulas.
"""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

MOST_CHARACTERS = 44  # of a name; a longer one loses its middle
_FEW = 7  # entries of a legend that has its place inside the diagram
_ROWS = 30  # of a legend beside it
_CHARACTER, _HANDLE = 0.07, 0.7  # inches of its entries
# What ends a line, has no glyph, or turns the direction of what follows.
_NO_GLYPH = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]+"
)


def literal(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return text that matplotlib shows as it is, on one line.

    Args:
        text: A name, or anything with a name in it.
        most: Characters, from which on the middle is left out.
    """
    return shortened(text, most).replace("$", r"\$")


def literals(titles: Iterable[str], most: int = MOST_CHARACTERS) -> list[str]:
    """Return `literal` of each title, with its number where two would be one."""
    return [text.replace("$", r"\$") for text in _distinct(titles, most)]


def marked_up(titles: Iterable[str], most: int = MOST_CHARACTERS) -> list[str]:
    """Return text that plotly shows as the titles are."""
    return [
        html.escape(text, quote=False).replace("$", "&#36;")
        for text in _distinct(titles, most)
    ]


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return text on one line, without its middle if it has more characters."""
    line = _NO_GLYPH.sub(" ", text).strip()
    if len(line) <= most:
        return line
    tail = most // 2 - 1
    return f"{line[: most - tail - 1]}\N{HORIZONTAL ELLIPSIS}{line[-tail:]}"


def add_legend(axes: Any, handles: Sequence[Any], titles: Sequence[str]) -> None:
    """Name curves in a matplotlib `Axes`, or beside it where they are many.

    Args:
        axes: The only ones of their figure.
        handles: Of the curves.
        titles: Different ones, in the same order.
    """
    names = literals(titles)
    figure = axes.figure
    if len(names) <= _FEW or not hasattr(figure, "set_size_inches"):  # a panel
        axes.legend(handles, names, fontsize=9)
        return
    n_columns = -(-len(names) // _ROWS)
    width, height = figure.get_size_inches()
    beside = n_columns * (_HANDLE + _CHARACTER * max(map(len, names)))
    figure.set_size_inches(width + beside, height)
    place = {"loc": "outside right upper", "ncols": n_columns}
    figure.legend(handles, names, fontsize=8, handlelength=3.5, **place)


def _distinct(titles: Iterable[str], most: int) -> list[str]:
    short = [shortened(title, most) for title in titles]
    return [
        f"{text} ({k + 1})" if short.count(text) > 1 else text
        for k, text in enumerate(short)
    ]
