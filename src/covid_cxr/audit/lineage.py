"""Which trainings stand behind a classifier, from the one table of training paths."""

from collections.abc import Sequence
from dataclasses import dataclass

from covid_cxr.study.design import TrainingPath

INITIAL = "initial"


@dataclass(frozen=True, kw_only=True)
class AuditedStage:
    """A training of the study, and the trainings whose weights it inherits.

    Attributes:
        name: As in "phase1" or "path_a.phase2".
        training_set: What it is trained, chosen and tested on, as in "phase2_rsna".
        ancestors: The earlier stages, the oldest first.
        start: Which network and weights the first began with; None: the study's.
    """

    name: str
    training_set: str
    ancestors: tuple["AuditedStage", ...]
    start: str | None = None


def stages_of(paths: Sequence[TrainingPath]) -> list[AuditedStage]:
    """Return every training of these paths once, parents before their children."""
    stages: dict[str, AuditedStage] = {}
    for path in paths:
        for training in path.trainings:
            parent = stages.get(training.parent or "")
            stages[training.name] = AuditedStage(
                name=training.name,
                training_set=training.training_set,
                ancestors=() if parent is None else (*parent.ancestors, parent),
                start=training.start,
            )
    return list(stages.values())
