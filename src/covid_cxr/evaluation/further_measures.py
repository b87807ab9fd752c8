"""Parts of the ROC curve and what probabilities are worth, each with its interval."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from covid_cxr.statistics.clustered_mean import (
    ClusteredMean,
    ClusteredMeans,
    clustered_means,
)
from covid_cxr.statistics.partial_aucs import (
    estimate_partial_aucs,
    estimate_sensitivities,
    estimate_specificity_parts,
    with_correction,
)
from covid_cxr.statistics.probability_scores import (
    brier_values,
    calibration_error_values,
    net_benefit_values,
)
from covid_cxr.statistics.smooth_calibration import (
    SmoothCalibration,
    fit_smooth_calibration,
    integrated_calibration_values,
)
from covid_cxr.statistics.threads import in_threads

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
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return further measures of each classifier, of every pair, and smooth curves.

    Rows of the first have a `measure`, where it is told (`at`: the end of the range,
    the specificity, the threshold or the number of bins), the `recalibration` of the
    probabilities it is about (missing for parts of the ROC curve, "none" or "platt"
    otherwise), and an interval by patient; beside the ICI stands `p_calibrated`, of
    "the smooth curve is the diagonal". Rows of the second have the paired difference
    and its two-sided p value. NaN where patients or scores do not say. The third has
    the calibration curves with bands, between the first and the last percentile of
    what each classifier says; none where a curve would separate the classes.

    Args:
        scores: As arranged; only parts of the curve where scores are no probabilities.
        reporting: For the level of intervals and bands.
        evaluation: For ranges, thresholds and bins.
    """
    parts = parts_of(scores)
    names = list(map(str, parts.test.scores))
    level = reporting.level
    fitted = _fit_curves(parts)
    measured, paired = [], []
    for of, found in _all(parts, fitted, evaluation):
        measured += [
            {**of, "classifier": name, **found.row(k, level)}
            for k, name in enumerate(names)
        ]
        paired += [
            {**of, "first": names[i], "second": names[j], **found.pair_row(i, j, level)}
            for i, j in combinations(range(len(names)), 2)
        ]
    traced = [one.trace(level) for one in fitted if one.curve is not None]
    return (
        pd.DataFrame(measured, columns=_MEASURED),
        pd.DataFrame(paired, columns=_PAIRED),
        pd.concat(traced, ignore_index=True) if traced else _no_curve(),
    )


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """What a classifier says, recalibrated or not, and the curve of what happened.

    Attributes:
        name: Of the classifier.
        kind: Of recalibration.
        said: Probabilities, shape (n,); None where there is no map.
        curve: None where it would separate the classes, or there are no values.
    """

    name: str
    kind: str
    said: Floats | None
    curve: SmoothCalibration | None

    def trace(self, level: float) -> pd.DataFrame:
        if self.said is None or self.curve is None:
            return _no_curve()
        first, last = map(float, np.quantile(self.said, (0.01, 0.99)))
        grid = np.linspace(first, last, _N_CURVE)
        lower, upper = self.curve.band(grid, level)
        return pd.DataFrame(
            {
                "classifier": self.name,
                "recalibration": self.kind,
                "probability": grid,
                "share": self.curve.at(grid),
                "lower": lower,
                "upper": upper,
            }
        )


def _fit_curves(parts: ScoredParts) -> list[_Fitted]:
    """Return every classifier's curve, kind after kind of recalibration."""
    test = parts.test
    said = [
        (str(name), kind, table.get(name))
        for kind, table in _probabilities(parts).items()
        for name in test.scores
    ]
    return in_threads(
        lambda one: _fit_curve(test, *one), said, n_images=len(test.is_case)
    )


