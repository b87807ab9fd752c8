"""What the report shows of further measures, and of how well a threshold is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.evaluation.calibration_tables import AS_IT_IS, PLATT
from covid_cxr.figures import note, smooth_calibration
from covid_cxr.figures.palette import classifier_colours
from covid_cxr.report import wording
from covid_cxr.report.score_figures import panel_per_finding

_NO_CURVE = (
    "A smooth curve needs probabilities on [0, 1] that do not separate the classes."
)
_AFTER = {AS_IT_IS: "as it is", PLATT: "after Platt's map"}


@dataclass(frozen=True, kw_only=True)
class MeasureTables:
    """What the section shows.

    Attributes:
        measure_results: From `evaluation.further_measures`.
        measure_pair_results: Likewise.
        threshold_results: From `evaluation.thresholds`.
        smooth_figure: PNG file.
    """

    measure_results: pd.DataFrame
    measure_pair_results: pd.DataFrame
    threshold_results: pd.DataFrame
    smooth_figure: bytes

    @property
    def has_probabilities(self) -> bool:
        """Whether anything is about probabilities."""
        return bool(self.measure_results["recalibration"].notna().any())


@panel_per_finding
def draw_smooth_calibration(curves: pd.DataFrame, *, are_paths: bool) -> Any:
    """Return the smooth calibration curves, as outputs are, as a matplotlib `Figure`.

    Args:
        curves: From `tabulate_measures`.
        are_paths: Whether the classifiers are the paths.
    """
    as_it_is = curves[curves["recalibration"] == AS_IT_IS]
    if as_it_is.empty:
        return note.draw_note(_NO_CURVE)
    names = list(map(str, as_it_is["classifier"].unique()))
    titles = {name: wording.classifier(name) if are_paths else name for name in names}
    colours = classifier_colours(names, are_paths=are_paths)
    groups = as_it_is.groupby("classifier", sort=False)
    return smooth_calibration.draw_smooth_curves(
        {titles[str(name)]: rows for name, rows in groups},
        colours={titles[name]: colour for name, colour in colours.items()},
    )


def measure_in_words(row: Mapping[str, Any]) -> str:
    """Return what a row of measures is, with the number that it depends on.

    Args:
        row: With `measure`, `at` and `recalibration`.
    """
    at = f"{row['at']:g}"
    specific = f"Partial AUROC, false-positive rate 0 to {at}"
    sensitive = f"Partial AUROC, sensitivity {at} to 1"
    words = {
        "partial_auroc": f"{specific}: mean sensitivity",
        "partial_auroc_corrected": f"{specific}, corrected (chance 0.5)",
        "sensitive_auroc": f"{sensitive}: mean specificity",
        "sensitive_auroc_corrected": f"{sensitive}, corrected (chance 0.5)",
        "sensitivity": f"Sensitivity at a specificity of {at}",
        "net_benefit": f"Net benefit at a threshold of {at}",
        "brier": "Brier score",
        "ece": f"ECE, {at} bins",
        "ici": "ICI",
    }
    after = _AFTER.get(row["recalibration"])
    return words[row["measure"]] + (f", {after}" if after else "")
