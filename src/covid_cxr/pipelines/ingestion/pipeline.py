"""Raw tables to radiograph tables, each of them gated by how well its lists fit."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from covid_cxr.pipelines.wiring import node
from covid_cxr.sources.adapters import SOURCES, inputs_of
from covid_cxr.sources.listed import MatchedCohort
from covid_cxr.study.current import current
from covid_cxr.study.design import Cohort


def create_pipeline() -> Pipeline:
    """Return the pipeline that lists the radiographs of every cohort of the study."""
    return Pipeline(
        [node for cohort in current().cohorts.values() for node in _ingest(cohort)],
        namespace="ingestion",
        prefix_datasets_with_namespace=False,
    )


def _ingest(cohort: Cohort) -> list[Node]:
    """Return the nodes that list, keep the names which find nothing, and may stop."""
    source, name = SOURCES[cohort.source], cohort.name

    def adapt(
        function: Callable[..., Any], outputs: str | list[str], word: str
    ) -> Node:
        inputs = inputs_of(function, name, cohort.source)
        return node(function, outputs, name=f"list_{word}", tags=name, **inputs)

    listed, rejected = f"{name}_listed", f"{name}_ingestion_rejected"
    unmatched, adjudicated = f"{name}_lists_unmatched", f"{name}_adjudicated"
    boxes = [f"{name}_boxes"] if source.has_boxes else []
    nodes = [
        adapt(source.list_radiographs, [listed, *boxes, rejected], name),
        adapt(source.list_unmatched, unmatched, unmatched),
        node(
            MatchedCohort(name).admit,
            f"{name}_radiographs",
            f"params:{name}_ingestion.max_unmatched_share",
            listed=listed,
            unmatched=unmatched,
            findings=f"params:{name}_findings",
            name=f"admit_{name}",
            tags=name,
        ),
    ]
    if source.list_adjudicated is not None:
        nodes.append(adapt(source.list_adjudicated, adjudicated, adjudicated))
    return nodes
