"""Which AUROC is meant: each question's answer, and where answers differ."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from covid_cxr.evaluation.arranged_scores import parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.statistics.auc import AucDifference
from covid_cxr.statistics.patient_aucs import QUESTIONS

_PAIRED = [
    *("question", "is_primary", "first", "second"),
    *("difference", "lower", "upper", "p_value"),
]


@per_finding
def tabulate_questions(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the AUROC of each classifier for each question, and of each pair.

    The first table has a row per question and classifier, with the interval by patient
    (logit), and how far the answer is from that of the primary question, by the paired
    test of the same patients. The second has a row per question and pair. NaN where
    these patients do not answer a question.

    Args:
        scores: As arranged.
        reporting: For the level of the intervals.
        evaluation: For the primary question.
    """
    test = parts_of(scores).test
    primary, level = evaluation.primary_auroc, reporting.level
    answers, pairs = [], []
    for question in dict.fromkeys((*QUESTIONS, primary)):
        found = test.estimate_for(question)
        of = {"question": question, "is_primary": question == primary}
        bounds = found.interval(level, "logit")
        for k, name in enumerate(found.names):
            apart = test.by_question(primary).compare(question, primary, k)
            answers.append(
                {
                    **of,
                    "classifier": name,
                    "auroc": found.auc[k],
                    "lower": bounds[k, 0],
                    "upper": bounds[k, 1],
                    **_named(apart, level, "from_primary_"),
                }
            )
        for (i, first), (j, second) in combinations(enumerate(found.names), 2):
            pair = {"first": first, "second": second}
            pairs.append({**of, **pair, **_named(found.compare(i, j), level)})
    return pd.DataFrame(answers), pd.DataFrame(pairs, columns=_PAIRED)


def _named(found: AucDifference, level: float, prefix: str = "") -> dict[str, Any]:
    lower, upper = found.interval(level)
    is_known = not np.isnan(found.estimate)
    return {
        f"{prefix}difference": found.estimate,
        f"{prefix}lower": lower,
        f"{prefix}upper": upper,
        f"{prefix}p_value": found.p_value if is_known else np.nan,
    }
