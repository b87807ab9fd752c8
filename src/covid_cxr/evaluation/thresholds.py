"""Operating points: chosen on validation, judged on test."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from covid_cxr.evaluation.arranged_scores import no_rows, parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.scored_part import ScoredPart
from covid_cxr.statistics.operating_points import (
    ChosenThreshold,
    OperatingPerformance,
    choose_threshold,
    choose_youden_threshold,
    perform_at,
)
from covid_cxr.statistics.roc import trace_roc, trace_rocs

YOUDEN, SENSITIVITY = "youden", "sensitivity"

_ENDS = ("", "_lower", "_upper")


@per_finding
def tabulate_operating_points(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return how each classifier performs at thresholds that validation chose.

    One row per classifier, rule ("youden", or "sensitivity" for `target_sensitivity`)
    and prevalence. Intervals are clustered by patient; `ppv` and `npv` are those at
    `prevalence`, not at the share of cases in the test part.

    Args:
        scores: As arranged; no row where validation does not have both classes.
        reporting: For the level of the intervals.
        evaluation: For the target sensitivity and the prevalences.
    """
    parts = parts_of(scores)
    validation, test = parts.validation, parts.test
    if validation is None or not validation.has_both_classes:
        return no_rows()
    targets = {YOUDEN: np.nan, SENSITIVITY: evaluation.target_sensitivity}
    rows = []
    for name in test.scores.columns:
        thresholds = choose_thresholds(validation, name, evaluation)
        for rule, threshold in thresholds.items():
            performance = perform_at(
                test.is_case,
                test.scores[name],
                threshold=threshold,
                cluster=test.clusters,
            )
            shares = _shares(performance, reporting.level)
            rows += [
                {
                    "classifier": name,
                    "rule": rule,
                    "target_sensitivity": targets[rule],
                    "threshold": threshold,
                    **shares,
                    "prevalence": prevalence,
                    **_predictive_values(performance, prevalence, reporting.level),
                }
                for prevalence in evaluation.prevalences
            ]
    return pd.DataFrame(rows)


@per_finding
def tabulate_threshold_uncertainty(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return how well the thresholds that validation chose are known.

    Three rows per classifier and rule: the threshold, and both ends of its interval by
    patient (Woodruff's of the target sensitivity; of Youden's index all that are not
    told from the best), each with the sensitivity and specificity that it has on the
    test part. Plus and minus infinity, which call nothing and everything, where the
    validation part does not bound it.

    Args:
        scores: As arranged; no row where validation does not have both classes.
        reporting: For the level of the intervals.
        evaluation: For the target sensitivity.
    """
    parts = parts_of(scores)
    validation, test = parts.validation, parts.test
    if validation is None or not validation.has_both_classes:
        return no_rows()
    targets = {SENSITIVITY: evaluation.target_sensitivity, YOUDEN: np.nan}
    rows = []
    for name, rule in product(test.scores.columns, targets):
        chosen = _choose(validation, name, targets[rule], reporting.level)
        rows += [
            {
                "classifier": name,
                "rule": rule,
                "target_sensitivity": targets[rule],
                "end": end,
                "threshold": threshold,
                **_shares(
                    perform_at(
                        test.is_case,
                        test.scores[name],
                        threshold=threshold,
                        cluster=test.clusters,
                    ),
                    reporting.level,
                ),
            }
            for end, threshold in (
                ("chosen", chosen.threshold),
                ("lower", chosen.lower),
                ("upper", chosen.upper),
            )
        ]
    return pd.DataFrame(rows)


def choose_thresholds(
    validation: ScoredPart, name: str, evaluation: Evaluation
) -> dict[str, float]:
    """Return the thresholds of a classifier by the rule that chose each.

    Args:
        validation: With both classes.
        name: Of the classifier.
        evaluation: For the target sensitivity.
    """
    curve = trace_roc(validation.is_case, validation.scores[name])
    return {
        YOUDEN: curve.youden_threshold(),
        SENSITIVITY: curve.threshold_of_sensitivity(evaluation.target_sensitivity),
    }


def youden_thresholds(validation: ScoredPart) -> dict[str, float]:
    """Return the threshold of Youden's index of each classifier, by its name.

    Args:
        validation: With both classes.
    """
    curves = trace_rocs(validation.is_case, validation.scores)
    return {name: curve.youden_threshold() for name, curve in curves.items()}


def _choose(
    validation: ScoredPart, name: str, target: float, level: float
) -> ChosenThreshold:
    """Return the threshold of a target sensitivity, or of Youden's index for NaN."""
    known = (validation.is_case, validation.scores[name])
    given: dict[str, Any] = {"cluster": validation.clusters, "level": level}
    if np.isnan(target):
        return choose_youden_threshold(*known, **given)
    return choose_threshold(*known, sensitivity=target, **given)


def _shares(performance: OperatingPerformance, level: float) -> dict[str, float]:
    columns: dict[str, float] = {}
    for name in ("sensitivity", "specificity"):
        share = getattr(performance, name)
        lower, upper = share.interval(level)
        columns |= {name: share.estimate, f"{name}_lower": lower}
        columns |= {f"{name}_upper": upper}
    return columns


def _predictive_values(
    performance: OperatingPerformance, prevalence: float, level: float
) -> dict[str, float]:
    positive = performance.positive_predictive_value(prevalence, level)
    negative = performance.negative_predictive_value(prevalence, level)
    names = [f"{value}{end}" for value in ("ppv", "npv") for end in _ENDS]
    return dict(zip(names, np.r_[positive, negative].tolist(), strict=True))
