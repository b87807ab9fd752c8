"""Which trainings stand behind a classifier, from the one table of training paths."""

from collections.abc import Sequence
from dataclasses import dataclass

from covid_cxr.paths import TrainingPath

INITIAL = "initial"


@dataclass(frozen=True, kw_only=True)
class AuditedStage:
    """A training of the study, and the trainings whose weights it inherits.

    Attributes:
        name: As in "phase1" or "path_a.phase2".
        training_set: What it is trained, chosen and tested on, as in "phase2_rsna".
        ancestors: The earlier stages, the oldest first.
    """

    name: str
    training_set: str
    ancestors: tuple["AuditedStage", ...]


def stages_of(paths: Sequence[TrainingPath]) -> list[AuditedStage]:
    """Return every training of these paths once, parents before their children."""
    stages: dict[str, AuditedStage] = {}
    for path in paths:
        if path.has_phase1:
            stages["phase1"] = _stage("phase1", "phase1", f"{INITIAL}_classifier", {})
        if path.phase2_cohort is not None:
            name, training_set = f"{path.name}.phase2", f"phase2_{path.phase2_cohort}"
            stages[name] = _stage(name, training_set, path.phase2_parent, stages)
        name = f"{path.name}.phase3"
        stages[name] = _stage(name, "phase3", path.phase3_parent, stages)
    return list(stages.values())


def _stage(
    name: str, training_set: str, parent: str, stages: dict[str, AuditedStage]
) -> AuditedStage:
    """Return a stage that starts from the classifier `parent`, a dataset's name."""
    earlier = parent.removesuffix("_classifier").removesuffix(".classifier")
    if earlier == INITIAL:
        return AuditedStage(name=name, training_set=training_set, ancestors=())
    ancestors = (*stages[earlier].ancestors, stages[earlier])
    return AuditedStage(name=name, training_set=training_set, ancestors=ancestors)
