"""Calibration of the classifiers' outputs, as they are and recalibrated.

Recalibration is fitted on the validation part and judged on the test part.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.evaluation.arranged_scores import no_rows, parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.scored_part import ScoredPart
from covid_cxr.statistics.auc import normal_quantile
from covid_cxr.statistics.calibration import (
    CalibrationEstimates,
    Recalibration,
    estimate_recalibrated,
    fit_platt,
    fit_temperature,
    reliability_curve,
)
from covid_cxr.statistics.decision_curve import trace_decision_curve
from covid_cxr.statistics.threads import in_threads

AS_IT_IS, TEMPERATURE, PLATT = "none", "temperature", "platt"
THRESHOLDS = np.linspace(0.01, 0.99, 99)  # of the decision curves

_DECIDED = ["slope", "intercept"]
_SEEN = 0.001  # of a slope or intercept: the last digit that is printed

_IDENTITY = Recalibration(slope=1.0, intercept=0.0)
_FITS = {TEMPERATURE: fit_temperature, PLATT: fit_platt}


@per_finding
def calibrate(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return calibration estimates, reliability curves and decision curves.

    No rows where the scores are no probabilities, or there is no validation part.

    Args:
        scores: As arranged.
        reporting: For the level of the intervals.
        evaluation: For the number of bins.
    """
    parts = parts_of(scores)
    validation, test = parts.validation, parts.test
    if validation is None or not (
        validation.are_probabilities and test.are_probabilities
    ):
        return no_rows(), no_rows(), no_rows()
    return (
        tabulate_calibration(validation, test, reporting=reporting),
        trace_reliability(validation, test, reporting=reporting, evaluation=evaluation),
        trace_decisions(validation, test),
    )


def tabulate_calibration(
    validation: ScoredPart, test: ScoredPart, *, reporting: Reporting
) -> pd.DataFrame:
    """Return Brier score, calibration slope and intercept on the test part.

    One row per classifier and recalibration ("none", "temperature", "platt"); NaN
    where validation separates the classes, so that no map is best. `n_certain` counts
    the test part's outputs of exactly 0 or 1 and `n_certain_validation` those behind
    the map, whose log odds are held at those of 1e-12; `is_decided_by_certain` is true
    where holding them at 1e-6 would move the slope or the intercept.

    Args:
        validation: Where recalibration is fitted.
        test: Where it is judged.
        reporting: For the level of the intervals.
    """
    reach = normal_quantile(reporting.level)
    table = _calibrate(validation, test, reach)
    behind_the_map = table["classifier"].map(validation.is_certain.sum())
    return table.assign(
        n_certain=table["classifier"].map(test.is_certain.sum()),
        n_certain_validation=behind_the_map.where(
            table["recalibration"] != AS_IT_IS, 0
        ),
        is_decided_by_certain=_is_decided(table, validation, test, reach),
    )


