"""A cohort that the study never saw, to a result, an export and one HTML file.

The primary result is written first: all that is fitted takes it as an input.
"""

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
    fill_documents,
    leave_out_copies,
    list_cohort,
    predict_cohort,
    refuse_known_patients,
    take_internal,
)
from covid_cxr.pipelines.score_evaluation import titled
from covid_cxr.pipelines.wiring import node
from covid_cxr.radiographs.crops import list_unmatched_crops
from covid_cxr.report.external_html import SHOWN, write_external
from covid_cxr.report.score_figures import (
    draw_decision_curves,
    draw_reliability_curves,
)
from covid_cxr.sources.adapters import RSNA_MAPPING, SOURCES
from covid_cxr.study.current import current

_ASKED, _REPORTING = "params:external", "params:reporting"
_SETTINGS = (_REPORTING, "params:evaluation")
_PRIMARY = ("flow", "discrimination", "operating", "calibration", "hypotheses")
_EXPORTED = ("case_mix", "standardised", "subgroups", "score_quantiles", "shortcuts")
_SALT = "pseudonym_salt"
_OF_PATH = ("scores", "provenance")
_FITTED_LAST = ("membership", "recalibration")
_TOLD = (  # in the documents
    *("flow", "discrimination", "operating", "calibration", "hypotheses", "flags"),
    *("case_mix", "standardised", "subgroups", "shortcuts", *_FITTED_LAST),
)


def create_pipeline() -> Pipeline:
    """Return the pipeline; it takes bundles, a cohort, and the study if it is here."""
    return Pipeline([*_predict(), *_judge(), *_look_closer(), *_tell()])


def create_protocol_pipeline() -> Pipeline:
    """Return the pipeline that drafts the protocol."""
    return Pipeline(
        [
            node(describe_bundles, "external_classifiers", **_of("bundles")),
            node(draft_protocol, "external_protocol", **_of("classifiers")),
        ]
    )


def _of(*names: str) -> dict[str, str]:
    """Return the external datasets that arguments are called after."""
    return {name: f"external_{name}" for name in names}


def _results(*names: str) -> dict[str, str]:
    """Return the tables of results that arguments are called after."""
    return {name: f"external_{name}_results" for name in names}


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
        node(describe_bundles, "external_classifiers", **_of("bundles")),
        node(
            list_cohort,
            ["external_listed", "external_unusable"],
            _ASKED,
            rsna_mapping=RSNA_MAPPING,
            **_of("manifest", "images", "classifiers"),
        ),
        node(
            refuse_known_patients,
            "external_known",
            **_of("listed"),
            **splits,
            **salts,
        ),
        node(
            list_unmatched_crops,
            "external_crops_unmatched",
            radiographs="external_known",
            **_of("crops", "images"),
        ),
        node(
            predict_cohort,
            ["external_predicted", "external_features"],
            "params:crop_matching",
            radiographs="external_known",
            **_of("bundles", "images", "crops", "crops_unmatched"),
        ),
        node(
            leave_out_copies,
            ["external_scores", "external_radiographs", "external_rejected"],
            **_of("predicted", "known", "unusable", "classifiers"),
        ),
        node(
            take_internal,
            ["external_internal", "external_described"],
            **_of("classifiers"),
            **known,
        ),
    ]


def _judge() -> list[Node]:
    """Return what needs no fit, up to the primary result."""
    primary = _results(*_PRIMARY)
    calibrated = _results("calibration", "reliability", "decision")
    protocol = "external_registered"
    return [
        node(
            read_protocol,
            protocol,
            text="external_protocol",
            **_of("classifiers"),
        ),
        node(tabulate_flow, primary["flow"], **_of("scores", "rejected")),
        node(
            tabulate_discrimination,
            primary["discrimination"],
            *_SETTINGS,
            **_of("scores", "internal"),
        ),
        node(
            tabulate_operating,
            primary["operating"],
            _REPORTING,
            **_of("scores", "classifiers"),
        ),
        node(
            tabulate_frozen_calibration,
            list(calibrated.values()),
            *_SETTINGS,
            **_of("scores"),
        ),
        node(
            judge_hypotheses,
            primary["hypotheses"],
            protocol=protocol,
            aurocs=primary["discrimination"],
            operating=primary["operating"],
        ),
        node(
            state_primary,
            "external_primary",
            _ASKED,
            protocol=protocol,
            **_of("manifest", "classifiers"),
            **primary,
        ),
    ]


def _look_closer() -> list[Node]:
    """Return case mix, shortcuts and recalibration, after the primary result."""
    closer = _results(*_EXPORTED, *_FITTED_LAST)
    cohorts = _of("radiographs", "described")
    return [
        node(
            tabulate_case_mix,
            closer["case_mix"],
            "params:evaluation",
            **cohorts,
            **_of("primary"),
        ),
        node(
            tabulate_standardised,
            closer["standardised"],
            *_SETTINGS,
            **cohorts,
            **_of("scores", "internal"),
        ),
        node(
            tabulate_membership,
            closer["membership"],
            *(_REPORTING, _ASKED),
            **cohorts,
            **_of("primary"),
        ),
        node(
            tabulate_external_subgroups,
            closer["subgroups"],
            *_SETTINGS,
            **_of("radiographs", "scores"),
        ),
        node(
            tabulate_score_quantiles,
            closer["score_quantiles"],
            **_of("scores", "internal"),
        ),
        node(
            find_shortcuts,
            closer["shortcuts"],
            *(_REPORTING, _ASKED),
            **_of("features", "radiographs", "primary"),
        ),
        node(
            recalibrate_at_site,
            closer["recalibration"],
            *(_REPORTING, _ASKED),
            **_of("primary", "scores"),
        ),
    ]


def _tell() -> list[Node]:
    """Return what leaves the site, and what a reader sees."""
    cohorts = _results("cohorts", "pooled")
    return [
        node(
            export_aggregates,
            "external_aggregates",
            _ASKED,
            **_of("primary"),
            **_results(*_EXPORTED, *_FITTED_LAST),
        ),
        node(
            gather_cohorts,
            cohorts["cohorts"],
            **_of("primary", "aggregates", "exports"),
        ),
        node(pool_cohorts, cohorts["pooled"], _REPORTING, **_results("cohorts")),
        node(
            draw_cohorts,
            "external_cohorts_figure",
            **_results("discrimination"),
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
            protocol="external_registered",
            **_results("discrimination", "shortcuts"),
            **_of("scores", "classifiers", "rejected"),
        ),
        node(write_external, "external_report", _REPORTING, **_of("primary", *SHOWN)),
        node(
            fill_documents,
            ["external_tripod_ai", "external_probast_ai"],
            _REPORTING,
            **_of("primary", "radiographs"),
            **{f"{name}_results": f"external_{name}_results" for name in _TOLD},
        ),
    ]
