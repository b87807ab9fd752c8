"""Drafts of an external validation: TRIPOD+AI's items on evaluation, and PROBAST+AI.

`tripod_ai_evaluation.csv` has the items of TRIPOD+AI (`checklist.py`) without those of
development alone: 9a, 12b, 12c and 22.

PROBAST+AI: Moons K G M, Damen J A A, Kaul T, et al. BMJ 2025;388:e082505, doi
10.1136/bmj-2024-082505. `probast_ai.csv` has its 18 questions on the evaluation of a
model, in our words, and what is to be judged of each domain. The answers are those of
reviewers: a run states facts.
"""

from covid_cxr.report.documents.checklist import answer_all
from covid_cxr.report.documents.document import Document
from covid_cxr.report.documents.external_evidence import ExternalEvidence


def fill_tripod_ai_evaluation(evidence: ExternalEvidence) -> Document:
    """Return the draft of TRIPOD+AI's items on evaluation."""
    return Document(
        name="tripod_ai_evaluation",
        notices=_notices(evidence),
        items=answer_all("tripod_ai_evaluation", evidence),
        title="TRIPOD+AI, evaluation: draft",
        source="Draft after TRIPOD+AI (Collins et al., BMJ 2024;385:e078378, doi "
        "10.1136/bmj-2023-078378), items on evaluation. Numbers are those of the form, "
        "topics are shortened: submit the official form, with page numbers.",
    )


def fill_probast_ai(evidence: ExternalEvidence) -> Document:
    """Return the draft of PROBAST+AI's part on evaluation."""
    return Document(
        name="probast_ai",
        notices=_notices(evidence),
        items=answer_all("probast_ai", evidence),
        title="PROBAST+AI, evaluation: draft",
        source="Draft after PROBAST+AI (Moons et al., BMJ 2025;388:e082505, doi "
        "10.1136/bmj-2024-082505), part on evaluation, for an external evaluation. "
        "Questions are in our words; answers and judgements of each domain are to be "
        "given on the official form by two reviewers.",
    )


def _notices(evidence: ExternalEvidence) -> tuple[str, ...]:
    """Return what has to be read before anything else."""
    draft = (
        "Draft, filled by a program from what one run left. Check every statement, and "
        "fill the marked blanks."
    )
    synthetic = (
        "Synthetic data: not clinical evidence. A program drew radiographs of this "
        "cohort; no number below says anything about patients."
    )
    return (synthetic, draft) if evidence.is_synthetic else (draft,)
