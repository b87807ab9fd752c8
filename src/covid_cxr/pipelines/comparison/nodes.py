"""Adapters from the catalog: parts of one table of scores."""

from typing import Any

import pandas as pd

from covid_cxr.figures import decisions, note, reliability, roc
from covid_cxr.figures.palette import path_colour
from covid_cxr.report import aurocs, calibration, comparisons, operating
from covid_cxr.report.comparison_html import ComparisonContents, write_comparison
from covid_cxr.report.evaluation import Evaluation
from covid_cxr.report.reporting import Reporting
from covid_cxr.report.score_table import (
    TEST,
    VALIDATION,
    are_probabilities,
    part_of,
)
from covid_cxr.report.scored_part import ScoredPart
from covid_cxr.statistics.roc import trace_roc


def tabulate_aurocs(
    scores: pd.DataFrame, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return the AUROC of each classifier on the test part.

    Args:
        scores: From `arrange_scores`, as for all nodes here.
        reporting: For the level of the intervals.
        evaluation: For the bootstrap and the partial area.
    """
    return aurocs.tabulate_aurocs(
        _test(scores), reporting=reporting, evaluation=evaluation
    )


def compare_classifiers(
    scores: pd.DataFrame, reporting: Reporting, evaluation: Evaluation
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the comparison of every pair, and its adjusted p values.

    Args:
        scores: From `arrange_scores`.
        reporting: For level, significance and seed.
        evaluation: For the power.
    """
    test = _test(scores)
    return (
        comparisons.compare_classifiers(
            test, reporting=reporting, evaluation=evaluation
        ),
        comparisons.adjust_comparisons(test, seed=reporting.seed),
    )


def tabulate_operating_points(
    scores: pd.DataFrame, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return thresholds from validation, judged on test; no row without validation.

    Args:
        scores: From `arrange_scores`.
        reporting: For the level of the intervals.
        evaluation: For the target sensitivity and the prevalences.
    """
    validation = part_of(scores, VALIDATION)
    if validation is None:
        return pd.DataFrame({"classifier": pd.Series(dtype="str")})
    return operating.tabulate_operating_points(
        validation, _test(scores), reporting=reporting, evaluation=evaluation
    )


def calibrate(
    scores: pd.DataFrame, reporting: Reporting, evaluation: Evaluation
) -> tuple[pd.DataFrame, Any, Any]:
    """Return the calibration table, reliability curves and decision curves.

    Where the scores are no probabilities, or there is no validation part, the table
    has no row and the figures say so.

    Args:
        scores: From `arrange_scores`.
        reporting: For the level of the intervals.
        evaluation: For the number of bins.
    """
    validation, test = part_of(scores, VALIDATION), _test(scores)
    if validation is None or not (
        are_probabilities(validation) and are_probabilities(test)
    ):
        reason = "Calibration needs a validation part, and probabilities on [0, 1]."
        empty = pd.DataFrame({"classifier": pd.Series(dtype="str")})
        return empty, note.draw_note(reason), note.draw_note(reason)
    bins = calibration.trace_reliability(
        validation, test, reporting=reporting, evaluation=evaluation
    )
    as_it_is = bins[bins["recalibration"] == calibration.AS_IT_IS]
    curves = calibration.trace_decisions(validation, test)
    colours = _colours(test)
    return (
        calibration.tabulate_calibration(validation, test, reporting=reporting),
        reliability.draw_reliability(_by_classifier(as_it_is), colours=colours),
        decisions.draw_decisions(_by_classifier(curves), colours=colours),
    )


def draw_roc(scores: pd.DataFrame) -> tuple[Any, Any]:
    """Return the ROC curves on the test part, for print and interactive.

    Args:
        scores: From `arrange_scores`.
    """
    test = _test(scores)
    names = test.scores.columns
    curves = {name: trace_roc(test.is_case, test.scores[name]) for name in names}
    colours = _colours(test)
    return (
        roc.draw_roc(curves, colours=colours),
        roc.draw_interactive_roc(curves, colours=colours),
    )


def report_comparison(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    reporting: Reporting,
    evaluation: Evaluation,
    auroc: pd.DataFrame,
    pairs: pd.DataFrame,
    adjusted: pd.DataFrame,
    operating_points: pd.DataFrame,
    calibration_estimates: pd.DataFrame,
    reliability_figure: bytes,
    decision_figure: bytes,
    roc_interactive: Any,
) -> str:
    """Return the HTML file of the comparison.

    Args:
        reporting: Level and significance.
        evaluation: Settings of the evaluation.
        auroc: From `tabulate_aurocs`.
        pairs: From `compare_classifiers`.
        adjusted: From `compare_classifiers`.
        operating_points: From `tabulate_operating_points`.
        calibration_estimates: From `calibrate`.
        reliability_figure: PNG.
        decision_figure: PNG.
        roc_interactive: From `draw_roc`.
    """
    images = {
        "reliability_figure": reliability_figure,
        "decision_figure": decision_figure,
    }
    return write_comparison(
        ComparisonContents(
            reporting=reporting,
            evaluation=evaluation,
            aurocs=auroc,
            pairs=pairs,
            adjusted=adjusted,
            operating=operating_points,
            calibration=calibration_estimates,
            images=images,
            roc=roc_interactive,
        )
    )


def _test(scores: pd.DataFrame) -> ScoredPart:
    test = part_of(scores, TEST)
    if test is None:
        raise ValueError("The arranged scores have no test part; run from the start.")
    return test


def _by_classifier(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(name): rows for name, rows in table.groupby("classifier", sort=False)}


def _colours(test: ScoredPart) -> dict[str, str]:
    return {str(n): path_colour(k) for k, n in enumerate(test.scores.columns)}
