"""One training on the radiographs of all cohorts, compared with the paths."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.pooled_control import compare_with_pooled
from covid_cxr.pipelines.pooled.nodes import (
    pool_cohorts,
    pool_moments,
    pool_parts,
    score_target,
    train,
    training_sets,
)
from covid_cxr.study.current import current


def create_pipeline() -> Pipeline:
    """Return the pooled training, its scores and the comparison.

    It takes curated cohorts, the initial classifier and the paths' scores from an
    earlier run of the study.
    """
    return Pipeline(
        [*_pool(), *_train_and_score()],
        namespace="pooled",
        prefix_datasets_with_namespace=False,
    )


def _pool() -> list[Node]:
    sets = training_sets()
    stores = {f"{cohort}_store": f"{cohort}_store" for cohort in sets}
    curated = {f"{cohort}_curated": f"{cohort}_curated" for cohort in sets}
    return [
        Node(
            pool_cohorts,
            inputs={**stores, **curated},
            outputs="pooled_curated",
            name="pool_radiographs",
        ),
        Node(
            pool_parts,
            inputs={cohort: f"{name}_split" for cohort, name in sets.items()},
            outputs="pooled_split",
            name="pool_splits",
        ),
        Node(
            pool_moments,
            inputs={
                "split": "pooled_split",
                **{cohort: f"{name}_intensity" for cohort, name in sets.items()},
            },
            outputs="pooled_intensity",
            name="pool_intensities",
        ),
    ]


def _train_and_score() -> list[Node]:
    study, sets = current(), training_sets()
    stores = {cohort: f"{cohort}_store" for cohort in sets}
    first = next(iter(study.training_sets.values())).phase
    return [
        Node(
            train,
            inputs={
                "parent": "initial_classifier",
                "parent_provenance": "initial_provenance",
                **stores,
                "curated": "pooled_curated",
                "split": "pooled_split",
                "intensity": "pooled_intensity",
                "recipe": f"params:{first}.recipe",
                "compute": "params:compute",
                "states": "pooled_state",
            },
            outputs=[
                *("pooled_classifier", "pooled_history"),
                *("pooled_provenance", "pooled_clock"),
            ],
            name="train",
            tags=["train"],
        ),
        Node(
            score_target,
            inputs={
                "classifier": "pooled_classifier",
                "store": f"{study.target_cohort}_store",
                "curated": f"{study.target_cohort}_curated",
                "split": "phase3_split",
                "intensity": "pooled_intensity",
            },
            outputs="pooled_scores",
            name="score",
        ),
        Node(
            compare_with_pooled,
            inputs={
                "pooled": "pooled_scores",
                "reporting": "params:reporting",
                **{path.name: f"{path.name}_phase3_scores" for path in study.paths},
            },
            outputs="pooled_comparison",
            name="compare_with_paths",
        ),
    ]
