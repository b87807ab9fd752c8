"""The HTML file of a plan: how many patients, what for, and what was expected."""

import pandas as pd

from covid_cxr.evaluation.planning import Planning
from covid_cxr.report.html import make_environment

_EXPECTED = {
    "auroc": "AUROC",
    "auroc_correlation": "correlation of two classifiers' AUROCs",
    "share_of_cases": "share of radiographs with the finding",
    "images_per_patient": "radiographs per patient",
    "design_effect": "design effect: variance by patient over that of independent "
    "radiographs",
}
_VARIANCES = {
    "binormal": "that of the empirical AUROC of normal scores with one variance",
    "hanley_mcneil": "that of Hanley and McNeil (Radiology 1982;143:29)",
    "obuchowski": "that of Obuchowski (Acad Radiol 1994;1:22), as in pROC",
}


def write_plan(
    planned: pd.DataFrame,
    expected: pd.DataFrame,
    figure: bytes,
    planning: Planning,
) -> str:
    """Return the whole file as text; `figure` is the PNG of the curves."""
    return (
        make_environment()
        .get_template("planning.html.jinja")
        .render(
            planned=planned,
            expected=expected,
            named=_EXPECTED,
            figure=figure,
            variance=_VARIANCES[planning.variance],
        )
    )
