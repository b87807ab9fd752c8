"""Radiograph tables and files to image stores, splits and examples."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from covid_cxr.cohorts.curated import settle
from covid_cxr.cohorts.identifying import report_identifying
from covid_cxr.patients.duplicates import find_duplicates, pair_cohorts
from covid_cxr.patients.mixed_labels import list_mixed_copies, list_mixed_results
from covid_cxr.patients.pooling import pool_draws
from covid_cxr.patients.splits import split_by_patient
from covid_cxr.radiographs.crops import list_unmatched_crops
from covid_cxr.radiographs.curation import plan_matched_store, plan_store
from covid_cxr.radiographs.lung_masks import curate_lungs
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingSet
from covid_cxr.training.examples import assemble

_LABEL = "params:phase3_split.label"


def create_pipeline() -> Pipeline:
    """Return the pipeline that curates every cohort and draws every training set."""
    study = current()
    nodes = [node for cohort in study.cohorts for node in _curate(cohort)]
    nodes += _follow_target(study.target_cohort)
    nodes.append(_find_duplicates_across([*study.cohorts]))
    for drawn in study.training_sets.values():
        nodes += _draw(drawn)
    return Pipeline(nodes, namespace="curation", prefix_datasets_with_namespace=False)


def _curate(cohort: str) -> list[Node]:
    inputs = {
        "radiographs": f"{cohort}_radiographs",
        "images": f"{cohort}_images",
        "curation": "params:curation",
    }
    is_cropped = cohort == current().target_cohort
    if is_cropped:
        inputs["crops"] = f"{cohort}_crops"
        inputs["crops_unmatched"] = f"{cohort}_crops_unmatched"
        inputs["crop_matching"] = "params:crop_matching"
    return [
        Node(
            plan_matched_store if is_cropped else plan_store,
            inputs=inputs,
            outputs=f"{cohort}_store",
            name=f"curate_{cohort}",
            tags=cohort,
        ),
        Node(
            settle,
            inputs={
                "store": f"{cohort}_store",
                "radiographs": f"{cohort}_radiographs",
                "ingestion_rejected": f"{cohort}_ingestion_rejected",
            },
            outputs=[f"{cohort}_curated", f"{cohort}_rejected"],
            name=f"settle_{cohort}",
            tags=cohort,
        ),
        Node(
            report_identifying,
            inputs={"store": f"{cohort}_store"},
            outputs=f"{cohort}_identifying",
            name=f"report_{cohort}_identifying",
            tags=cohort,
        ),
        Node(
            find_duplicates,
            inputs={
                "curated": f"{cohort}_curated",
                "store": f"{cohort}_store",
                "duplicates": "params:duplicates",
            },
            outputs=f"{cohort}_duplicates",
            name=f"find_{cohort}_duplicates",
            tags=cohort,
        ),
    ]


def _follow_target(cohort: str) -> list[Node]:
    """Return what only the cohort has that the classifiers are tested on."""
    return [
        Node(
            list_mixed_results,
            inputs={"curated": f"{cohort}_curated", "label": _LABEL},
            outputs=f"{cohort}_mixed_results",
            name=f"list_{cohort}_mixed_results",
            tags=cohort,
        ),
        Node(
            list_mixed_copies,
            inputs={
                "curated": f"{cohort}_curated",
                "duplicates": f"{cohort}_duplicates",
                "label": _LABEL,
            },
            outputs=f"{cohort}_mixed_copies",
            name=f"list_{cohort}_mixed_copies",
            tags=cohort,
        ),
        Node(
            list_unmatched_crops,
            inputs={
                "crops": f"{cohort}_crops",
                # While the lists are judged: curation waits for both.
                "radiographs": f"{cohort}_listed",
                "images": f"{cohort}_images",
            },
            outputs=f"{cohort}_crops_unmatched",
            name=f"list_{cohort}_crops_unmatched",
            tags=cohort,
        ),
        Node(
            curate_lungs,
            inputs={
                "masks": f"{cohort}_masks",
                "images": f"{cohort}_images",
                "radiographs": f"{cohort}_radiographs",
                "curated": f"{cohort}_curated",
                "crops": f"{cohort}_crops",
                "curation": "params:curation",
            },
            outputs=[f"{cohort}_lungs", f"{cohort}_lungs_rejected"],
            name=f"outline_{cohort}_lungs",
            tags=cohort,
        ),
    ]


def _draw(drawn: TrainingSet) -> list[Node]:
    nodes = [_split(drawn, cohort) for cohort in drawn.cohorts]
    if drawn.is_pooled:
        nodes.append(_pool(drawn))
    assembly = Node(
        assemble,
        inputs={
            "curated": f"{drawn.origin}_curated",
            "split": f"{drawn.name}_split",
            "labels": f"params:{drawn.name}_labels",
            "sample": f"params:{drawn.name}_intensity_sample",
            **{f"{cohort}_store": f"{cohort}_store" for cohort in drawn.cohorts},
        },
        outputs=f"{drawn.name}_examples",
        name=f"assemble_{drawn.name}",
        tags=drawn.cohorts,
    )
    return [*nodes, assembly]


def _split(drawn: TrainingSet, cohort: str) -> Node:
    part = drawn.part_of(cohort)
    return Node(
        split_by_patient,
        inputs={
            "curated": f"{cohort}_curated",
            "duplicates": f"{cohort}_duplicates",
            "targets": f"params:{drawn.split_parameter(cohort)}",
        },
        outputs=[f"{part}_split", f"{part}_left_out"],
        name=f"split_{part}",
        tags=cohort,
    )


def _pool(drawn: TrainingSet) -> Node:
    """Return the node that makes one set of the draws from several cohorts."""
    tables = {f"{cohort}_curated": f"{cohort}_curated" for cohort in drawn.cohorts}
    for cohort in drawn.cohorts:
        for kind in ("split", "left_out"):
            tables[f"{cohort}_{kind}"] = f"{drawn.part_of(cohort)}_{kind}"
    return Node(
        pool_draws,
        inputs={
            "labels": f"params:{drawn.name}_labels",
            "told": f"params:{drawn.name}_told",
            "duplicates_across": "duplicates_across",
            **tables,
        },
        outputs=[f"{drawn.name}_{kind}" for kind in ("curated", "split", "left_out")],
        name=f"pool_{drawn.name}",
        tags=drawn.cohorts,
    )


def _find_duplicates_across(cohorts: Sequence[str]) -> Node:
    names = [f"{cohort}_{kind}" for kind in ("curated", "store") for cohort in cohorts]
    return Node(
        pair_cohorts,
        inputs={"duplicates": "params:duplicates", **{name: name for name in names}},
        outputs="duplicates_across",
        name="find_duplicates_across",
    )
