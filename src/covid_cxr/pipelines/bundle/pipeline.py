"""A path's classifier, or all paths' together, to a bundle that others predict with."""

from kedro.pipeline import Pipeline

from covid_cxr.pipelines.bundle.networks import export_networks, take_members
from covid_cxr.pipelines.bundle.nodes import fit_to_validation, remember_pictures
from covid_cxr.pipelines.bundle.record import assemble_bundle
from covid_cxr.pipelines.wiring import node
from covid_cxr.study.current import current


def create_pipeline() -> Pipeline:
    """Return the pipeline; it takes the results of an earlier run of the study."""
    target = current().target_set
    examples = {"examples": f"{target.name}_examples"}
    made = {"exported": "bundle_networks", "seen": "bundle_seen"}
    members = {"members": "bundle_members"}
    return Pipeline(
        [
            node(
                take_members,
                ["bundle_members", "bundle_scores"],
                "params:bundle",
                **_of_paths("provenance", "scores"),
            ),
            node(
                export_networks,
                "bundle_networks",
                *("params:curation", "params:bundle"),
                **members,
                **examples,
                **{path.name: f"bundled_{path.name}" for path in current().paths},
            ),
            node(remember_pictures, "bundle_seen", **members, **_tables()),
            node(
                fit_to_validation,
                ["bundle_fitted", "bundle_usual"],
                "params:bundle",
                scores="bundle_scores",
                curated=f"{target.origin}_curated",
                **members,
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
                licence="bundle_licence",
                scores="bundle_scores",
                **members,
                **examples,
                **made,
            ),
        ]
    )


def _of_paths(*kinds: str) -> dict[str, str]:
    """Return the results of every path; which are needed, a parameter says."""
    names = [f"{path.name}_{kind}" for path in current().paths for kind in kinds]
    return {name: f"bundled_{name}" for name in names}


def _tables() -> dict[str, str]:
    """Return who is in which part of each training set, and the hashes of pictures.

    Likewise: a path needs those that it was trained on.
    """
    origins = current().origin_of
    names = [
        *(f"{name}_examples" for name in origins),
        *(f"{origin}_curated" for origin in dict.fromkeys(origins.values())),
    ]
    return {name: f"bundled_{name}" for name in names}
