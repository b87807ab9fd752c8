"""Tables 4 and 5: are two classifiers told apart by the test part?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from covid_cxr.evaluation.published import TABLE_4, TABLE_5, published_name
from covid_cxr.evaluation.scored_part import ScoredPart, line_up
from covid_cxr.evaluation.settings import Evaluation, Reporting
from covid_cxr.statistics.pairs import compare_all_pairs
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
    scores: Mapping[str, pd.DataFrame],
    *,
    label: str,
    reporting: Reporting,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return Table 4: `compare_classifiers` for the paths, with what the paper printed.

    Args:
        scores: Of phase 3, by path.
        label: The finding.
        reporting: For the level of the intervals and the significance.
        evaluation: For the power.
    """
    test = line_up(scores, label=label, part="test")
    table = compare_classifiers(test, reporting=reporting, evaluation=evaluation)
    return table.assign(paper_p=_published(table, TABLE_4))


def adjust_for_all_pairs(
    scores: Mapping[str, pd.DataFrame], *, label: str, reporting: Reporting
) -> pd.DataFrame:
    """Return Table 5: `adjust_comparisons` for the paths, with the paper's.

    Args:
        scores: Of phase 3, by path.
        label: The finding.
        reporting: For the seed of the simulated adjustment.
    """
    test = line_up(scores, label=label, part="test")
    table = adjust_comparisons(test, seed=reporting.seed)
    return table.assign(paper_p=_published(table, TABLE_5))


def compare_classifiers(
    test: ScoredPart, *, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return the difference and the p values of every pair of classifiers.

    `p_clustered` and the interval of the difference take patients as independent,
    `p_image` images, as in the paper (DeLong's paired test). `detectable` is the true
    difference that a test by patient would find here with the wanted power, NaN where
    no standard error is known.

    Args:
        test: The classifiers' scores of the same radiographs.
        reporting: For the level of the intervals and the significance.
        evaluation: For the power.
    """
    by_image = compare_all_pairs(test.estimate(by_patient=False))
    by_patient = compare_all_pairs(test.estimate(by_patient=True))
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
    return pd.DataFrame(rows, columns=_COMPARED)


def adjust_comparisons(test: ScoredPart, *, seed: int) -> pd.DataFrame:
    """Return the p values of every pair, adjusted for how many pairs there are.

    `p_clustered` and `p_image` are Bonferroni's, as in the paper; `p_holm`,
    `p_benjamini_hochberg` and `p_max_t` are of the tests by patient. No row for a
    classifier alone.

    Args:
        test: The classifiers' scores of the same radiographs.
        seed: Of the simulation behind `p_max_t`.
    """
    if len(test.scores.columns) < 2:
        return pd.DataFrame(columns=_ADJUSTED)
    by_image = compare_all_pairs(test.estimate(by_patient=False))
    by_patient = compare_all_pairs(test.estimate(by_patient=True))
    return pd.DataFrame(
        {
            "first": [first for first, _ in by_patient.pairs],
            "second": [second for _, second in by_patient.pairs],
            "p_clustered": by_patient.bonferroni,
            "p_holm": by_patient.holm,
            "p_benjamini_hochberg": by_patient.benjamini_hochberg,
            "p_max_t": by_patient.max_t(seed=seed).p_value,
            "p_image": by_image.bonferroni,
        }
    )


def _published(
    table: pd.DataFrame, printed: Mapping[tuple[str, str], float]
) -> list[float]:
    names = {path.name: published_name(path) for path in current().paths}
    pairs = zip(table["first"].map(names), table["second"].map(names), strict=True)
    return [printed.get(pair, np.nan) for pair in pairs]
