"""The registered pipelines: every step by name, every path, the whole study.

The steps are imported explicitly: Kedro's `find_pipelines` filters by folder name and
so breaks `kedro run --pipelines=path_b`, which is no folder.
"""

from kedro.pipeline import Pipeline

from covid_cxr.paths import TRAINING_PATHS, TrainingPath
from covid_cxr.pipelines.curation import pipeline as curation
from covid_cxr.pipelines.ingestion import pipeline as ingestion
from covid_cxr.pipelines.phase1 import pipeline as phase1
from covid_cxr.pipelines.phase2 import pipeline as phase2
from covid_cxr.pipelines.phase3 import pipeline as phase3
from covid_cxr.pipelines.reporting import pipeline as reporting
from covid_cxr.pipelines.synthesis import pipeline as synthesis


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines by the names that `kedro run --pipelines` takes."""
    steps = {
        "ingestion": ingestion.create_pipeline(),
        "curation": curation.create_pipeline(),
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
        **{path.name: _one_path(path, until_scores) for path in TRAINING_PATHS},
        "__default__": until_scores + report,
        "demo": hospital + until_scores + report,
    }


def _one_path(path: TrainingPath, until_scores: Pipeline) -> Pipeline:
    """Return everything that the path's own report needs, from the raw files on."""
    report = reporting.create_path_pipeline(path)
    everything = until_scores + report
    return everything.to_nodes(*(node.name for node in report.nodes))
