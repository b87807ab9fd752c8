"""A cohort that the study never saw, to a result, an export and one HTML file.

The primary result is written first: all that is fitted takes it as an input.
"""

from typing import Any

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.case_mix import (
    find_shortcuts,
    tabulate_case_mix,
    tabulate_membership,
    tabulate_standardised,
)
from covid_cxr.evaluation.external_cohorts import (
    export_aggregates,
    gather_cohorts,
    pool_cohorts,
    state_primary,
)
from covid_cxr.evaluation.external_flags import raise_flags
from covid_cxr.evaluation.external_scores import (
    tabulate_discrimination,
    tabulate_external_subgroups,
    tabulate_flow,
    tabulate_frozen_calibration,
    tabulate_operating,
    tabulate_score_quantiles,
)
from covid_cxr.evaluation.registered_protocol import (
    draft_protocol,
    judge_hypotheses,
    read_protocol,
)
from covid_cxr.evaluation.site_recalibration import recalibrate_at_site
from covid_cxr.figures.cohort_forest import draw_cohorts
from covid_cxr.pipelines.external.nodes import (
    describe_bundles,
    list_cohort,
    predict_cohort,
    refuse_known_patients,
    take_internal,
)
from covid_cxr.pipelines.score_evaluation import titled
from covid_cxr.pipelines.wiring import node
from covid_cxr.report.external_html import SHOWN, write_external
from covid_cxr.report.score_figures import (
    draw_decision_curves,
    draw_reliability_curves,
)
from covid_cxr.sources.adapters import RSNA_MAPPING, SOURCES
from covid_cxr.study.current import current

_SCORES = {"scores": "external_scores"}
_CLASSIFIERS = {"classifiers": "external_classifiers"}
_ASKED = {"external": "params:external"}
_REPORTING = {"reporting": "params:reporting"}
_SETTINGS = {**_REPORTING, "evaluation": "params:evaluation"}
_INTERNAL = {"internal": "external_internal"}
_PRIMARY = ("flow", "discrimination", "operating", "calibration", "hypotheses")
_EXPORTED = ("case_mix", "standardised", "subgroups", "score_quantiles", "shortcuts")
_SALT = "pseudonym_salt"
_OF_PATH = ("scores", "provenance")
_FITTED_LAST = ("membership", "recalibration")


def create_pipeline() -> Pipeline:
    """Return the pipeline; it takes bundles, a cohort, and the study if it is here."""
    return Pipeline([*_predict(), *_judge(), *_look_closer(), *_tell()])


def create_protocol_pipeline() -> Pipeline:
    """Return the pipeline that drafts the protocol."""
    described = node(
        describe_bundles, "external_classifiers", bundles="external_bundles"
    )
    drafted = node(draft_protocol, "external_protocol", **_CLASSIFIERS)
    return Pipeline([described, drafted])


def _predict() -> list[Node]:
    study = current()
    paths = [path.name for path in study.paths]
    known = {
        **{f"internal_{p}_{k}": f"internal_{p}_{k}" for p in paths for k in _OF_PATH},
        "internal_curated": f"internal_{study.target_set.origin}_curated",
    }
    splits = {f"{name}_split": f"internal_{name}_split" for name in study.training_sets}
    salts = {
        f"{name}_salt": f"params:{name}_ingestion.{_SALT}"
        for name, cohort in study.cohorts.items()
        if _SALT in SOURCES[cohort.source].ingestion
    }
    return [
        node(describe_bundles, "external_classifiers", bundles="external_bundles"),
        node(
            list_cohort,
            ["external_listed", "external_rejected"],
            manifest="external_manifest",
            images="external_images",
            rsna_mapping=RSNA_MAPPING,
            **_CLASSIFIERS,
            **_ASKED,
        ),
        node(
            refuse_known_patients,
            "external_radiographs",
            listed="external_listed",
            **splits,
            **salts,
        ),
        node(
            predict_cohort,
            ["external_scores", "external_features"],
            bundles="external_bundles",
            radiographs="external_radiographs",
            images="external_images",
        ),
        node(
            take_internal,
            ["external_internal", "external_described"],
            **_CLASSIFIERS,
            **known,
        ),
    ]


