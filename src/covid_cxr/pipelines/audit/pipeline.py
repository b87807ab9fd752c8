"""Splits, metadata and grey values to the audit: tables, a verdict that may stop."""

from kedro.pipeline import Pipeline

from covid_cxr.audit.grey_values import predict_from_intensity
from covid_cxr.audit.verdict import judge
from covid_cxr.pipelines.audit.nodes import audit_leaks, find_shortcuts
from covid_cxr.pipelines.wiring import each, node
from covid_cxr.study.current import current
from covid_cxr.study.parameters import network_of


def create_pipeline() -> Pipeline:
    """Return the audit of every stage of every path.

    The tables are written before `judge` may stop the run.
    """
    study = current()
    splits = each(study.training_sets, "split").values()
    weights = {
        f"{name}_weights": f"params:{name}.weights"
        for name in map(network_of, study.used_starts)
    }
    labels = {
        f"{name}_label": f"params:{one.label_parameter}"
        for name, one in study.training_sets.items()
    }
    nodes = [
        node(
            audit_leaks,
            ["leaks", "leakage", "audit_verdict"],
            "params:audit.on_leak",
            *splits,
            *each(study.cohorts, "curated").values(),
            *each(study.cohorts, "duplicates").values(),
            "duplicates_across",
            name="find_leaks",
            **weights,
        ),
        node(
            find_shortcuts,
            ["cross_tables", "associations", "metadata_auroc", "source_labels"],
            "params:reporting.level",
            *splits,
            *each(study.origin_of.values(), "curated").values(),
            **labels,
        ),
        node(
            predict_from_intensity,
            "intensity_auroc",
            *("params:phase3_split.label", "params:reporting.level"),
            store=f"{study.target_cohort}_store",
            curated=f"{study.target_cohort}_curated",
            split="phase3_split",
        ),
        node(judge, None, "audit_verdict"),
    ]
    return Pipeline(nodes, namespace="audit", prefix_datasets_with_namespace=False)