def _fit_curve(
    test: ScoredPart, name: str, kind: str, column: pd.Series | None
) -> _Fitted:
    if column is None:
        return _Fitted(name=name, kind=kind, said=None, curve=None)
    values = column.to_numpy(dtype=np.float64)
    try:
        curve = fit_smooth_calibration(test.is_case, values, cluster=test.clusters)
    except ValueError:  # it would separate the classes
        return _Fitted(name=name, kind=kind, said=values, curve=None)
    return _Fitted(name=name, kind=kind, said=values, curve=curve)


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
    """The measures of k classifiers that are means over images.

    Attributes:
        means: Of those that have the measure.
        places: Of each classifier among them; None of one without it.
        p_values: Of each classifier, of being calibrated; none for other measures.
        least: Below which the measure cannot be, and no bound of it is.
    """

    means: ClusteredMeans | None
    places: list[int | None]
    p_values: tuple[float, ...]
    least: float

    def row(self, k: int, level: float) -> dict[str, float]:
        row = {"p_calibrated": self.p_values[k]} if self.p_values else {}
        place = self.places[k]
        if self.means is None or place is None:
            return row
        found = _of_mean(self.means.mean(place), level, "estimate")
        return {**row, **found, "lower": float(np.maximum(found["lower"], self.least))}

    def pair_row(self, i: int, j: int, level: float) -> dict[str, float]:
        first, second = self.places[i], self.places[j]
        if self.means is None or first is None or second is None:
            return {}
        found = self.means.compare(first, second)
        return {**_of_mean(found, level, "difference"), "p_value": found.p_value}


def _means(values: Sequence[Floats | None], test: ScoredPart, **more: Any) -> _Means:
    """Return the means of the classifiers that have values."""
    known = [one for one in values if one is not None]
    numbers = iter(range(len(known)))
    return _Means(
        means=clustered_means(known, test.clusters) if known else None,
        places=[None if one is None else next(numbers) for one in values],
        **more,
    )


def _of_mean(found: ClusteredMean, level: float, name: str) -> dict[str, float]:
    lower, upper = found.interval(level)
    return {name: found.estimate, "lower": lower, "upper": upper}


Found = tuple[dict[str, Any], _Areas | _Means]


def _all(
    parts: ScoredParts, fitted: Sequence[_Fitted], evaluation: Evaluation
) -> Iterator[Found]:
    yield from _parts_of_the_curve(parts.test, evaluation)
    for kind in dict.fromkeys(one.kind for one in fitted):
        own = [one for one in fitted if one.kind == kind]
        yield from _of_probabilities(parts.test, own, kind, evaluation)


def _parts_of_the_curve(test: ScoredPart, evaluation: Evaluation) -> Iterator[Found]:
    given: dict[str, Any] = {
        "is_case": test.is_case,
        "scores": test.scores,
        "cluster": test.clusters,
    }
    end, start = evaluation.max_false_positive_rate, evaluation.least_sensitivity
    specific = estimate_partial_aucs(
        **given, false_positive_rates=(0, end), is_corrected=False
    )
    sensitive = estimate_specificity_parts(
        **given, sensitivities=(start, 1), is_corrected=False
    )
    points = estimate_sensitivities(**given, specificity=evaluation.specificity)
    for measure, at, found in (
        (SPECIFIC, end, specific),
        (SPECIFIC_CORRECTED, end, with_correction(specific, width=end)),
        (SENSITIVE, start, sensitive),
        (SENSITIVE_CORRECTED, start, with_correction(sensitive, width=1 - start)),
        (SENSITIVITY, evaluation.specificity, points),
    ):
        yield {"measure": measure, "at": at}, _Areas(estimates=found)


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
    test: ScoredPart, fitted: Sequence[_Fitted], kind: str, evaluation: Evaluation
) -> Iterator[Found]:
    threshold, n_bins = evaluation.decision_threshold, evaluation.calibration_bins
    measures: Mapping[str, tuple[float | None, Callable[[Floats], Floats]]] = {
        NET_BENEFIT: (
            threshold,
            lambda said: net_benefit_values(test.is_case, said, threshold=threshold),
        ),
        BRIER: (None, lambda said: brier_values(test.is_case, said)),
        ECE: (
            n_bins,
            lambda said: calibration_error_values(test.is_case, said, n_bins=n_bins),
        ),
    }
    for measure, (at, of_images) in measures.items():
        values = [None if f.said is None else of_images(f.said) for f in fitted]
        least = -np.inf if measure == NET_BENEFIT else 0.0
        of = {"measure": measure, "at": at, "recalibration": kind}
        yield of, _means(values, test, p_values=(), least=least)
    distances = [
        None
        if one.curve is None or one.said is None
        else integrated_calibration_values(one.curve, test.is_case, one.said)
        for one in fitted
    ]
    p_values = tuple(np.nan if f.curve is None else f.curve.p_value for f in fitted)
    yield (
        {"measure": ICI, "recalibration": kind},
        _means(distances, test, p_values=p_values, least=0.0),
    )


def _no_curve() -> pd.DataFrame:
    return pd.DataFrame(columns=_CURVE)