def _judge() -> list[Node]:
    """Return what needs no fit, up to the primary result."""
    primary = {name: f"external_{name}_results" for name in _PRIMARY}
    return [
        node(
            read_protocol,
            "external_registered",
            text="external_protocol",
            **_CLASSIFIERS,
        ),
        node(tabulate_flow, primary["flow"], rejected="external_rejected", **_SCORES),
        node(
            tabulate_discrimination,
            primary["discrimination"],
            **_SCORES,
            **_INTERNAL,
            **_SETTINGS,
        ),
        node(
            tabulate_operating,
            primary["operating"],
            **_SCORES,
            **_CLASSIFIERS,
            **_REPORTING,
        ),
        node(
            tabulate_frozen_calibration,
            [
                primary["calibration"],
                "external_reliability_results",
                "external_decision_results",
            ],
            **_SCORES,
            **_SETTINGS,
        ),
        node(
            judge_hypotheses,
            primary["hypotheses"],
            protocol="external_registered",
            aurocs=primary["discrimination"],
            operating=primary["operating"],
        ),
        node(
            state_primary,
            "external_primary",
            manifest="external_manifest",
            protocol="external_registered",
            **_CLASSIFIERS,
            **_ASKED,
            **primary,
        ),
    ]


def _look_closer() -> list[Node]:
    """Return case mix, shortcuts and recalibration, after the primary result."""
    cohort: dict[str, Any] = {
        "radiographs": "external_radiographs",
        "primary": "external_primary",
    }
    both = {**cohort, "described": "external_described"}
    return [
        node(
            tabulate_case_mix,
            "external_case_mix_results",
            evaluation="params:evaluation",
            **both,
        ),
        node(
            tabulate_standardised,
            "external_standardised_results",
            radiographs="external_radiographs",
            described="external_described",
            **_SCORES,
            **_INTERNAL,
            **_SETTINGS,
        ),
        node(
            tabulate_membership,
            "external_membership_results",
            **both,
            **_REPORTING,
            **_ASKED,
        ),
        node(
            tabulate_external_subgroups,
            "external_subgroups_results",
            radiographs="external_radiographs",
            **_SCORES,
            **_SETTINGS,
        ),
        node(
            tabulate_score_quantiles,
            "external_score_quantiles_results",
            **_SCORES,
            **_INTERNAL,
        ),
        node(
            find_shortcuts,
            "external_shortcuts_results",
            features="external_features",
            **cohort,
            **_REPORTING,
            **_ASKED,
        ),
        node(
            recalibrate_at_site,
            "external_recalibration_results",
            primary="external_primary",
            **_SCORES,
            **_REPORTING,
            **_ASKED,
        ),
    ]


def _tell() -> list[Node]:
    """Return what leaves the site, and what a reader sees."""
    closer = {name: f"external_{name}_results" for name in (*_EXPORTED, *_FITTED_LAST)}
    names = ("cohorts", "pooled")
    cohorts = {name: f"external_{name}_results" for name in names}
    return [
        node(
            export_aggregates,
            "external_aggregates",
            primary="external_primary",
            **closer,
            **_ASKED,
        ),
        node(
            gather_cohorts,
            cohorts["cohorts"],
            aggregates="external_aggregates",
            exports="external_exports",
        ),
        node(pool_cohorts, cohorts["pooled"], cohorts=cohorts["cohorts"], **_REPORTING),
        node(
            draw_cohorts,
            "external_cohorts_figure",
            discrimination="external_discrimination_results",
            **cohorts,
        ),
        node(
            titled(draw_reliability_curves, are_paths=False),
            "external_reliability_figure",
            bins="external_reliability_results",
        ),
        node(
            titled(draw_decision_curves, are_paths=False),
            "external_decision_figure",
            curves="external_decision_results",
        ),
        node(
            raise_flags,
            "external_flags_results",
            discrimination="external_discrimination_results",
            shortcuts="external_shortcuts_results",
            protocol="external_registered",
            **_SCORES,
            **_CLASSIFIERS,
        ),
        node(
            write_external,
            "external_report",
            primary="external_primary",
            **_REPORTING,
            **{name: f"external_{name}" for name in SHOWN},
        ),
    ]
