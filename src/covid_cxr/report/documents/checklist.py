"""A checklist as data: which statements of a run fill which item."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from covid_cxr.report.documents.document import Item
from covid_cxr.report.documents.evidence import Evidence

Statement = Callable[[Evidence], str]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One item of a form.

    Attributes:
        number: As on the official form; empty where items have none.
        section: The heading it stands under.
        topic: What it is about, in our words.
        told: What the run can state, in order.
        asked: What only the authors can tell; empty where the run tells it all.
    """

    number: str = ""
    section: str
    topic: str
    told: tuple[Statement, ...] = ()
    asked: str = ""

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


def answer_all(questions: Sequence[Question], evidence: Evidence) -> tuple[Item, ...]:
    """Return all items, in the order of the form."""
    return tuple(question.answer(evidence) for question in questions)
