"""Tables 4 and 5: are two classifiers told apart by the test part?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.published import TABLE_4, TABLE_5, published_name
from covid_cxr.evaluation.scored_findings import ScoredFindings, findings_of
from covid_cxr.statistics.pairs import PairComparisons
from covid_cxr.statistics.power import smallest_detectable_difference
from covid_cxr.study.current import current

_COMPARED = [
    *("first", "second", "difference", "lower", "upper"),
    *("p_clustered", "p_image", "detectable"),
]
_ADJUSTED = [
    *("first", "second", "p_clustered", "p_holm", "p_benjamini_hochberg"),
    *("p_max_t", "p_image"),
]


def compare_paths(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return Table 4: `compare_classifiers` for the paths, with what was printed."""
    table = compare_classifiers(scores, reporting=reporting, evaluation=evaluation)
    return table.assign(paper_p=_published(table, TABLE_4))


def adjust_for_all_pairs(scores: pd.DataFrame, *, reporting: Reporting) -> pd.DataFrame:
    """Return Table 5: `adjust_comparisons` for the paths, with what was printed."""
    table = adjust_comparisons(scores, reporting=reporting)
    return table.assign(paper_p=_published(table, TABLE_5))


def compare_classifiers(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return the difference and the p values of every pair of classifiers.

    `p_clustered` and the interval of the difference take patients as independent,
    `p_image` images, as in the paper (DeLong's paired test). `detectable` is the true
    difference that a test by patient would find here with the wanted power, NaN where
    no standard error is known.

    Args:
        scores: As arranged.
        reporting: For the level of the intervals and the significance.
        evaluation: For the power.
    """
    findings = findings_of(scores)
    by_image, by_patient = _all_pairs(findings)
    rows = []
    for (first, second), difference, p_image in zip(
        by_patient.pairs, by_patient.differences, by_image.p_value, strict=True
    ):
        lower, upper = difference.interval(reporting.level)
        detectable = smallest_detectable_difference(
            difference.standard_error,
            significance=reporting.significance,
            power=evaluation.power,
        )
        rows.append(
            {
                "first": first,
                "second": second,
                "difference": difference.estimate,
                "lower": lower,
                "upper": upper,
                "p_clustered": difference.p_value,
                "p_image": p_image,
                "detectable": detectable,
            }
        )
    return findings.name(pd.DataFrame(rows, columns=_COMPARED))


def adjust_comparisons(scores: pd.DataFrame, *, reporting: Reporting) -> pd.DataFrame:
    """Return the p values of every pair, adjusted for how many there are.

    Of several findings all pairs of all findings are one family, with the covariance of
    all AUROCs behind `p_max_t`.

    `p_clustered` and `p_image` are Bonferroni's, as in the paper; `p_holm`,
    `p_benjamini_hochberg` and `p_max_t` are of the tests by patient. No row for a
    classifier alone.

    Args:
        scores: As arranged.
        reporting: For the seed of the simulation behind `p_max_t`.
    """
    findings = findings_of(scores)
    by_image, by_patient = _all_pairs(findings)
    if not by_patient.pairs:
        return pd.DataFrame(columns=_ADJUSTED)
    table = pd.DataFrame(
        {
            "first": [first for first, _ in by_patient.pairs],
            "second": [second for _, second in by_patient.pairs],
            "p_clustered": by_patient.bonferroni,
            "p_holm": by_patient.holm,
            "p_benjamini_hochberg": by_patient.benjamini_hochberg,
            "p_max_t": by_patient.max_t(seed=reporting.seed).p_value,
            "p_image": by_image.bonferroni,
        }
    )
    return findings.name(table)


def _all_pairs(findings: ScoredFindings) -> tuple[PairComparisons, PairComparisons]:
    """Return all comparisons on the test part, by image and by patient."""
    by_image, by_patient = (findings.compare(by_patient=of) for of in (False, True))
    return by_image, by_patient


def _published(
    table: pd.DataFrame, printed: Mapping[tuple[str, str], float]
) -> list[float]:
    names = {path.name: published_name(path) for path in current().paths}
    pairs = zip(table["first"].map(names), table["second"].map(names), strict=True)
    return [printed.get(pair, np.nan) for pair in pairs]
