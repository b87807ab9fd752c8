"""The HTML file of an external validation."""

from collections.abc import Mapping
from typing import Any

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.report import wording
from covid_cxr.report.html import make_environment

# What it shows, by the ending of the dataset's name.
SHOWN = (
    *("flags_results", "flow_results", "discrimination_results"),
    *("hypotheses_results", "operating_results", "calibration_results"),
    *("case_mix_results", "membership_results", "standardised_results"),
    *("subgroups_results", "shortcuts_results", "score_quantiles_results"),
    *("recalibration_results", "cohorts_results", "pooled_results"),
    *("cohorts_figure", "reliability_figure", "decision_figure"),
)


def write_external(
    primary: Mapping[str, Any], reporting: Reporting, **shown: Any
) -> str:
    """Return the whole file as text.

    Args:
        primary: The primary result, for the cohort and its protocol.
        reporting: For the level.
        shown: Tables and figures, by `SHOWN`.
    """
    template = make_environment().get_template("external.html.jinja")
    return template.render(shown, primary=primary, reporting=reporting, wording=wording)
