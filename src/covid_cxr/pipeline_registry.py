"""The registered pipelines: every step by name, every path, the whole study.

The steps are imported explicitly: Kedro's `find_pipelines` filters by folder name and
so breaks `kedro run --pipelines=path_b`, which is no folder.
"""

from kedro.pipeline import Pipeline

import covid_cxr.pipelines.audit.pipeline as audit
import covid_cxr.pipelines.bundle.pipeline as bundle
import covid_cxr.pipelines.comparison.pipeline as comparison
import covid_cxr.pipelines.curation.pipeline as curation
import covid_cxr.pipelines.evaluation.pipeline as evaluation
import covid_cxr.pipelines.external.pipeline as external
import covid_cxr.pipelines.ingestion.pipeline as ingestion
import covid_cxr.pipelines.phase1.pipeline as phase1
import covid_cxr.pipelines.phase2.pipeline as phase2
import covid_cxr.pipelines.phase3.pipeline as phase3
import covid_cxr.pipelines.planning.pipeline as planning
import covid_cxr.pipelines.pooled.pipeline as pooled
import covid_cxr.pipelines.prediction.pipeline as prediction
import covid_cxr.pipelines.reporting.pipeline as reporting
import covid_cxr.pipelines.sites.pipeline as sites
import covid_cxr.pipelines.synthesis.pipeline as synthesis
from covid_cxr.study.current import current, is_chosen
from covid_cxr.study.design import TrainingPath
from covid_cxr.study_config import choose_study


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines by the names that `kedro run --pipelines` takes."""
    if not is_chosen():
        choose_study()
    steps = {
        "ingestion": ingestion.create_pipeline(),
        "curation": curation.create_pipeline(),
        "audit": audit.create_pipeline(),
        "phase1": phase1.create_pipeline(),
        "phase2": phase2.create_pipeline(),
        "phase3": phase3.create_pipeline(),
    }
    until_scores = sum(steps.values(), Pipeline([]))
    evaluated, left_out = evaluation.create_pipeline(), sites.create_pipeline()
    made = (until_scores + evaluated + left_out).all_outputs()
    reported = reporting.create_pipeline(made)
    study = until_scores + evaluated + reported
    hospital = synthesis.create_pipeline()
    return {
        "synthesis": hospital,
        **steps,
        "evaluation": evaluated,
        "reporting": reported,
        "comparison": comparison.create_pipeline(),
        "planning": planning.create_pipeline(),
        "bundle": bundle.create_pipeline(),
        "prediction": prediction.create_pipeline(),
        "external": external.create_pipeline(),
        "external_protocol": external.create_protocol_pipeline(),
        "pooled": pooled.create_pipeline(),
        "sites": left_out,
        **{p.name: _one_path(p, until_scores, left_out) for p in current().paths},
        "__default__": study,
        "demo": hospital + study,
    }


def _one_path(
    path: TrainingPath, until_scores: Pipeline, left_out: Pipeline
) -> Pipeline:
    """Return everything that the path's own report needs, from the raw files on."""
    evaluated = evaluation.create_path_pipeline(path)
    made = (until_scores + evaluated + left_out).all_outputs()
    reported = evaluated + reporting.create_path_pipeline(path, made)
    everything = until_scores + reported
    return everything.to_nodes(*(node.name for node in reported.nodes))
