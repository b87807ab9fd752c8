"""One training on the radiographs of all cohorts, compared with the paths."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.pooled_control import compare_with_pooled
from covid_cxr.pipelines.pooled.nodes import pool_study, score_target
from covid_cxr.study.current import current
from covid_cxr.training.examples import assemble
from covid_cxr.training.stage import Stage


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
    study = current()
    curated = {f"{cohort}_curated": f"{cohort}_curated" for cohort in study.cohorts}
    # Of a cohort with two training sets, the first: the larger.
    splits = {
        f"{cohort}_split": f"{one.part_of(cohort)}_split"
        for one in reversed([*study.training_sets.values()])
        for cohort in one.cohorts
    }
    return [
        Node(
            pool_study,
            inputs={
                "labels": "params:pooled_labels",
                "duplicates_across": "duplicates_across",
                **curated,
                **splits,
            },
            outputs=["pooled_curated", "pooled_split"],
            name="pool",
        ),
        Node(
            assemble,
            inputs={
                "curated": "pooled_curated",
                "split": "pooled_split",
                "labels": "params:pooled_labels",
                "sample": f"params:{next(iter(study.training_sets))}_intensity_sample",
                **{f"{cohort}_store": f"{cohort}_store" for cohort in study.cohorts},
            },
            outputs="pooled_examples",
            name="assemble",
        ),
    ]


def _train_and_score() -> list[Node]:
    study = current()
    first = next(iter(study.training_sets.values())).phase
    return [
        Node(
            Stage("pooled").train,
            inputs={
                "parent": "initial_classifier",
                "parent_provenance": "initial_provenance",
                "examples": "pooled_examples",
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
                "pool": "pooled_examples",
                "target": "phase3_examples",
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
