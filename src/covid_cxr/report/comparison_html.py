"""The HTML file of a comparison of anybody's classifiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.report import wording
from covid_cxr.report.evaluation import Evaluation
from covid_cxr.report.html import as_data_uri, as_fragment, make_environment
from covid_cxr.report.reporting import Reporting


@dataclass(frozen=True, kw_only=True)
class ComparisonContents:
    """What the file shows; tables without rows stand for what cannot be known.

    Attributes:
        reporting: Level and significance.
        evaluation: Settings of the evaluation.
        aurocs: From `aurocs.tabulate_aurocs`.
        pairs: From `comparisons.compare_classifiers`.
        adjusted: From `comparisons.adjust_comparisons`.
        operating: From `operating.tabulate_operating_points`.
        calibration: From `calibration.tabulate_calibration`.
        images: PNG files: `reliability_figure` and `decision_figure`, if drawn.
        roc: Plotly figure of the ROC curves.
    """

    reporting: Reporting
    evaluation: Evaluation
    aurocs: pd.DataFrame
    pairs: pd.DataFrame
    adjusted: pd.DataFrame
    operating: pd.DataFrame
    calibration: pd.DataFrame
    images: Mapping[str, bytes]
    roc: Any


def write_comparison(contents: ComparisonContents) -> str:
    """Return the whole file as text."""
    template = make_environment().get_template("comparison.html.jinja")
    return str(
        template.render(
            contents=contents,
            images={name: as_data_uri(png) for name, png in contents.images.items()},
            roc=as_fragment(contents.roc),
            wording=wording,
        )
    )
