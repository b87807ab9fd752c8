"""The forms as tables: which statements of a run fill which item.

`claim_2024.csv`, `tripod_ai.csv` and `model_card.csv` have a row for each item, to be
laid beside the official form and corrected: the section and number of the form; the
topic in our words; `told`, the statements that a run can make, in order; `asked`, what
only the authors can tell. The forms themselves are the authority
(docs/decisions/0020).

CLAIM, the Checklist for Artificial Intelligence in Medical Imaging, update of 2024:
Tejani A S, Klontzas M E, Gatti A A, et al. Radiol Artif Intell 2024;6(4):e240300, doi
10.1148/ryai.240300.

TRIPOD+AI: Collins G S, Moons K G M, Dhiman P, et al. BMJ 2024;385:e078378, doi
10.1136/bmj-2023-078378, 27 items in 52 parts. The checklist for abstracts, which item 2
refers to, is not drafted.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from covid_cxr.packaged_csv import read_packaged_csv
from covid_cxr.report.documents import (
    data_statements,
    external_statements,
    model_statements,
    result_statements,
)
from covid_cxr.report.documents.document import Document, Item
from covid_cxr.report.documents.evidence import Evidence

_COLUMNS = ("section", "number", "topic", "told", "asked")
_STATEMENTS = {
    "data": data_statements,
    "model": model_statements,
    "results": result_statements,
    "external": external_statements,
}


def fill_claim(evidence: Evidence) -> Document:
    """Return the draft of the CLAIM 2024 form."""
    return Document(
        name="claim_2024",
        notices=data_statements.notices(evidence),
        items=answer_all("claim_2024", evidence),
        title="CLAIM 2024: draft",
        source="Draft after CLAIM 2024 (Tejani et al., Radiol Artif Intell "
        "2024;6(4):e240300, doi 10.1148/ryai.240300). Numbers are those of the form, "
        "topics are shortened: submit the official form, with page and line numbers.",
    )


def fill_tripod_ai(evidence: Evidence) -> Document:
    """Return the draft of the TRIPOD+AI form."""
    return Document(
        name="tripod_ai",
        notices=data_statements.notices(evidence),
        items=answer_all("tripod_ai", evidence),
        title="TRIPOD+AI: draft",
        source="Draft after TRIPOD+AI (Collins et al., BMJ 2024;385:e078378, doi "
        "10.1136/bmj-2023-078378). Numbers are those of the form, topics are "
        "shortened: submit the official form, with page numbers.",
    )


def answer_all(form: str, evidence: Any) -> tuple[Item, ...]:
    """Return all items, in the order of the form, with blanks for what is missing.

    Args:
        form: The name of its table.
        evidence: What its statements take.

    Raises:
        ValueError: If a row names a statement that there is not.
    """
    table = files(__package__) / f"{form}.csv"
    return tuple(
        _answer(row, table.name, evidence) for row in read_packaged_csv(table, _COLUMNS)
    )


def _answer(row: Mapping[str, str], file: str, evidence: Any) -> Item:
    """Return one item; where the run tells nothing, all of it is a blank."""
    told = [_statement(name, file)(evidence) for name in row["told"].split()]
    stated = " ".join(filter(None, told))
    missing = row["asked"] if stated or row["asked"] else "the run does not tell"
    return Item(**{**row, "told": stated, "asked": missing})


def _statement(name: str, file: str) -> Callable[[Any], str]:
    module, _, function = name.partition(".")
    there = vars(_STATEMENTS[module]) if module in _STATEMENTS else {}
    if function not in there:
        raise ValueError(
            f"{file} names {name!r}, which is no statement; name a function of "
            f"report/documents/*_statements.py, as in data.sources."
        )
    tell: Callable[[Any], str] = there[function]
    return tell
