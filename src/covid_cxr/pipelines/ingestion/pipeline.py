"""Raw tables to radiograph tables: one node per cohort."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.cohorts.covid import list_covid
from covid_cxr.cohorts.nih import list_nih, list_unmatched_names
from covid_cxr.cohorts.rsna import list_rsna


def create_pipeline() -> Pipeline:
    """Return the pipeline that lists the radiographs of the three cohorts."""
    return Pipeline(
        [
            Node(
                list_nih,
                inputs={
                    "entries": "nih_entries",
                    "train_val_list": "nih_train_val_list",
                    "test_list": "nih_test_list",
                    "images": "nih_images",
                },
                outputs=["nih_radiographs", "nih_ingestion_rejected"],
                name="list_nih",
                tags="nih",
            ),
            Node(
                list_unmatched_names,
                inputs={
                    "entries": "nih_entries",
                    "train_val_list": "nih_train_val_list",
                    "test_list": "nih_test_list",
                    "nih_ingestion": "params:nih_ingestion",
                },
                outputs="nih_lists_unmatched",
                name="list_nih_lists_unmatched",
                tags="nih",
            ),
            Node(
                list_rsna,
                inputs={
                    "labels": "rsna_labels",
                    "class_info": "rsna_class_info",
                    "mapping": "rsna_mapping",
                    "images": "rsna_images",
                    "rsna_ingestion": "params:rsna_ingestion",
                },
                outputs=["rsna_radiographs", "rsna_boxes", "rsna_ingestion_rejected"],
                name="list_rsna",
                tags="rsna",
            ),
            Node(
                list_covid,
                inputs={
                    "manifest": "covid_manifest",
                    "additions": "covid_additions",
                    "rsna_mapping": "rsna_mapping",
                    "images": "covid_images",
                    "covid_ingestion": "params:covid_ingestion",
                },
                outputs=["covid_radiographs", "covid_ingestion_rejected"],
                name="list_covid",
                tags="covid",
            ),
        ],
        namespace="ingestion",
        prefix_datasets_with_namespace=False,
    )
