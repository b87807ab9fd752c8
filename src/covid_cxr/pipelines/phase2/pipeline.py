"""Phase 2: pneumonia, once for every path that has it."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.paths import TRAINING_PATHS, TrainingPath
from covid_cxr.training.scores import score
from covid_cxr.training.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the trainings and scores of phase 2, a namespace for every path."""
    paths = [path for path in TRAINING_PATHS if path.phase2_cohort is not None]
    return sum((_phase2(path) for path in paths), Pipeline([]))


def _phase2(path: TrainingPath) -> Pipeline:
    stage = f"{path.name}.phase2"
    written = f"{path.name}_phase2"
    cohort = path.phase2_cohort
    return Pipeline(
        _nodes(Stage(stage)),
        namespace=stage,
        inputs={
            "parent": path.phase2_parent,
            "parent_provenance": _provenance_of(path.phase2_parent),
            "store": f"{cohort}_store",
            "curated": f"{cohort}_curated",
            "split": f"phase2_{cohort}_split",
            "intensity": f"phase2_{cohort}_intensity",
        },
        outputs={
            "history": f"{written}_history",
            "provenance": f"{written}_provenance",
            "scores": f"{written}_scores",
        },
        parameters={"params:labels": "params:phase2.labels"},
        tags=[path.name],
    )


def _nodes(stage: Stage) -> list[Node]:
    return [
        Node(
            stage.train,
            inputs={
                "parent": "parent",
                "parent_provenance": "parent_provenance",
                "store": "store",
                "curated": "curated",
                "split": "split",
                "intensity": "intensity",
                "labels": "params:labels",
                "recipe": "params:recipe",
            },
            outputs=["classifier", "history", "provenance"],
            name="train",
            tags=["train"],
        ),
        Node(
            score,
            inputs={
                "classifier": "classifier",
                "store": "store",
                "curated": "curated",
                "split": "split",
                "intensity": "intensity",
                "labels": "params:labels",
            },
            outputs="scores",
            name="score",
        ),
    ]


def _provenance_of(classifier: str) -> str:
    return f"{classifier.removesuffix('classifier')}provenance"
