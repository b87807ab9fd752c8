"""Phase 3: the target, once for every path, and where the classifier looks."""

from kedro.pipeline import Pipeline

from covid_cxr.pipelines.phase3.masked_scores import score_masked_inputs
from covid_cxr.pipelines.phase3.nodes import RepeatedStage, explain, randomise
from covid_cxr.pipelines.training_phase import inputs_of, outputs_of, train_and_score
from covid_cxr.pipelines.wiring import node
from covid_cxr.saliency.regions import tabulate_regions
from covid_cxr.saliency.repeatability import tabulate_repeatability
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


def create_pipeline() -> Pipeline:
    """Return the trainings, scores and maps of phase 3, a namespace for every path."""
    return sum((_phase3(path) for path in current().paths), Pipeline([]))


def _phase3(path: TrainingPath) -> Pipeline:
    training = path.phase3_training
    trained, saliency = ("classifier", "examples"), "params:saliency"
    return Pipeline(
        [
            *train_and_score(training),
            node(  # one, however many seeds
                RepeatedStage(training.name).train,
                ["seed_scores", "seed_maps"],
                *("parent", "parent_provenance", "examples", "scores", "maps"),
                *("params:recipe", "params:repetition", "params:compute", saliency),
                states="state",
                name="train_seeds",
                tags="gpu",
            ),
            node(explain, ["saliency", "maps"], *trained, "scores", saliency),
            node(randomise, "randomisation", *trained, "maps", saliency),
            node(
                tabulate_regions, "regions", "maps", "lungs", saliency, "params:level"
            ),
            node(tabulate_repeatability, "repeatability", "seed_maps", "params:level"),
            node(
                score_masked_inputs,
                "masked_scores",
                *trained,
                "lungs",
                "params:masked_inputs",
                name="score_masked",
            ),
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
        tags=path.name,
    )
