"""The registered pipelines: every step by name, every path, the whole study.

The steps are imported explicitly: Kedro's `find_pipelines` filters by folder name and
so breaks `kedro run --pipelines=path_b`, which is no folder.
"""

from kedro.pipeline import Pipeline

import covid_cxr.pipelines.audit.pipeline as audit
import covid_cxr.pipelines.comparison.pipeline as comparison
import covid_cxr.pipelines.curation.pipeline as curation
import covid_cxr.pipelines.ingestion.pipeline as ingestion
import covid_cxr.pipelines.phase1.pipeline as phase1
import covid_cxr.pipelines.phase2.pipeline as phase2
import covid_cxr.pipelines.phase3.pipeline as phase3
import covid_cxr.pipelines.pooled.pipeline as pooled
import covid_cxr.pipelines.reporting.pipeline as reporting
import covid_cxr.pipelines.synthesis.pipeline as synthesis
from covid_cxr.paths import TRAINING_PATHS, TrainingPath


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines by the names that `kedro run --pipelines` takes."""
    steps = {
        "ingestion": ingestion.create_pipeline(),
        "curation": curation.create_pipeline(),
        "audit": audit.create_pipeline(),
        "phase1": phase1.create_pipeline(),
        "phase2": phase2.create_pipeline(),
        "phase3": phase3.create_pipeline(),
    }
    until_scores = sum(steps.values(), Pipeline([]))
    report = reporting.create_pipeline()
    hospital = synthesis.create_pipeline()
    return {
        "synthesis": hospital,
        **steps,
        "reporting": report,
        "comparison": comparison.create_pipeline(),
        "pooled": pooled.create_pipeline(),
        **{path.name: _one_path(path, until_scores) for path in TRAINING_PATHS},
        "__default__": until_scores + report,
        "demo": hospital + until_scores + report,
    }


def _one_path(path: TrainingPath, until_scores: Pipeline) -> Pipeline:
    """Return everything that the path's own report needs, from the raw files on."""
    report = reporting.create_path_pipeline(path)
    everything = until_scores + report
    return everything.to_nodes(*(node.name for node in report.nodes))
