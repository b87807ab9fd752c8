"""Splits, metadata and grey values to the audit: tables, a verdict that may stop."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from covid_cxr.audit.grey_values import predict_from_intensity
from covid_cxr.audit.verdict import judge
from covid_cxr.pipelines.audit.nodes import (
    audit_leaks,
    find_shortcuts,
)
from covid_cxr.study.current import current
from covid_cxr.study.parameters import network_of


def create_pipeline() -> Pipeline:
    """Return the audit of every stage of every path.

    The tables are written before `judge` may stop the run.
    """
    study = current()
    cohorts, training_sets = list(study.cohorts), list(study.training_sets)
    origins = list(dict.fromkeys(study.origin_of.values()))
    splits = [f"{training_set}_split" for training_set in training_sets]
    curated = [f"{cohort}_curated" for cohort in cohorts]
    duplicates = [*(f"{cohort}_duplicates" for cohort in cohorts), "duplicates_across"]
    nodes = [
        Node(
            audit_leaks,
            inputs={
                "on_leak": "params:audit.on_leak",
                **{
                    f"{name}_weights": f"params:{name}.weights"
                    for name in map(network_of, study.used_starts)
                },
                **_same([*splits, *curated, *duplicates]),
            },
            outputs=["leaks", "leakage", "audit_verdict"],
            name="find_leaks",
        ),
        Node(
            find_shortcuts,
            inputs={
                "level": "params:reporting.level",
                **_same([*splits, *(f"{o}_curated" for o in origins)]),
                **{
                    f"{name}_label": f"params:{one.label_parameter}"
                    for name, one in study.training_sets.items()
                },
            },
            outputs=["cross_tables", "associations", "metadata_auroc", "source_labels"],
            name="find_shortcuts",
        ),
        Node(
            predict_from_intensity,
            inputs={
                "store": f"{study.target_cohort}_store",
                "curated": f"{study.target_cohort}_curated",
                "split": "phase3_split",
                "label": "params:phase3_split.label",
                "level": "params:reporting.level",
            },
            outputs="intensity_auroc",
            name="predict_from_intensity",
        ),
        Node(
            judge,
            inputs={"audit_verdict": "audit_verdict"},
            outputs=None,
            name="judge",
        ),
    ]
    return Pipeline(nodes, namespace="audit", prefix_datasets_with_namespace=False)


def _same(names: Sequence[str]) -> dict[str, str]:
    return {name: name for name in names}
