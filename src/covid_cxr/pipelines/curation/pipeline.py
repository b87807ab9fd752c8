"""Radiograph tables and files to image stores, splits and examples."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.cohorts.curated import settle
from covid_cxr.cohorts.identifying import report_identifying
from covid_cxr.patients.duplicates import find_duplicates, pair_cohorts
from covid_cxr.patients.mixed_labels import list_mixed_copies, list_mixed_results
from covid_cxr.patients.pooling import pool_draws
from covid_cxr.patients.splits import split_by_patient
from covid_cxr.pipelines.wiring import each, node
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
    across = node(
        pair_cohorts,
        "duplicates_across",
        "params:duplicates",
        *each(study.cohorts, "curated").values(),
        *each(study.cohorts, "store").values(),
        name="find_duplicates_across",
    )
    return Pipeline(
        [
            *(_curate(cohort) for cohort in study.cohorts),
            _follow_target(study.target_cohort),
            across,
            *(one for drawn in study.training_sets.values() for one in _draw(drawn)),
        ],
        namespace="curation",
        prefix_datasets_with_namespace=False,
    )


def _curate(cohort: str) -> Pipeline:
    radiographs, store = f"{cohort}_radiographs", f"{cohort}_store"
    raw = {"radiographs": radiographs, "images": f"{cohort}_images"}
    cropping = {}
    if is_cropped := cohort == current().target_cohort:
        cropping = {
            "crops": f"{cohort}_crops",
            "crops_unmatched": f"{cohort}_crops_unmatched",
            "crop_matching": "params:crop_matching",
        }
    nodes = [
        node(
            plan_matched_store if is_cropped else plan_store,
            store,
            "params:curation",
            name=f"curate_{cohort}",
            **raw,
            **cropping,
        ),
        node(
            settle,
            [f"{cohort}_curated", f"{cohort}_rejected"],
            store=store,
            radiographs=radiographs,
            ingestion_rejected=f"{cohort}_ingestion_rejected",
            name=f"settle_{cohort}",
        ),
        node(
            report_identifying,
            f"{cohort}_identifying",
            store=store,
            name=f"report_{cohort}_identifying",
        ),
        node(
            find_duplicates,
            f"{cohort}_duplicates",
            "params:duplicates",
            curated=f"{cohort}_curated",
            store=store,
            name=f"find_{cohort}_duplicates",
        ),
    ]
    return Pipeline(nodes, tags=cohort)


def _follow_target(cohort: str) -> Pipeline:
    """Return what only the cohort has that the classifiers are tested on."""
    curated = {"curated": f"{cohort}_curated"}
    raw = {"images": f"{cohort}_images", "crops": f"{cohort}_crops"}
    nodes = [
        node(
            list_mixed_results,
            f"{cohort}_mixed_results",
            _LABEL,
            name=f"list_{cohort}_mixed_results",
            **curated,
        ),
        node(
            list_mixed_copies,
            f"{cohort}_mixed_copies",
            _LABEL,
            duplicates=f"{cohort}_duplicates",
            name=f"list_{cohort}_mixed_copies",
            **curated,
        ),
        node(
            list_unmatched_crops,
            f"{cohort}_crops_unmatched",
            # While the lists are judged: curation waits for both.
            radiographs=f"{cohort}_listed",
            name=f"list_{cohort}_crops_unmatched",
            **raw,
        ),
        node(
            curate_lungs,
            [f"{cohort}_lungs", f"{cohort}_lungs_rejected"],
            "params:curation",
            masks=f"{cohort}_masks",
            radiographs=f"{cohort}_radiographs",
            name=f"outline_{cohort}_lungs",
            **raw,
            **curated,
        ),
    ]
    return Pipeline(nodes, tags=cohort)


def _draw(drawn: TrainingSet) -> list[Node]:
    nodes = [_split(drawn, cohort) for cohort in drawn.cohorts]
    if drawn.is_pooled:
        nodes.append(_pool(drawn))
    assembly = node(
        assemble,
        f"{drawn.name}_examples",
        *each(drawn.cohorts, "store").values(),
        curated=f"{drawn.origin}_curated",
        split=f"{drawn.name}_split",
        labels=f"params:{drawn.name}_labels",
        sample=f"params:{drawn.name}_intensity_sample",
        name=f"assemble_{drawn.name}",
        tags=drawn.cohorts,
    )
    return [*nodes, assembly]


def _split(drawn: TrainingSet, cohort: str) -> Node:
    part = drawn.part_of(cohort)
    return node(
        split_by_patient,
        [f"{part}_split", f"{part}_left_out"],
        curated=f"{cohort}_curated",
        duplicates=f"{cohort}_duplicates",
        targets=f"params:{drawn.split_parameter(cohort)}",
        name=f"split_{part}",
        tags=cohort,
    )


def _pool(drawn: TrainingSet) -> Node:
    """Return the node that makes one set of the draws from several cohorts."""
    draws = {
        f"{cohort}_{kind}": f"{drawn.part_of(cohort)}_{kind}"
        for cohort in drawn.cohorts
        for kind in ("split", "left_out")
    }
    return node(
        pool_draws,
        [f"{drawn.name}_{kind}" for kind in ("curated", "split", "left_out")],
        "duplicates_across",
        *each(drawn.cohorts, "curated").values(),
        labels=f"params:{drawn.name}_labels",
        told=f"params:{drawn.name}_told",
        name=f"pool_{drawn.name}",
        tags=drawn.cohorts,
        **draws,
    )
