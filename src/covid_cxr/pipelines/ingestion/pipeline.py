"""Raw tables to radiograph tables, each of them gated by how well its lists fit."""

from kedro.pipeline import Node, Pipeline

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
    listed, rejected = f"{name}_listed", f"{name}_ingestion_rejected"
    unmatched = f"{name}_lists_unmatched"
    boxes = [f"{name}_boxes"] if source.has_boxes else []
    adjudicated = [
        Node(
            one,
            inputs=inputs_of(one, name, cohort.source),
            outputs=f"{name}_adjudicated",
            name=f"list_{name}_adjudicated",
            tags=name,
        )
        for one in (source.list_adjudicated,)
        if one is not None
    ]
    return [
        *adjudicated,
        Node(
            source.list_radiographs,
            inputs=inputs_of(source.list_radiographs, name, cohort.source),
            outputs=[listed, *boxes, rejected],
            name=f"list_{name}",
            tags=name,
        ),
        Node(
            source.list_unmatched,
            inputs=inputs_of(source.list_unmatched, name, cohort.source),
            outputs=unmatched,
            name=f"list_{unmatched}",
            tags=name,
        ),
        Node(
            MatchedCohort(name).admit,
            inputs={
                "listed": listed,
                "unmatched": unmatched,
                "max_unmatched_share": (f"params:{name}_ingestion.max_unmatched_share"),
                "findings": f"params:{name}_findings",
            },
            outputs=f"{name}_radiographs",
            name=f"admit_{name}",
            tags=name,
        ),
    ]
