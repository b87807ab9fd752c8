"""Phase 3: COVID-19, once for every path, and where the classifier looks."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.paths import TRAINING_PATHS, TrainingPath
from covid_cxr.pipelines.phase3.nodes import RepeatedStage, explain, randomise
from covid_cxr.pipelines.phase3.shortcuts import score_masked
from covid_cxr.pipelines.training_phase import provenance_of, train_and_score
from covid_cxr.saliency.regions import tabulate_regions
from covid_cxr.saliency.repeatability import tabulate_repeatability


def create_pipeline() -> Pipeline:
    """Return the trainings, scores and maps of phase 3, a namespace for every path."""
    return sum((_phase3(path) for path in TRAINING_PATHS), Pipeline([]))


def _phase3(path: TrainingPath) -> Pipeline:
    stage = f"{path.name}.phase3"
    written = (
        *("history", "provenance", "clock", "scores", "seed_scores", "seed_maps"),
        "masked_scores",
        *("saliency", "maps", "randomisation", "regions", "repeatability"),
    )
    return Pipeline(
        [*train_and_score(stage), _repeat(stage), *_explain(), score_masked()],
        namespace=stage,
        inputs={
            "parent": path.phase3_parent,
            "parent_provenance": provenance_of(path.phase3_parent),
            "store": "covid_store",
            "curated": "covid_curated",
            "lungs": "covid_lungs",
            "split": "phase3_split",
            "intensity": "phase3_intensity",
            "state": f"{path.name}_phase3_state",
        },
        outputs={name: f"{path.name}_phase3_{name}" for name in written},
        parameters={
            "params:labels": "params:phase3.labels",
            "params:compute": "params:compute",
            "params:repetition": "params:phase3.repetition",
            "params:saliency": "params:phase3.saliency",
            "params:masked_inputs": "params:audit.masked_inputs",
            "params:level": "params:reporting.level",
        },
        tags=[path.name],
    )


def _repeat(stage: str) -> Node:
    """Return the node that trains with further seeds; it is one, however many."""
    return Node(
        RepeatedStage(stage).train,
        inputs={
            "scores": "scores",
            "maps": "maps",
            "parent": "parent",
            "parent_provenance": "parent_provenance",
            "store": "store",
            "curated": "curated",
            "split": "split",
            "intensity": "intensity",
            "labels": "params:labels",
            "recipe": "params:recipe",
            "repetition": "params:repetition",
            "saliency": "params:saliency",
            "compute": "params:compute",
            "states": "state",
        },
        outputs=["seed_scores", "seed_maps"],
        name="train_seeds",
        tags=["gpu"],
    )


def _explain() -> list[Node]:
    """Return the nodes that make maps and ask whether they deserve trust."""
    images = {"store": "store", "curated": "curated", "intensity": "intensity"}
    return [
        Node(
            explain,
            inputs={
                "classifier": "classifier",
                **images,
                "scores": "scores",
                "saliency": "params:saliency",
            },
            outputs=["saliency", "maps"],
            name="explain",
        ),
        Node(
            randomise,
            inputs={
                "classifier": "classifier",
                **images,
                "maps": "maps",
                "saliency": "params:saliency",
            },
            outputs="randomisation",
            name="randomise",
        ),
        Node(
            tabulate_regions,
            inputs={
                "maps": "maps",
                "lungs": "lungs",
                "saliency": "params:saliency",
                "level": "params:level",
            },
            outputs="regions",
            name="tabulate_regions",
        ),
        Node(
            tabulate_repeatability,
            inputs={"seed_maps": "seed_maps", "level": "params:level"},
            outputs="repeatability",
            name="tabulate_repeatability",
        ),
    ]
