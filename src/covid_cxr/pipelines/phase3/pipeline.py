"""Phase 3: COVID-19, once for every path, and where the classifier looks."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.paths import TRAINING_PATHS, TrainingPath
from covid_cxr.pipelines.phase3.nodes import explain
from covid_cxr.pipelines.training_phase import provenance_of, train_and_score
from covid_cxr.training.seeds import RepeatedStage


def create_pipeline() -> Pipeline:
    """Return the trainings, scores and maps of phase 3, a namespace for every path."""
    return sum((_phase3(path) for path in TRAINING_PATHS), Pipeline([]))


def _phase3(path: TrainingPath) -> Pipeline:
    stage = f"{path.name}.phase3"
    written = f"{path.name}_phase3"
    return Pipeline(
        [*train_and_score(stage), _repeat(stage), _explain()],
        namespace=stage,
        inputs={
            "parent": path.phase3_parent,
            "parent_provenance": provenance_of(path.phase3_parent),
            "store": "covid_store",
            "curated": "covid_curated",
            "split": "phase3_split",
            "intensity": "phase3_intensity",
            "state": f"{written}_state",
        },
        outputs={
            "history": f"{written}_history",
            "provenance": f"{written}_provenance",
            "scores": f"{written}_scores",
            "seed_scores": f"{written}_seed_scores",
            "saliency": f"{written}_saliency",
        },
        parameters={
            "params:labels": "params:phase3.labels",
            "params:compute": "params:compute",
            "params:repetition": "params:phase3.repetition",
            "params:saliency": "params:phase3.saliency",
        },
        tags=[path.name],
    )


def _repeat(stage: str) -> Node:
    """Return the node that trains with further seeds; it is one, however many."""
    return Node(
        RepeatedStage(stage).train_and_score,
        inputs={
            "scores": "scores",
            "parent": "parent",
            "parent_provenance": "parent_provenance",
            "store": "store",
            "curated": "curated",
            "split": "split",
            "intensity": "intensity",
            "labels": "params:labels",
            "recipe": "params:recipe",
            "repetition": "params:repetition",
            "compute": "params:compute",
            "states": "state",
        },
        outputs="seed_scores",
        name="train_seeds",
        tags=["gpu"],
    )


def _explain() -> Node:
    return Node(
        explain,
        inputs={
            "classifier": "classifier",
            "store": "store",
            "curated": "curated",
            "scores": "scores",
            "intensity": "intensity",
            "saliency": "params:saliency",
        },
        outputs="saliency",
        name="explain",
    )
