"""New radiographs predicted with a bundle: what `covid-cxr predict` does."""

from kedro.pipeline import Pipeline

from covid_cxr.pipelines.prediction.nodes import request_predictions
from covid_cxr.pipelines.wiring import node


def create_pipeline() -> Pipeline:
    """Return the pipeline; it takes a bundle and radiographs, and no study."""
    return Pipeline(
        [
            node(
                request_predictions,
                "predictions",
                "params:prediction",
                bundles="prediction_bundles",
                images="prediction_images",
                crops="prediction_crops",
            )
        ]
    )
