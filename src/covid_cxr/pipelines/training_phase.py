"""What a phase does on every path that has it: train, then score.

No pipeline of its own: phases 2 and 3 instantiate these nodes in a path's namespace.
"""

from kedro.pipeline import Node

from covid_cxr.training.scores import score
from covid_cxr.training.stage import Stage


def train_and_score(stage: str) -> list[Node]:
    """Return the two nodes, over dataset names that the phase maps to its own.

    Args:
        stage: The training's name, as in "path_b.phase2".
    """
    return [
        Node(
            Stage(stage).train,
            inputs={
                "parent": "parent",
                "parent_provenance": "parent_provenance",
                "store": "store",
                "curated": "curated",
                "split": "split",
                "intensity": "intensity",
                "labels": "params:labels",
                "recipe": "params:recipe",
                "compute": "params:compute",
                "states": "state",
            },
            outputs=["classifier", "history", "provenance", "clock"],
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


def provenance_of(classifier: str) -> str:
    """Return the name of the provenance beside a classifier's; it has no dots."""
    return f"{classifier.removesuffix('classifier')}provenance".replace(".", "_")
