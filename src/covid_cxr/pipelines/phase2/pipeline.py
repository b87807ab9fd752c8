"""Phase 2: pneumonia, once for every path that has it."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.paths import TRAINING_PATHS, TrainingPath
from covid_cxr.pipelines.phase2.nodes import play_pointing_game
from covid_cxr.pipelines.training_phase import provenance_of, train_and_score


def create_pipeline() -> Pipeline:
    """Return the trainings and scores of phase 2, a namespace for every path."""
    paths = [path for path in TRAINING_PATHS if path.phase2_cohort is not None]
    return sum((_phase2(path) for path in paths), Pipeline([]))


def _phase2(path: TrainingPath) -> Pipeline:
    stage = f"{path.name}.phase2"
    cohort = path.phase2_cohort
    nodes, inputs, parameters = train_and_score(stage), {}, {}
    written = ["history", "provenance", "clock", "scores"]
    if path.has_boxes:
        nodes.append(_point())
        written.append("pointing")
        inputs = {"boxes": f"{cohort}_boxes"}
        parameters = {
            "params:pointing": "params:phase2.pointing",
            "params:level": "params:reporting.level",
        }
    return Pipeline(
        nodes,
        namespace=stage,
        inputs={
            "parent": path.phase2_parent,
            "parent_provenance": provenance_of(path.phase2_parent),
            "store": f"{cohort}_store",
            "curated": f"{cohort}_curated",
            "split": f"phase2_{cohort}_split",
            "intensity": f"phase2_{cohort}_intensity",
            "state": f"{path.name}_phase2_state",
            **inputs,
        },
        outputs={name: f"{path.name}_phase2_{name}" for name in written},
        parameters={
            "params:labels": "params:phase2.labels",
            "params:compute": "params:compute",
            **parameters,
        },
        tags=[path.name],
    )


def _point() -> Node:
    return Node(
        play_pointing_game,
        inputs={
            "classifier": "classifier",
            "store": "store",
            "curated": "curated",
            "scores": "scores",
            "boxes": "boxes",
            "intensity": "intensity",
            "pointing": "params:pointing",
            "level": "params:level",
        },
        outputs="pointing",
        name="play_pointing_game",
    )
