"""Phase 3: the target, once for every path, and where the classifier looks."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.pipelines.phase3.masked_scores import score_masked
from covid_cxr.pipelines.phase3.nodes import RepeatedStage, explain, randomise
from covid_cxr.pipelines.training_phase import inputs_of, outputs_of, train_and_score
from covid_cxr.saliency.regions import tabulate_regions
from covid_cxr.saliency.repeatability import tabulate_repeatability
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


def create_pipeline() -> Pipeline:
    """Return the trainings, scores and maps of phase 3, a namespace for every path."""
    return sum((_phase3(path) for path in current().paths), Pipeline([]))


def _phase3(path: TrainingPath) -> Pipeline:
    training = path.phase3_training
    return Pipeline(
        [
            *train_and_score(training),
            _repeat(training.name),
            *_explain(),
            score_masked(),
        ],
        namespace=training.name,
        inputs={**inputs_of(training), "lungs": f"{current().target_cohort}_lungs"},
        outputs=outputs_of(
            training,
            *("seed_scores", "seed_maps", "masked_scores", "saliency", "maps"),
            *("randomisation", "regions", "repeatability"),
        ),
        parameters={
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
            "examples": "examples",
            "recipe": "params:recipe",
            "repetition": "params:repetition",
            "saliency": "params:saliency",
            "parent": "parent",
            "parent_provenance": "parent_provenance",
            "compute": "params:compute",
            "states": "state",
        },
        outputs=["seed_scores", "seed_maps"],
        name="train_seeds",
        tags=["gpu"],
    )


def _explain() -> list[Node]:
    """Return the nodes that make maps and ask whether they deserve trust."""
    return [
        Node(
            explain,
            inputs={
                "classifier": "classifier",
                "examples": "examples",
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
                "examples": "examples",
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
