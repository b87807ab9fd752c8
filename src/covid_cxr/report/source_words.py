"""Whose labels a study learns, under which words, and what may be done with them."""

from dataclasses import dataclass

from covid_cxr.cohorts.vocabulary import words_for
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import current


@dataclass(frozen=True, kw_only=True)
class LearnedLabel:
    """A label of a training set, as its source has it.

    Attributes:
        training_set: As in "phase2_rsna".
        cohort: Whose word it is.
        label: Its name here.
        words: What the source calls it; several words may have become one label.
        reference: What the label is; "" where the source does not say.
    """

    training_set: str
    cohort: str
    label: str
    words: tuple[str, ...]
    reference: str


@dataclass(frozen=True, kw_only=True)
class CohortOrigin:
    """Where a cohort comes from.

    Attributes:
        cohort: Its name.
        origin: Who published it.
        licence: In a few words.
    """

    cohort: str
    origin: str
    licence: str


def learned_labels() -> list[LearnedLabel]:
    """Return every label of every training set of the study, in their order."""
    study = current()
    found = []
    for name, drawn in study.training_sets.items():
        for draw in drawn.draws:
            source = study.cohorts[draw.cohort].source
            words = words_for(source)
            found += [
                LearnedLabel(
                    training_set=name,
                    cohort=draw.cohort,
                    label=label,
                    words=words.get(label, (label,)),
                    reference=SOURCES[source].reference,
                )
                for label in draw.labels
            ]
    return found


def cohort_origins() -> list[CohortOrigin]:
    """Return the cohorts whose source says where they come from."""
    return [
        CohortOrigin(
            cohort=name,
            origin=SOURCES[cohort.source].origin,
            licence=SOURCES[cohort.source].licence,
        )
        for name, cohort in current().cohorts.items()
        if SOURCES[cohort.source].licence
    ]
