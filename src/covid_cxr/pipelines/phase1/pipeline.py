"""Phase 1: the initial weights of every path, then the 14 findings of ChestX-ray14."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.training.network import initialise
from covid_cxr.training.scores import score
from covid_cxr.training.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the nodes that build the first classifier, train it and score it."""
    return Pipeline(
        [
            Node(
                initialise,
                inputs={"network": "params:network"},
                outputs=["initial_classifier", "initial_provenance"],
                name="initialise_classifier",
            ),
            Node(
                Stage("phase1").train,
                inputs={
                    "parent": "initial_classifier",
                    "parent_provenance": "initial_provenance",
                    "store": "nih_store",
                    "curated": "nih_curated",
                    "split": "phase1_split",
                    "intensity": "phase1_intensity",
                    "labels": "params:phase1.labels",
                    "recipe": "params:phase1.recipe",
                    "compute": "params:compute",
                    "states": "phase1_state",
                },
                outputs=[
                    *("phase1_classifier", "phase1_history"),
                    *("phase1_provenance", "phase1_clock"),
                ],
                name="phase1.train",
                tags=["train"],
            ),
            Node(
                score,
                inputs={
                    "classifier": "phase1_classifier",
                    "store": "nih_store",
                    "curated": "nih_curated",
                    "split": "phase1_split",
                    "intensity": "phase1_intensity",
                    "labels": "params:phase1.labels",
                },
                outputs="phase1_scores",
                name="phase1.score",
            ),
        ]
    )
