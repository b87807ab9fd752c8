"""Radiograph tables and files to image stores, splits and examples."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.cohorts.curated import settle
from covid_cxr.cohorts.identifying import report_identifying
from covid_cxr.patients.duplicates import find_duplicates
from covid_cxr.patients.mixed_labels import list_mixed_copies, list_mixed_results
from covid_cxr.patients.splits import split_by_patient
from covid_cxr.radiographs.crops import list_unmatched_crops
from covid_cxr.radiographs.curation import plan_matched_store, plan_store
from covid_cxr.radiographs.lung_masks import curate_lungs
from covid_cxr.study.current import current
from covid_cxr.training.examples import assemble

_LABEL = "params:phase3_split.label"


def create_pipeline() -> Pipeline:
    """Return the pipeline that curates every cohort and draws every training set."""
    study = current()
    nodes = [node for cohort in study.cohorts for node in _curate(cohort)]
    nodes += _follow_target(study.target_cohort)
    for training_set, cohort in study.cohort_of.items():
        nodes += _draw(training_set, cohort)
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


def _draw(training_set: str, cohort: str) -> list[Node]:
    return [
        Node(
            split_by_patient,
            inputs={
                "curated": f"{cohort}_curated",
                "duplicates": f"{cohort}_duplicates",
                "targets": f"params:{training_set}_split",
            },
            outputs=[f"{training_set}_split", f"{training_set}_left_out"],
            name=f"split_{training_set}",
            tags=cohort,
        ),
        Node(
            assemble,
            inputs={
                "store": f"{cohort}_store",
                "curated": f"{cohort}_curated",
                "split": f"{training_set}_split",
                "labels": f"params:{training_set}_labels",
                "sample": f"params:{training_set}_intensity_sample",
            },
            outputs=f"{training_set}_examples",
            name=f"assemble_{training_set}",
            tags=cohort,
        ),
    ]
