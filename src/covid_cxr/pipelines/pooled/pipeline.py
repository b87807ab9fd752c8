"""One training on the radiographs of all cohorts, compared with the paths."""

from kedro.pipeline import Pipeline

from covid_cxr.evaluation.pooled_control import compare_with_pooled
from covid_cxr.pipelines.pooled.nodes import pool_study, score_target
from covid_cxr.pipelines.wiring import each, node
from covid_cxr.study.current import current
from covid_cxr.training.examples import assemble
from covid_cxr.training.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the pooled training, its scores and the comparison.

    It takes curated cohorts, the initial classifier and the paths' scores from an
    earlier run of the study.
    """
    study = current()
    first = next(iter(study.training_sets.values()))
    # Of a cohort with two training sets, the first: the larger.
    splits = {
        f"{cohort}_split": f"{one.part_of(cohort)}_split"
        for one in reversed([*study.training_sets.values()])
        for cohort in one.cohorts
    }
    nodes = [
        node(
            pool_study,
            ["pooled_curated", "pooled_split"],
            "duplicates_across",
            *each(study.cohorts, "curated").values(),
            labels="params:pooled_labels",
            name="pool",
            **splits,
        ),
        node(
            assemble,
            "pooled_examples",
            *each(study.cohorts, "store").values(),
            curated="pooled_curated",
            split="pooled_split",
            labels="params:pooled_labels",
            sample=f"params:{first.name}_intensity_sample",
        ),
        node(
            Stage("pooled").train,
            [f"pooled_{n}" for n in ("classifier", "history", "provenance", "clock")],
            *(f"params:{first.phase}.recipe", "params:compute"),
            parent="initial_classifier",
            parent_provenance="initial_provenance",
            examples="pooled_examples",
            states="pooled_state",
            tags="train",
        ),
        node(
            score_target,
            "pooled_scores",
            classifier="pooled_classifier",
            pool="pooled_examples",
            target="phase3_examples",
            name="score",
        ),
        node(
            compare_with_pooled,
            "pooled_comparison",
            "params:reporting",
            pooled="pooled_scores",
            name="compare_with_paths",
            **each([path.name for path in study.paths], "phase3_scores"),
        ),
    ]
    return Pipeline(nodes, namespace="pooled", prefix_datasets_with_namespace=False)
