"""A checklist as data: which statements of a run fill which item."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from covid_cxr.report.documents.document import Item
from covid_cxr.report.documents.evidence import Evidence

Statement = Callable[[Evidence], str]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One item of a form.

    Attributes:
        number: As on the official form; empty where items have none.
        topic: What it is about, in our words.
        told: What the run can state, in order.
        asked: What only the authors can tell; empty where the run tells it all.
        section: The heading it stands under.
    """

    number: str
    topic: str
    told: tuple[Statement, ...]
    asked: str
    section: str = ""

    def answer(self, evidence: Evidence) -> Item:
        """Return the item with what the run tells, and a blank for the rest.

        Where the run tells nothing, the whole item is a blank.
        """
        stated = " ".join(words for tell in self.told if (words := tell(evidence)))
        missing = self.asked if stated or self.asked else "the run does not tell"
        return Item(
            number=self.number,
            section=self.section,
            topic=self.topic,
            told=stated,
            asked=missing,
        )


def item(number: str, topic: str, *told: Statement, asked: str = "") -> Question:
    """Return one item of a form, whose fields `Question` describes."""
    return Question(number=number, topic=topic, told=told, asked=asked)


def under(section: str, *items: Question) -> tuple[Question, ...]:
    """Return the items with the heading they stand under."""
    return tuple(replace(one, section=section) for one in items)


def answer_all(questions: Sequence[Question], evidence: Evidence) -> tuple[Item, ...]:
    """Return all items, in the order of the form."""
    return tuple(question.answer(evidence) for question in questions)
