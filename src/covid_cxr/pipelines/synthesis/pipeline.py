"""Patients admitted → defects chosen → the raw files of three cohorts drawn."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.synthesis.defects import choose_defects
from covid_cxr.synthesis.hospital import admit_patients
from covid_cxr.synthesis.raw_covid import write_covid, write_covid_masks
from covid_cxr.synthesis.raw_nih import write_nih
from covid_cxr.synthesis.raw_rsna import write_rsna


def create_pipeline() -> Pipeline:
    """Return the steps that write a synthetic hospital in the published formats."""
    admitted = {
        "radiographs": "synthetic_radiographs",
        "synthesis": "params:synthesis",
        "defects": "synthetic_defects",
    }
    return Pipeline(
        [
            Node(
                admit_patients,
                inputs={"synthesis": "params:synthesis"},
                outputs="synthetic_radiographs",
                name="admit_patients",
            ),
            Node(
                choose_defects,
                inputs={
                    "radiographs": "synthetic_radiographs",
                    "defects": "params:defects",
                },
                outputs="synthetic_defects",
                name="choose_defects",
            ),
            Node(
                write_nih,
                inputs=admitted,
                outputs=[
                    "nih_images",
                    "nih_entries",
                    "nih_train_val_list",
                    "nih_test_list",
                ],
                name="write_nih",
            ),
            Node(
                write_rsna,
                inputs=admitted,
                outputs=[
                    "rsna_images",
                    "rsna_labels",
                    "rsna_class_info",
                    "rsna_mapping",
                ],
                name="write_rsna",
            ),
            Node(
                write_covid,
                inputs=admitted,
                outputs=["covid_images", "covid_manifest", "covid_crops"],
                name="write_covid",
            ),
            Node(
                write_covid_masks,
                inputs=admitted,
                outputs="covid_masks",
                name="write_covid_masks",
            ),
        ]
    )
