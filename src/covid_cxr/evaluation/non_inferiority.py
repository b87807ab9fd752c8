"""Every pair of classifiers measure by measure, and what a margin says of each."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.evaluation.arranged_scores import parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Evaluation, Margins, Reporting
from covid_cxr.evaluation.scored_part import ScoredPart, ScoredParts
from covid_cxr.evaluation.thresholds import YOUDEN, choose_thresholds
from covid_cxr.statistics.auc import AucDifference, AucEstimates
from covid_cxr.statistics.margins import compare_with_margin
from covid_cxr.statistics.paired_calls import ShareDifference, count_called
from covid_cxr.statistics.predictive_values import sum_calls

AUROC, SENSITIVITY, SPECIFICITY = "auroc", "sensitivity", "specificity"
PPV, NPV = "ppv", "npv"
_COLUMNS = [
    *("measure", "rule", "prevalence", "first", "second"),
    *("first_estimate", "second_estimate", "difference", "lower", "upper", "p_value"),
    *("margin", "p_first", "p_second", "p_equivalent", "verdict"),
]

Compared = tuple[dict[str, Any], AucDifference | ShareDifference]


@per_finding
def tabulate_margins(
    scores: pd.DataFrame,
    *,
    reporting: Reporting,
    evaluation: Evaluation,
    margins: Margins,
) -> pd.DataFrame:
    """Return the paired differences of every pair, and which of them margins allow.

    One row per pair, measure, rule of the threshold and prevalence, with patients as
    the unit. `lower` and `upper` are of the level one minus the significance, so that
    they and the verdict say the same. `p_value` is of the paired two-sided test;
    `p_first` of "the first is worse by the margin or more", `p_second` likewise of the
    second, `p_equivalent` of either, each to be compared with half of the significance.
    Without a margin these and the verdict are missing. The verdict is "unknown" where
    there is no interval, as of two classifiers that rank or call alike.

    Args:
        scores: As arranged; only AUROCs where validation does not have both classes.
        reporting: For the significance.
        evaluation: For the target sensitivity, the prevalences and the AUROC that is
            meant.
        margins: As they were stated beforehand.
    """
    parts = parts_of(scores)
    measured = [_of_aucs(parts.test, evaluation), *_at_thresholds(parts, evaluation)]
    rows = [
        {**of, **_judge(of, compared, reporting.significance, margins)}
        for each in measured
        for of, compared in each
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _of_aucs(test: ScoredPart, evaluation: Evaluation) -> Iterator[Compared]:
    found = test.estimate_for(evaluation.primary_auroc)
    yield from _of_estimates({"measure": AUROC}, test, found)


def _at_thresholds(
    parts: ScoredParts, evaluation: Evaluation
) -> Iterator[Iterator[Compared]]:
    """Yield what is compared at the thresholds that each rule chose on validation."""
    validation, test = parts.validation, parts.test
    if validation is None or not validation.has_both_classes:
        return
    names = list(map(str, test.scores))
    chosen = {name: choose_thresholds(validation, name, evaluation) for name in names}
    for rule in (YOUDEN, SENSITIVITY):
        thresholds = [chosen[name][rule] for name in names]
        is_called = (test.scores >= thresholds).to_numpy()
        yield _of_shares({"rule": rule}, test, is_called)
        calls = sum_calls(test.is_case, is_called, cluster=test.clusters)
        for prevalence in evaluation.prevalences:
            both = calls.predictive_values(prevalence)
            for measure, found in zip((PPV, NPV), both, strict=True):
                of = {"measure": measure, "rule": rule, "prevalence": prevalence}
                yield _of_estimates(of, test, found)


def _of_estimates(
    of: Mapping[str, Any], test: ScoredPart, found: AucEstimates
) -> Iterator[Compared]:
    for (i, first), (j, second) in combinations(enumerate(test.scores), 2):
        pair = {"first": first, "second": second}
        estimates = {"first_estimate": found.auc[i], "second_estimate": found.auc[j]}
        yield {**of, **pair, **estimates}, found.compare(i, j)


def _of_shares(
    of: Mapping[str, Any], test: ScoredPart, is_called: NDArray[np.bool_]
) -> Iterator[Compared]:
    counts = count_called(test.is_case, is_called, cluster=test.clusters)
    shares = {
        SENSITIVITY: is_called[test.is_case].mean(axis=0),
        SPECIFICITY: (~is_called[~test.is_case]).mean(axis=0),
    }
    for measure, share in shares.items():
        for (i, first), (j, second) in combinations(enumerate(test.scores), 2):
            pair = {"measure": measure, "first": first, "second": second}
            estimates = {"first_estimate": share[i], "second_estimate": share[j]}
            yield {**of, **pair, **estimates}, getattr(counts.compare(i, j), measure)


def _judge(
    of: Mapping[str, Any],
    found: AucDifference | ShareDifference,
    significance: float,
    margins: Margins,
) -> dict[str, Any]:
    lower, upper = found.interval(1 - significance)
    row = {
        "difference": found.estimate,
        "lower": lower,
        "upper": upper,
        "p_value": found.p_value,
    }
    margin = getattr(margins, of["measure"])
    if margin is None:
        return row
    tests = compare_with_margin(_as_difference(found), margin)
    return {
        **row,
        "margin": margin,
        "p_first": tests.p_first,
        "p_second": tests.p_second,
        "p_equivalent": tests.p_equivalent,
        "verdict": tests.verdict(significance),
    }


def _as_difference(found: AucDifference | ShareDifference) -> AucDifference:
    """Return a difference of shares as the tests of margins take it."""
    if isinstance(found, AucDifference):
        return found
    return AucDifference(
        estimate=found.estimate,
        standard_error=found.standard_error,
        degrees_of_freedom=found.n_clusters - 1,
    )
