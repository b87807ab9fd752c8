"""What a page shows where the labels come from a test that errs."""

from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from covid_cxr.evaluation.imperfect_labels import StatedReference
from covid_cxr.figures import note, tipping
from covid_cxr.report.score_figures import panel_per_finding

_NOTHING = "Nothing is corrected: no reference is stated, or no threshold was chosen."


@dataclass(frozen=True, kw_only=True)
class ReferenceTables:
    """What the section shows; tables without rows where nothing is corrected.

    Attributes:
        reference_results: From `evaluation.imperfect_labels`.
        tipping_results: Likewise.
        tipping_figure: PNG file.
    """

    reference_results: pd.DataFrame
    tipping_results: pd.DataFrame
    tipping_figure: bytes


@dataclass(frozen=True, kw_only=True)
class UnlabelledTables:
    """What the section on radiographs without a label shows; without rows if none is.

    Attributes:
        unlabelled_auroc_results: From `evaluation.imperfect_labels`.
        verification_results: Likewise.
    """

    unlabelled_auroc_results: pd.DataFrame
    verification_results: pd.DataFrame


REFERENCE_DATASETS = tuple(field.name for field in fields(ReferenceTables))


@panel_per_finding
def draw_tipping_points(
    curves: pd.DataFrame, auroc: pd.DataFrame, *, reference: StatedReference
) -> Any:
    """Return the tipping-point figure of the classifier that validation chose.

    Args:
        curves: From `correct_labels`.
        auroc: From `tabulate_aurocs`; says which classifier that is.
        reference: What is stated.
    """
    chosen = auroc.loc[auroc["is_chosen"].astype(bool), "classifier"]
    own = curves[curves["classifier"].isin(chosen)]
    if own.empty or reference.sensitivity is None:
        return note.draw_note(_NOTHING)
    return tipping.draw_tipping(own, stated=reference.sensitivity)
