"""What a phase does with every training set: train, then score.

No pipeline of its own: the phases instantiate these nodes, for a path in its namespace.
"""

from kedro.pipeline import Node

from covid_cxr.study.design import Training
from covid_cxr.training.stage import Stage


def train_and_score(training: Training) -> list[Node]:
    """Return the two nodes, over dataset names that the phase maps to its own."""
    return [
        Node(
            Stage(training.name).train,
            inputs={
                "parent": "parent",
                "parent_provenance": "parent_provenance",
                "examples": "examples",
                "recipe": "params:recipe",
                "compute": "params:compute",
                "states": "state",
            },
            outputs=["classifier", "history", "provenance", "clock"],
            name="train",
            tags=["train"],
        ),
        Node(
            Stage(training.name).score,
            inputs={"classifier": "classifier", "examples": "examples"},
            outputs="scores",
            name="score",
        ),
    ]


def inputs_of(training: Training) -> dict[str, str]:
    """Return which datasets of the catalog the nodes of a training read."""
    return {
        "parent": training.parent_classifier,
        "parent_provenance": training.parent_provenance,
        "examples": f"{training.training_set}_examples",
        "state": f"{training.dataset_prefix}_state",
    }


def outputs_of(training: Training, *names: str) -> dict[str, str]:
    """Return which datasets of the catalog the nodes of a training write.

    Args:
        training: Of any phase.
        names: Of further nodes' outputs, beside those of training and scoring.
    """
    written = ("history", "provenance", "clock", "scores", *names)
    return {name: f"{training.dataset_prefix}_{name}" for name in written}