def trace_reliability(
    validation: ScoredPart,
    test: ScoredPart,
    *,
    reporting: Reporting,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return the bins of the reliability curves on the test part.

    Columns: `classifier`, `recalibration`, `n_images`, `mean_probability`,
    `share_of_cases`, `lower` and `upper` (clustered by patient).

    Args:
        validation: Where recalibration is fitted.
        test: Where it is judged.
        reporting: For the level of the intervals.
        evaluation: For the number of bins.
    """
    maps = [
        (name, recalibration, line)
        for name, recalibration, line in _recalibrations(validation)
        if line is not None
    ]
    curves = in_threads(
        lambda of: reliability_curve(
            test.is_case,
            of[2].apply(test.scores[of[0]]),
            cluster=test.clusters,
            n_bins=evaluation.calibration_bins,
            level=reporting.level,
        ),
        maps,
        n_images=len(test.is_case),
    )
    return pd.DataFrame(
        [
            {"classifier": name, "recalibration": recalibration, **vars(found)}
            for (name, recalibration, _), curve in zip(maps, curves, strict=True)
            for found in curve
        ]
    )


def trace_decisions(validation: ScoredPart, test: ScoredPart) -> pd.DataFrame:
    """Return the net benefit of each classifier on the test part, by threshold.

    Platt's map is applied where it exists: decisions need calibrated probabilities.
    Columns: `classifier`, `threshold`, `net_benefit`, `net_benefit_of_everybody`.

    Args:
        validation: Where recalibration is fitted.
        test: Where it is judged.
    """
    tables = []
    lines = {(name, kind): line for name, kind, line in _recalibrations(validation)}
    for name in test.scores.columns:
        line = lines[name, PLATT] or _IDENTITY
        curve = trace_decision_curve(
            test.is_case, line.apply(test.scores[name]), thresholds=THRESHOLDS
        )
        tables.append(
            pd.DataFrame(
                {
                    "classifier": name,
                    "threshold": curve.thresholds,
                    "net_benefit": curve.model,
                    "net_benefit_of_everybody": curve.everybody,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def recalibrated(validation: ScoredPart, test: ScoredPart) -> pd.DataFrame:
    """Return the test part's probabilities after Platt's map, as `scores`.

    Without a column of a classifier that has none, since validation separates the
    classes.

    Args:
        validation: Where the maps are fitted.
        test: Whose probabilities they are.
    """
    return pd.DataFrame(
        {
            name: line.apply(test.scores[name])
            for name, kind, line in _recalibrations(validation)
            if kind == PLATT and line is not None
        },
        index=test.scores.index,
    )


@lru_cache(maxsize=1)  # of one part, that three tables ask for
def _recalibrations(
    validation: ScoredPart,
) -> tuple[tuple[str, str, Recalibration | None], ...]:
    """Return classifier, kind and map; None where no map is best."""
    return tuple(_fit_all(validation))


def _fit_all(
    validation: ScoredPart,
) -> Iterator[tuple[str, str, Recalibration | None]]:
    for name in validation.scores.columns:
        yield name, AS_IT_IS, _IDENTITY
        for kind, fit in _FITS.items():
            try:
                line = fit(validation.is_case, validation.scores[name])
            except ValueError:
                yield name, kind, None
            else:
                yield name, kind, line


def _calibrate(validation: ScoredPart, test: ScoredPart, reach: float) -> pd.DataFrame:
    """Return the table without what is said of certain outputs."""
    maps = _recalibrations(validation)
    names = test.scores.columns
    measures = in_threads(
        lambda name: _measures(
            test, name, [line for of, _, line in maps if of == name], reach
        ),
        names,
        n_images=len(test.is_case),
    )
    return pd.DataFrame(
        [
            {"classifier": name, "recalibration": recalibration, **measured}
            for (name, recalibration, _), measured in zip(
                maps, chain.from_iterable(measures), strict=True
            )
        ]
    )


def _is_decided(
    table: pd.DataFrame, validation: ScoredPart, test: ScoredPart, reach: float
) -> NDArray[np.bool_]:
    """Return which rows of `table` would be seen to be others with less certainty."""
    if not (validation.is_certain.any(axis=None) or test.is_certain.any(axis=None)):
        return np.zeros(len(table), dtype=bool)
    elsewhere = _calibrate(
        validation.with_less_certain(), test.with_less_certain(), reach
    )
    return _differ(table, elsewhere)


def _differ(table: pd.DataFrame, other: pd.DataFrame) -> NDArray[np.bool_]:
    """Return where slope or intercept are seen to be others, or known in one only."""
    measures = table.reindex(columns=_DECIDED).to_numpy(np.float64)
    others = other.reindex(columns=_DECIDED).to_numpy(np.float64)
    is_alike = np.isclose(measures, others, rtol=0, atol=_SEEN, equal_nan=True)
    return np.asarray(~is_alike.all(axis=1))


def _measures(
    test: ScoredPart, name: str, lines: Sequence[Recalibration | None], reach: float
) -> list[dict[str, float]]:
    """Return what is measured after each map; nothing where there is none."""
    known = [line for line in lines if line is not None]
    found = estimate_recalibrated(
        test.is_case, test.scores[name], known, cluster=test.clusters
    )
    return [
        {} if line is None else _columns(line, next(found), reach) for line in lines
    ]


def _columns(
    line: Recalibration, found: CalibrationEstimates, reach: float
) -> dict[str, float]:
    told = {"map_slope": line.slope, "map_intercept": line.intercept}
    return told | calibration_columns(found, reach)


def calibration_columns(found: CalibrationEstimates, reach: float) -> dict[str, float]:
    """Return Brier score, slope and intercept with their bounds.

    Args:
        found: From `estimate_calibration`.
        reach: Standard errors on either side of an estimate.
    """
    return {
        "brier": found.brier,
        "slope": found.slope,
        "slope_lower": found.slope - reach * found.slope_error,
        "slope_upper": found.slope + reach * found.slope_error,
        "intercept": found.intercept,
        "intercept_lower": found.intercept - reach * found.intercept_error,
        "intercept_upper": found.intercept + reach * found.intercept_error,
    }
