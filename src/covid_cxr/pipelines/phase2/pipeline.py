"""Phase 2: pneumonia, once for every path that has it."""

from kedro.pipeline import Pipeline

from covid_cxr.paths import TRAINING_PATHS, TrainingPath
from covid_cxr.pipelines.training_phase import provenance_of, train_and_score


def create_pipeline() -> Pipeline:
    """Return the trainings and scores of phase 2, a namespace for every path."""
    paths = [path for path in TRAINING_PATHS if path.phase2_cohort is not None]
    return sum((_phase2(path) for path in paths), Pipeline([]))


def _phase2(path: TrainingPath) -> Pipeline:
    stage = f"{path.name}.phase2"
    written = f"{path.name}_phase2"
    cohort = path.phase2_cohort
    return Pipeline(
        train_and_score(stage),
        namespace=stage,
        inputs={
            "parent": path.phase2_parent,
            "parent_provenance": provenance_of(path.phase2_parent),
            "store": f"{cohort}_store",
            "curated": f"{cohort}_curated",
            "split": f"phase2_{cohort}_split",
            "intensity": f"phase2_{cohort}_intensity",
            "state": f"{written}_state",
        },
        outputs={
            "history": f"{written}_history",
            "provenance": f"{written}_provenance",
            "scores": f"{written}_scores",
        },
        parameters={
            "params:labels": "params:phase2.labels",
            "params:compute": "params:compute",
        },
        tags=[path.name],
    )
