"""Parts of the ROC curve and what probabilities are worth, each with its interval."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.evaluation.arranged_scores import parts_of
from covid_cxr.evaluation.calibration_tables import AS_IT_IS, PLATT, recalibrated
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.scored_part import ScoredPart, ScoredParts
from covid_cxr.statistics.auc import AucEstimates
from covid_cxr.statistics.clustered_mean import ClusteredMean, clustered_mean
from covid_cxr.statistics.partial_aucs import (
    estimate_partial_aucs,
    estimate_sensitivities,
    estimate_specificity_parts,
)
from covid_cxr.statistics.probability_scores import (
    brier_values,
    calibration_error_values,
    net_benefit_values,
)
from covid_cxr.statistics.smooth_calibration import (
    fit_smooth_calibration,
    integrated_calibration_values,
)

SPECIFIC, SPECIFIC_CORRECTED = "partial_auroc", "partial_auroc_corrected"
SENSITIVE, SENSITIVE_CORRECTED = "sensitive_auroc", "sensitive_auroc_corrected"
SENSITIVITY, NET_BENEFIT, BRIER = "sensitivity", "net_benefit", "brier"
ECE, ICI = "ece", "ici"

Floats = NDArray[np.float64]

_KEYS = ["measure", "at", "recalibration"]
_MEASURED = [*_KEYS, "classifier", "estimate", "lower", "upper", "p_calibrated"]
_PAIRED = [*_KEYS, "first", "second", "difference", "lower", "upper", "p_value"]
_CURVE = ["classifier", "recalibration", "probability", "share", "lower", "upper"]
_N_CURVE = 60  # probabilities on a curve


@per_finding
def tabulate_measures(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every further measure of each classifier, and of every pair.

    Rows of the first have a `measure`, where it is told (`at`: the end of the range,
    the specificity, the threshold or the number of bins), the `recalibration` of the
    probabilities it is about (missing for parts of the ROC curve, "none" or "platt"
    otherwise), and an interval by patient; beside the ICI stands `p_calibrated`, of
    "the smooth curve is the diagonal". Rows of the second have the paired difference
    and its two-sided p value. NaN where patients or scores do not say.

    Args:
        scores: As arranged; only parts of the curve where scores are no probabilities.
        reporting: For the level of the intervals.
        evaluation: For ranges, thresholds and bins.
    """
    parts = parts_of(scores)
    names = list(map(str, parts.test.scores))
    level = reporting.level
    measured, paired = [], []
    for of, found in _all(parts, evaluation):
        measured += [
            {**of, "classifier": name, **found.row(k, level)}
            for k, name in enumerate(names)
        ]
        paired += [
            {**of, "first": names[i], "second": names[j], **found.pair_row(i, j, level)}
            for i, j in combinations(range(len(names)), 2)
        ]
    return (
        pd.DataFrame(measured, columns=_MEASURED),
        pd.DataFrame(paired, columns=_PAIRED),
    )


@per_finding
def trace_smooth_calibration(
    scores: pd.DataFrame, *, reporting: Reporting
) -> pd.DataFrame:
    """Return smooth calibration curves with bands by patient.

    Between the first and the last percentile of what each classifier says, as it is
    and after Platt's map. No rows where scores are no probabilities, or a curve would
    separate the classes.

    Args:
        scores: As arranged.
        reporting: For the level of the bands.
    """
    parts = parts_of(scores)
    test = parts.test
    curves = []
    for kind, table in _probabilities(parts).items():
        for name, values in table.items():
            try:
                curve = fit_smooth_calibration(
                    test.is_case, values, cluster=test.clusters
                )
            except ValueError:
                continue
            first, last = map(float, np.quantile(values, (0.01, 0.99)))
            grid = np.linspace(first, last, _N_CURVE)
            lower, upper = curve.band(grid, reporting.level)
            curves.append(
                pd.DataFrame(
                    {
                        "classifier": name,
                        "recalibration": kind,
                        "probability": grid,
                        "share": curve.at(grid),
                        "lower": lower,
                        "upper": upper,
                    }
                )
            )
    return pd.concat(curves, ignore_index=True)[_CURVE] if curves else _no_curve()


@dataclass(frozen=True, kw_only=True)
class _Areas:
    """What is known of parts of the ROC curve of k classifiers."""

    estimates: AucEstimates

    def row(self, k: int, level: float) -> dict[str, float]:
        lower, upper = self.estimates.interval(level, "logit")[k]
        return {"estimate": self.estimates.auc[k], "lower": lower, "upper": upper}

    def pair_row(self, i: int, j: int, level: float) -> dict[str, float]:
        found = self.estimates.compare(i, j)
        lower, upper = found.interval(level)
        return {
            "difference": found.estimate,
            "lower": lower,
            "upper": upper,
            "p_value": found.p_value,
        }


