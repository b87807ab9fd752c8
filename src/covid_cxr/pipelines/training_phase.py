"""What a phase does with every training set: train, then score.

No pipeline of its own: the phases instantiate these nodes, for a path in its namespace.
"""

from kedro.pipeline import Node

from covid_cxr.pipelines.wiring import node
from covid_cxr.study.design import Training
from covid_cxr.training.stage import Stage


def train_and_score(training: Training) -> list[Node]:
    """Return the two nodes, over dataset names that the phase maps to its own."""
    return [
        node(
            Stage(training.name).train,
            ["classifier", "history", "provenance", "clock"],
            *("parent", "parent_provenance", "examples"),
            *("params:recipe", "params:compute"),
            states="state",
            tags="train",
        ),
        node(Stage(training.name).score, "scores", "classifier", "examples"),
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
