"""Which radiographs are shown with their maps: drawn by a seeded rule, never by hand.

The operating threshold is chosen on the validation part (Youden's index) and the cases
are drawn from the test part, in one random order of the whole part. The order depends
on the seed only, so all paths show the same radiographs where their outcomes agree.
"""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from covid_cxr.saliency.map_settings import Saliency
from covid_cxr.statistics.roc import trace_roc

logger = logging.getLogger(__name__)

# Outcome -> (is a case, is called a case).
OUTCOMES = {
    "true_positive": (True, True),
    "true_negative": (False, False),
    "false_positive": (False, True),
    "false_negative": (True, False),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedTest:
    """What became of the test part at the operating threshold.

    Attributes:
        label: What the classifier tells.
        threshold: A score from which on a radiograph is called a case.
        images: `image_id`, `patient_index` (from 1, in random order of the part's
            patients), `outcome` and `score`, in random order.
    """

    label: str
    threshold: float
    images: pd.DataFrame


def judge_test(scores: pd.DataFrame, *, seed: int) -> JudgedTest:
    """Return the outcome of every image of the test part.

    Args:
        scores: `image_id`, `patient_id`, `part`, `<label>` and `<label>_score`.
        seed: Of the random order.

    Raises:
        ValueError: If there is not exactly one label, no test image, or only one class
            in the validation part.
    """
    label = only_label(scores)
    validation = scores[scores["part"] == "validation"]
    threshold = trace_roc(
        validation[label], validation[f"{label}_score"]
    ).youden_threshold()
    test = _in_random_order(scores[scores["part"] == "test"], seed=seed)
    score = test[f"{label}_score"]
    is_case, is_called = test[label].to_numpy(bool), (score >= threshold).to_numpy()
    is_outcome = [
        (is_case == case) & (is_called == positive)
        for case, positive in OUTCOMES.values()
    ]
    outcome = np.select(is_outcome, list(OUTCOMES), default="")
    test = test.assign(score=score, outcome=outcome)
    columns = ["image_id", "patient_index", "outcome", "score"]
    return JudgedTest(
        label=label,
        threshold=threshold,
        images=test[columns].reset_index(drop=True),
    )


def draw_cases(images: pd.DataFrame, saliency: Saliency) -> pd.DataFrame:
    """Return the rows of the radiographs to show, grouped by outcome.

    Args:
        images: In random order, with `outcome`.
        saliency: How many of each outcome; where there are fewer, fewer are drawn.
    """
    drawn = []
    for outcome in OUTCOMES:
        number = f"{outcome}s"
        matching = images[images["outcome"] == outcome]
        wanted = getattr(saliency, number)
        if len(matching) < wanted:
            logger.info("%d of %d %s to show", len(matching), wanted, number)
        drawn.append(matching.head(wanted))
    return pd.concat(drawn, ignore_index=True)


def scores_of(scores: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the scores of one label.

    Args:
        scores: `image_id`, `patient_id`, `part`, and `<label>` and `<label>_score` of
            every label.
        label: One of them, known of every image.
    """
    columns = ["image_id", "patient_id", "part", label, f"{label}_score"]
    return scores[columns].astype({label: bool})


def only_label(scores: pd.DataFrame) -> str:
    """Return what the scores are of.

    Raises:
        ValueError: If they are of several labels.
    """
    labels = [
        column.removesuffix("_score")
        for column in scores.columns
        if column.endswith("_score")
    ]
    if len(labels) != 1:
        raise ValueError(
            f"Cases are drawn for one label, but the scores hold {len(labels)}: "
            f"{', '.join(labels)}. Keep the columns of one."
        )
    return labels[0]


def _in_random_order(test: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the test part in random order, with the patients' random numbers."""
    if test.empty:
        raise ValueError(
            "The scores have no test part to show cases of. Enlarge it in the split."
        )
    stream = np.random.default_rng(seed)
    patients = stream.permutation(np.sort(test["patient_id"].unique()))
    index = pd.Series(np.arange(1, len(patients) + 1), index=patients)
    ordered = test.sort_values("image_id").iloc[stream.permutation(len(test))]
    return ordered.assign(patient_index=ordered["patient_id"].map(index))
