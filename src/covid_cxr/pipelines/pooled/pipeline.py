"""One training on the radiographs of all cohorts, compared with the six paths."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.paths import TRAINING_PATHS
from covid_cxr.pipelines.pooled.nodes import (
    TRAINING_SETS,
    compare_with_paths,
    pool_intensities,
    pool_radiographs,
    pool_splits,
    score_covid,
    train,
)

_LABELS = {"findings": "params:phase1.labels", "covid_labels": "params:phase3.labels"}


def create_pipeline() -> Pipeline:
    """Return the pooled training, its scores and the comparison.

    It takes curated cohorts, the initial classifier and the six paths' scores from an
    earlier run of the study.
    """
    return Pipeline(
        [*_pool(), *_train_and_score()],
        namespace="pooled",
        prefix_datasets_with_namespace=False,
    )


def _pool() -> list[Node]:
    stores = {f"{cohort}_store": f"{cohort}_store" for cohort in TRAINING_SETS}
    curated = {f"{cohort}_curated": f"{cohort}_curated" for cohort in TRAINING_SETS}
    sets = TRAINING_SETS.items()
    return [
        Node(
            pool_radiographs,
            inputs={**_LABELS, **stores, **curated},
            outputs="pooled_curated",
            name="pool_radiographs",
        ),
        Node(
            pool_splits,
            inputs={cohort: f"{name}_split" for cohort, name in sets},
            outputs="pooled_split",
            name="pool_splits",
        ),
        Node(
            pool_intensities,
            inputs={
                "split": "pooled_split",
                **{cohort: f"{name}_intensity" for cohort, name in sets},
            },
            outputs="pooled_intensity",
            name="pool_intensities",
        ),
    ]


def _train_and_score() -> list[Node]:
    stores = {f"{cohort}_store": f"{cohort}_store" for cohort in TRAINING_SETS}
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
                **_LABELS,
                "recipe": "params:phase1.recipe",
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
            score_covid,
            inputs={
                "classifier": "pooled_classifier",
                "store": "covid_store",
                "curated": "covid_curated",
                "split": "phase3_split",
                "intensity": "pooled_intensity",
                **_LABELS,
            },
            outputs="pooled_scores",
            name="score",
        ),
        Node(
            compare_with_paths,
            inputs={
                "pooled": "pooled_scores",
                "labels": "params:phase3.labels",
                "reporting": "params:reporting",
                **{path.name: f"{path.name}_phase3_scores" for path in TRAINING_PATHS},
            },
            outputs="pooled_comparison",
            name="compare_with_paths",
        ),
    ]
