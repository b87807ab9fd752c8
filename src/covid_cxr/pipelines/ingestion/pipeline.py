"""Raw tables to radiograph tables, each of them gated by how well its lists fit."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from covid_cxr.cohorts.covid import admit_covid, list_covid, list_unmatched_covid
from covid_cxr.cohorts.nih import admit_nih, list_nih, list_unmatched_nih
from covid_cxr.cohorts.rsna import admit_rsna, list_rsna, list_unmatched_rsna


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
                outputs=["nih_listed", "nih_ingestion_rejected"],
                name="list_nih",
                tags="nih",
            ),
            *_match("nih", list_unmatched_nih, admit_nih),
            Node(
                list_rsna,
                inputs={
                    "labels": "rsna_labels",
                    "class_info": "rsna_class_info",
                    "mapping": "rsna_mapping",
                    "images": "rsna_images",
                    "rsna_ingestion": "params:rsna_ingestion",
                },
                outputs=["rsna_listed", "rsna_boxes", "rsna_ingestion_rejected"],
                name="list_rsna",
                tags="rsna",
            ),
            *_match(
                "rsna",
                list_unmatched_rsna,
                admit_rsna,
                boxes="rsna_boxes",
                rsna_ingestion="params:rsna_ingestion",
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
                outputs=["covid_listed", "covid_ingestion_rejected"],
                name="list_covid",
                tags="covid",
            ),
            *_match(
                "covid",
                list_unmatched_covid,
                admit_covid,
                rsna_mapping="rsna_mapping",
                covid_ingestion="params:covid_ingestion",
            ),
        ],
        namespace="ingestion",
        prefix_datasets_with_namespace=False,
    )


def _match(
    cohort: str,
    list_unmatched: Callable[..., Any],
    admit: Callable[..., Any],
    **further: str,
) -> list[Node]:
    """Return the nodes that keep the names which find nothing, and then may stop."""
    listed, unmatched = f"{cohort}_listed", f"{cohort}_lists_unmatched"
    rejected = f"{cohort}_ingestion_rejected"
    record = f"{cohort}_ingestion"
    return [
        Node(
            list_unmatched,
            inputs={"listed": listed, "rejected": rejected, **further},
            outputs=unmatched,
            name=f"list_{unmatched}",
            tags=cohort,
        ),
        Node(
            admit,
            inputs={
                "listed": listed,
                "unmatched": unmatched,
                record: f"params:{record}",
            },
            outputs=f"{cohort}_radiographs",
            name=f"admit_{cohort}",
            tags=cohort,
        ),
    ]
