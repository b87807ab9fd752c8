"""Radiograph tables and files to image stores, splits and intensity statistics."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.cohorts.curated import settle
from covid_cxr.cohorts.duplicates import find_duplicates
from covid_cxr.cohorts.identifying import report_identifying
from covid_cxr.cohorts.intensity import measure_intensity
from covid_cxr.cohorts.mixed_labels import list_mixed_copies, list_mixed_results
from covid_cxr.cohorts.splits import split_by_patient
from covid_cxr.paths import COHORT_OF_TRAINING_SET
from covid_cxr.radiographs.crops import list_unmatched_crops
from covid_cxr.radiographs.curation import plan_matched_store, plan_store
from covid_cxr.radiographs.lung_masks import curate_lungs

_CROPS = {"covid": "covid_crops"}


def create_pipeline() -> Pipeline:
    """Return the pipeline that curates three cohorts and draws four training sets."""
    cohorts = dict.fromkeys(COHORT_OF_TRAINING_SET.values())
    nodes = [node for cohort in cohorts for node in _curate(cohort)]
    nodes += [
        Node(
            list_mixed_results,
            inputs={"curated": "covid_curated"},
            outputs="covid_mixed_results",
            name="list_covid_mixed_results",
            tags="covid",
        ),
        Node(
            list_mixed_copies,
            inputs={"curated": "covid_curated", "duplicates": "covid_duplicates"},
            outputs="covid_mixed_copies",
            name="list_covid_mixed_copies",
            tags="covid",
        ),
        Node(
            list_unmatched_crops,
            inputs={
                "crops": "covid_crops",
                # While the lists are judged: curation waits for both.
                "radiographs": "covid_listed",
                "images": "covid_images",
            },
            outputs="covid_crops_unmatched",
            name="list_covid_crops_unmatched",
            tags="covid",
        ),
        Node(
            curate_lungs,
            inputs={
                "masks": "covid_masks",
                "images": "covid_images",
                "radiographs": "covid_radiographs",
                "curated": "covid_curated",
                "crops": "covid_crops",
                "curation": "params:curation",
            },
            outputs=["covid_lungs", "covid_lungs_rejected"],
            name="outline_covid_lungs",
            tags="covid",
        ),
    ]
    for training_set, cohort in COHORT_OF_TRAINING_SET.items():
        nodes += _draw(training_set, cohort)
    return Pipeline(nodes, namespace="curation", prefix_datasets_with_namespace=False)


def _curate(cohort: str) -> list[Node]:
    inputs = {
        "radiographs": f"{cohort}_radiographs",
        "images": f"{cohort}_images",
        "curation": "params:curation",
    }
    if cohort in _CROPS:
        inputs["crops"] = _CROPS[cohort]
        inputs["crops_unmatched"] = f"{_CROPS[cohort]}_unmatched"
        inputs["crop_matching"] = "params:crop_matching"
    return [
        Node(
            plan_matched_store if cohort in _CROPS else plan_store,
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
            measure_intensity,
            inputs={
                "store": f"{cohort}_store",
                "curated": f"{cohort}_curated",
                "split": f"{training_set}_split",
                "sample": f"params:{training_set}_intensity_sample",
            },
            outputs=f"{training_set}_intensity",
            name=f"measure_{training_set}_intensity",
            tags=cohort,
        ),
    ]
