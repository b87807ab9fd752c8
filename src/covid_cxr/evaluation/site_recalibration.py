"""Exploratory: what recalibrating a frozen classifier at the new site would give.

The lowest rungs of the ladder of updating (Steyerberg, Clinical Prediction Models,
2nd ed., ch. 20): in the large (the intercept), and logistic (intercept and slope). Each
is fitted to half of the patients and judged on the other half, beside no updating.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.evaluation.arranged_scores import no_rows
from covid_cxr.evaluation.case_mix import split_halves
from covid_cxr.evaluation.external_scores import (
    CLASSIFIER,
    ExternalValidation,
    by_classifier,
    calibration_row,
)
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.statistics.auc import as_codes
from covid_cxr.statistics.calibration import (
    Recalibration,
    fit_in_the_large,
    fit_platt,
)

_FITS = {
    "none": lambda _truth, _values: Recalibration(slope=1.0, intercept=0.0),
    "in the large": fit_in_the_large,
    "logistic": fit_platt,
}


def recalibrate_at_site(
    scores: pd.DataFrame,
    primary: Mapping[str, Any],
    *,
    reporting: Reporting,
    external: ExternalValidation,
) -> pd.DataFrame:
    """Return calibration on half of the patients, before and after each map.

    Columns: `classifier`, `recalibration`, `map_slope`, `map_intercept`,
    `fitted_patients`, `tested_patients`, those of `calibration_row`, and `reason` where
    a map cannot be fitted or judged. No rows without calibrated probabilities.

    Args:
        scores: From `predict_cohort`.
        primary: The primary result, which is written before anything is fitted.
        reporting: For the level of the intervals.
        external: For the seed.
    """
    rows: list[dict[str, Any]] = []
    for name, own in by_classifier(scores):
        known = own[own["probability"].notna()]
        if name not in primary["classifiers"] or known.empty:
            continue
        is_fitted = split_halves(
            known["patient_id"].to_numpy(object),
            known["is_case"].to_numpy(bool),
            seed=external.seed,
        )
        halves = known[is_fitted], known[~is_fitted]
        sizes = {
            "fitted_patients": halves[0]["patient_id"].nunique(),
            "tested_patients": halves[1]["patient_id"].nunique(),
        }
        for kind in _FITS:
            found = _judge(kind, *halves, reporting)
            rows.append({CLASSIFIER: name, "recalibration": kind, **sizes, **found})
    return pd.DataFrame(rows) if rows else no_rows()


def _judge(
    kind: str, fitted: pd.DataFrame, tested: pd.DataFrame, reporting: Reporting
) -> dict[str, Any]:
    truth = tested["is_case"].to_numpy(bool)
    codes = as_codes(tested["patient_id"].to_numpy(object), len(tested))
    try:
        line = _FITS[kind](fitted["is_case"].to_numpy(bool), fitted["probability"])
        row = calibration_row(
            truth, line.apply(tested["probability"]), codes, reporting
        )
    except ValueError as error:
        return {"reason": str(error)}
    return {"map_slope": line.slope, "map_intercept": line.intercept, **row}
