"""The question of a comparison, and its answer in a sentence or two."""

import math

import numpy as np
import pandas as pd

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.report import wording
from covid_cxr.report.question_tables import QuestionTables, question_title
from covid_cxr.statistics.patient_aucs import IMAGE


def ask(classifiers: pd.DataFrame) -> str:
    """Return the question that a table of classifiers asks.

    Args:
        classifiers: AUROCs, one row per classifier.
    """
    names = list(map(str, classifiers["classifier"]))
    if len(names) == 1:
        return f"How well does {names[0]} tell cases from controls?"
    if len(names) == 2:
        return f"Does {names[0]} or {names[1]} tell cases from controls better?"
    return f"Which of {len(names)} classifiers tells cases from controls best?"


def answer(
    classifiers: pd.DataFrame,
    pairs: pd.DataFrame,
    adjusted: pd.DataFrame,
    reporting: Reporting,
) -> str:
    """Return what the test part says, with its uncertainty.

    Of two classifiers their difference; of more, how many pairs are told apart after
    Holm's adjustment, and the widest gap. Which classifier to take is chosen elsewhere:
    on the validation part.

    Args:
        classifiers: AUROCs, one row per classifier.
        pairs: Differences with intervals and p values by patient.
        adjusted: Holm's p values of the same pairs.
        reporting: Level and significance.
    """
    if pairs.empty:
        row = classifiers.iloc[0]
        bounds = wording.interval(row["lower"], row["upper"])
        return (
            f"Its AUROC on the test part was {wording.auroc(row['auroc'])} "
            f"({_level(reporting)}: {bounds})."
        )
    k = int(np.argmax(pairs["difference"].abs()))
    widest, holm = pairs.iloc[k], float(adjusted["p_holm"].iloc[k])
    if len(pairs) == 1:
        told = wording.begun(_told(widest, holm, reporting))
        return f"{told} {_verdict(holm, reporting)}"
    apart = int((adjusted["p_holm"] < reporting.significance).sum())
    return (
        f"{apart} of {len(pairs)} pairs are told apart at "
        f"{reporting.significance:g} after Holm's adjustment. The widest gap: "
        f"{_told(widest, holm, reporting)}"
    )


def answer_primary(questions: QuestionTables, reporting: Reporting) -> str:
    """Return the widest gap of the primary question; empty where it is all images.

    Args:
        questions: Answers and pairs by question.
        reporting: Level of the intervals.
    """
    pairs = questions.question_pair_results
    rows = pairs[pairs["is_primary"] & pairs["difference"].notna()]
    if questions.primary == IMAGE or rows.empty:
        return ""
    widest = rows.iloc[int(np.argmax(rows["difference"].abs()))]
    told = _told(widest, float(widest["p_value"]), reporting)
    title = question_title(questions.primary)
    return f"By the primary AUROC, that of {title}, not adjusted: {told}"


def _told(row: pd.Series, p_value: float, reporting: Reporting) -> str:
    better, worse = row["first"], row["second"]
    gap, lower, upper = row["difference"], row["lower"], row["upper"]
    if gap < 0:
        better, worse, gap, lower, upper = worse, better, -gap, -upper, -lower
    known = wording.interval(lower, upper)
    p = wording.p_value(p_value)
    return (
        f"the AUROC of {better} was {gap:.3f} above that of {worse} "
        f"({_level(reporting)}: {known}; p {'' if p.startswith('<') else '= '}{p})."
    )


def _verdict(p_value: float, reporting: Reporting) -> str:
    if math.isnan(p_value):
        return "Nothing is known of the error of this difference."
    if p_value < reporting.significance:
        return "The test part tells them apart."
    return (
        "The test part does not tell them apart, which does not show that they are "
        "alike: that takes a margin."
    )


def _level(reporting: Reporting) -> str:
    return f"{100 * reporting.level:.3g} % interval by patient"
