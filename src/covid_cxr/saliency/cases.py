"""Which radiographs are shown with their maps: drawn by a seeded rule, never by hand.

The operating threshold is chosen on the validation part (Youden's index) and the cases
are drawn from the test part, in one random order of the whole part. The order depends
on the seed only, so all paths show the same radiographs where their outcomes agree.
"""

import logging
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from covid_cxr.statistics.roc import trace_roc

logger = logging.getLogger(__name__)

# Outcome -> (is a case, is called a case, the parameter with their number).
OUTCOMES = {
    "true_positive": (True, True, "true_positives"),
    "true_negative": (False, False, "true_negatives"),
    "false_positive": (False, True, "false_positives"),
    "false_negative": (True, False, "false_negatives"),
}


@dataclass(frozen=True, kw_only=True)
class SaliencyCases:
    """How many radiographs of each outcome are shown, from parameters_phase3.yml.

    Attributes:
        true_positives: Cases that the classifier calls cases.
        true_negatives: Controls that it calls controls.
        false_positives: Controls that it calls cases.
        false_negatives: Cases that it calls controls.
        seed: Of the draw.
    """

    true_positives: int
    true_negatives: int
    false_positives: int
    false_negatives: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse counts that are no counts."""
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(
                    f"saliency.{name} must be a whole number from 0, got {value!r}."
                )


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnCases:
    """The radiographs to show.

    Attributes:
        label: What the classifier tells.
        threshold: A score from which on a radiograph is called a case.
        cases: `image_id`, `patient_index` (from 1, in random order of the test part's
            patients), `outcome` and `score`, grouped by outcome.
    """

    label: str
    threshold: float
    cases: pd.DataFrame


def draw_cases(scores: pd.DataFrame, saliency: SaliencyCases) -> DrawnCases:
    """Return the radiographs of the test part to show with their maps.

    Args:
        scores: `image_id`, `patient_id`, `part`, `<label>` and `<label>_score`.
        saliency: How many of each outcome; where there are fewer, fewer are drawn.

    Raises:
        ValueError: If there is not exactly one label, no test image, or only one class
            in the validation part.
    """
    label = _only_label(scores)
    validation = scores[scores["part"] == "validation"]
    threshold = trace_roc(
        validation[label], validation[f"{label}_score"]
    ).youden_threshold()
    test = _in_random_order(scores[scores["part"] == "test"], seed=saliency.seed)
    is_called = test[f"{label}_score"] >= threshold
    drawn = []
    for outcome, (is_case, is_positive, number) in OUTCOMES.items():
        matching = test[(test[label] == is_case) & (is_called == is_positive)]
        wanted = getattr(saliency, number)
        if len(matching) < wanted:
            logger.info("%d of %d %s to show", len(matching), wanted, number)
        drawn.append(matching.head(wanted).assign(outcome=outcome))
    cases = pd.concat(drawn, ignore_index=True).rename(
        columns={f"{label}_score": "score"}
    )
    return DrawnCases(
        label=label,
        threshold=threshold,
        cases=cases[["image_id", "patient_index", "outcome", "score"]],
    )


def _only_label(scores: pd.DataFrame) -> str:
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
