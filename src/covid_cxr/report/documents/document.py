"""A draft for reviewers: items that a run fills, leaves blank or both, and tables."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["filled", "filled in part", "blank"]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a document.

    Attributes:
        number: As on the official form, as in "12a"; empty where there is none.
        section: The heading it stands under.
        topic: What it is about, in our words.
        told: What the run tells; empty where it tells nothing.
        asked: What only the authors can tell; empty where nothing is missing.
    """

    number: str
    section: str
    topic: str
    told: str
    asked: str

    def __post_init__(self) -> None:
        """Refuse an item that neither tells nor asks."""
        if not (self.told or self.asked):
            raise ValueError(
                f"The item {self.number} {self.topic!r} is neither filled nor blank; "
                "say what is asked of the authors."
            )

    @property
    def state(self) -> State:
        """Whether the run filled the item, a part of it, or nothing."""
        if not self.asked:
            return "filled"
        return "filled in part" if self.told else "blank"

    @property
    def blank(self) -> str:
        """The mark of what is missing; empty where nothing is."""
        return f"[TO BE FILLED BY THE AUTHORS: {self.asked}]" if self.asked else ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a document, its cells as readers see them.

    Attributes:
        section: The heading it stands under.
        caption: What its numbers are.
        columns: One heading per column.
        rows: One cell per column each.
    """

    section: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole draft.

    Attributes:
        name: Of its file, as in "claim_2024".
        title: Its heading.
        source: What it follows, and which form is the official one.
        notices: What has to be read first, such as that the data are synthetic.
        items: In the order of the form.
        tables: Each stands after the items of its section.
    """

    name: str
    title: str
    source: str
    notices: tuple[str, ...]
    items: tuple[Item, ...]
    tables: tuple[Table, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a table that would not be shown."""
        for table in self.tables:
            if table.section not in self.sections:
                raise ValueError(
                    f"{self.name} has a table under {table.section!r}, but no such "
                    f"section; it has {', '.join(self.sections)}."
                )

    @property
    def sections(self) -> list[str]:
        """The headings, in the order of the items."""
        return list(dict.fromkeys(item.section for item in self.items))

    @property
    def tally(self) -> str:
        """How many items are filled, in words."""
        counts: Counter[State] = Counter(item.state for item in self.items)
        return (
            f"{len(self.items)} items: {counts['filled']} filled from the run, "
            f"{counts['filled in part']} filled in part, {counts['blank']} blank"
        )

    def as_record(self) -> dict[str, Any]:
        """Return the document as JSON takes it: its items and tables by section."""
        return {
            "name": self.name,
            "title": self.title,
            "source": self.source,
            "notices": list(self.notices),
            "tally": self.tally,
            "sections": [self._section(heading) for heading in self.sections],
        }

    def _section(self, heading: str) -> dict[str, Any]:
        return {
            "heading": heading,
            "entries": [
                {**asdict(item), "blank": item.blank, "state": item.state}
                for item in self.items
                if item.section == heading
            ],
            "tables": [asdict(t) for t in self.tables if t.section == heading],
        }
