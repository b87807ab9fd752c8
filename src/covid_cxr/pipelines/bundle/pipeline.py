"""One path's classifier to a bundle: a folder and a zip that others predict with."""

from kedro.pipeline import Pipeline

from covid_cxr.pipelines.bundle.nodes import (
    export_network,
    fit_to_validation,
    remember_pictures,
)
from covid_cxr.pipelines.bundle.record import assemble_bundle
from covid_cxr.pipelines.wiring import node
from covid_cxr.study.current import current


def create_pipeline() -> Pipeline:
    """Return the pipeline; it takes the results of an earlier run of the study."""
    target = current().target_set
    examples = {"examples": f"{target.name}_examples"}
    made = {"exported": "bundle_network", "seen": "bundle_seen"}
    return Pipeline(
        [
            node(
                export_network,
                "bundle_network",
                *("params:curation", "params:bundle"),
                classifier="bundle_classifier",
                **examples,
            ),
            node(
                remember_pictures,
                "bundle_seen",
                *_tables(),
                provenance="bundle_provenance",
            ),
            node(
                fit_to_validation,
                ["bundle_fitted", "bundle_usual"],
                "params:bundle",
                scores="bundle_scores",
                curated=f"{target.origin}_curated",
                **examples,
                **made,
            ),
            node(
                assemble_bundle,
                "bundle",
                *("params:curation", "params:reporting", "params:evaluation"),
                "params:bundle",
                fitted="bundle_fitted",
                usual="bundle_usual",
                provenance="bundle_provenance",
                licence="bundle_licence",
                scores="bundle_scores",
                **examples,
                **made,
            ),
        ]
    )


def _tables() -> list[str]:
    """Return who is in which part of each training set, and the hashes of pictures."""
    origins = current().origin_of
    return [
        *(f"{name}_examples" for name in origins),
        *(f"{origin}_curated" for origin in dict.fromkeys(origins.values())),
    ]