@dataclass(frozen=True, kw_only=True)
class _Means:
    """Values whose means over images are the measures of k classifiers.

    Attributes:
        values: Of each classifier, shape (n,); None where there is no such measure.
        patients: Of each image, shape (n,).
        p_values: Of each classifier, of being calibrated; none for other measures.
        least: Below which the measure cannot be, and no bound of it is.
    """

    values: list[Floats | None]
    patients: NDArray[np.int64]
    p_values: tuple[float, ...] = ()
    least: float = -np.inf

    def row(self, k: int, level: float) -> dict[str, float]:
        found = self._mean(self.values[k])
        row = {} if found is None else _of_mean(found, level, "estimate")
        if row:
            row["lower"] = float(np.maximum(row["lower"], self.least))
        return {**row, **({"p_calibrated": self.p_values[k]} if self.p_values else {})}

    def pair_row(self, i: int, j: int, level: float) -> dict[str, float]:
        first, second = self.values[i], self.values[j]
        if first is None or second is None:
            return {}
        found = clustered_mean(first - second, self.patients)
        return {**_of_mean(found, level, "difference"), "p_value": found.p_value}

    def _mean(self, values: Floats | None) -> ClusteredMean | None:
        return None if values is None else clustered_mean(values, self.patients)


def _of_mean(found: ClusteredMean, level: float, name: str) -> dict[str, float]:
    lower, upper = found.interval(level)
    return {name: found.estimate, "lower": lower, "upper": upper}


Found = tuple[dict[str, Any], _Areas | _Means]


def _all(parts: ScoredParts, evaluation: Evaluation) -> Iterator[Found]:
    yield from _parts_of_the_curve(parts.test, evaluation)
    for kind, table in _probabilities(parts).items():
        yield from _of_probabilities(parts.test, table, kind, evaluation)


def _parts_of_the_curve(test: ScoredPart, evaluation: Evaluation) -> Iterator[Found]:
    given: dict[str, Any] = {
        "is_case": test.is_case,
        "scores": test.scores,
        "cluster": test.clusters,
    }
    end, start = evaluation.max_false_positive_rate, evaluation.least_sensitivity
    for measure, is_corrected in ((SPECIFIC, False), (SPECIFIC_CORRECTED, True)):
        area = estimate_partial_aucs(
            **given,
            false_positive_rates=(0, end),
            is_corrected=is_corrected,
        )
        yield {"measure": measure, "at": end}, _Areas(estimates=area)
    for measure, is_corrected in ((SENSITIVE, False), (SENSITIVE_CORRECTED, True)):
        area = estimate_specificity_parts(
            **given,
            sensitivities=(start, 1),
            is_corrected=is_corrected,
        )
        yield {"measure": measure, "at": start}, _Areas(estimates=area)
    points = estimate_sensitivities(**given, specificity=evaluation.specificity)
    of = {"measure": SENSITIVITY, "at": evaluation.specificity}
    yield of, _Areas(estimates=points)


def _probabilities(parts: ScoredParts) -> dict[str, pd.DataFrame]:
    """Return the test part's probabilities as they are and after Platt's map.

    None where scores are no probabilities; of the map only classifiers that have one.
    """
    validation, test = parts.validation, parts.test
    if not test.are_probabilities:
        return {}
    found = {AS_IT_IS: test.scores}
    if (
        validation is not None
        and validation.has_both_classes
        and validation.are_probabilities
    ):
        found[PLATT] = recalibrated(validation, test)
    return found


def _of_probabilities(
    test: ScoredPart, table: pd.DataFrame, kind: str, evaluation: Evaluation
) -> Iterator[Found]:
    measures: Mapping[str, Callable[..., Floats]] = {
        NET_BENEFIT: lambda truth, values: net_benefit_values(
            truth, values, threshold=evaluation.decision_threshold
        ),
        BRIER: brier_values,
        ECE: lambda truth, values: calibration_error_values(
            truth, values, n_bins=evaluation.calibration_bins
        ),
        ICI: integrated_calibration_values,
    }
    told_at = {
        NET_BENEFIT: evaluation.decision_threshold,
        ECE: evaluation.calibration_bins,
    }
    for measure, of_images in measures.items():
        values = [_values(of_images, test, table.get(name)) for name in test.scores]
        p_values: tuple[float, ...] = ()
        if measure == ICI:
            p_values = tuple(_p_calibrated(test, table.get(n)) for n in test.scores)
        yield (
            {"measure": measure, "at": told_at.get(measure), "recalibration": kind},
            _Means(
                values=values,
                patients=test.clusters,
                p_values=p_values,
                least=-np.inf if measure == NET_BENEFIT else 0.0,
            ),
        )


def _values(
    of_images: Callable[..., Floats], test: ScoredPart, values: pd.Series | None
) -> Floats | None:
    if values is None:
        return None
    try:
        return of_images(test.is_case, values)
    except ValueError:  # a curve would separate the classes
        return None


def _p_calibrated(test: ScoredPart, values: pd.Series | None) -> float:
    if values is None:
        return np.nan
    try:
        curve = fit_smooth_calibration(test.is_case, values, cluster=test.clusters)
    except ValueError:
        return np.nan
    return curve.p_value


def _no_curve() -> pd.DataFrame:
    return pd.DataFrame(columns=_CURVE)
