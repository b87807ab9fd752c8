"""How many patients and radiographs a test set needs, before there is one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from covid_cxr.checks import check_word
from covid_cxr.evaluation.arranged_scores import arrange_scores, parts_of
from covid_cxr.evaluation.score_columns import ScoreColumns
from covid_cxr.statistics.power import (
    VARIANCES,
    PlannedTestSet,
    PowerOfDifference,
    PowerOfNonInferiority,
    Question,
    WidthOfAuc,
    WidthOfSensitivity,
    design_effect,
    fewest_patients,
    learn_from_pilot,
)

WIDTH_OF_AUROC = "width of the AUROC's interval"
DIFFERENCE = "difference of two AUROCs"
NON_INFERIORITY = "non-inferiority of an AUROC"
WIDTH_OF_SENSITIVITY = "width of the sensitivity's interval"

STATED = "stated"
_N_CURVE = 60  # numbers of patients on the curve
_SHARES = (
    *("auroc", "auroc_width", "difference", "margin", "sensitivity", "specificity"),
    *("sensitivity_width", "share_of_cases"),
)
_LEAST = {
    "images_per_patient": 1,
    "images_per_patient_sd": 0,
    "within_patient_correlation": 0,
    "auroc_correlation": -1,
}


@dataclass(frozen=True, kw_only=True)
class Planning:
    """What is asked and expected, as read from parameters_planning.yml.

    Attributes:
        auroc: That is expected.
        auroc_width: Of its interval.
        difference: To a better classifier's AUROC, which is to be found.
        margin: Loss of AUROC that would still be accepted.
        sensitivity: That is expected at the specificity.
        specificity: At which the threshold is set.
        sensitivity_width: Of its interval.
        share_of_cases: Of the radiographs.
        images_per_patient: On average.
        images_per_patient_sd: Standard deviation over patients.
        within_patient_correlation: Of the scores of two radiographs of a patient.
        auroc_correlation: Of the AUROCs of two classifiers.
        variance: `binormal`, `hanley_mcneil` or `obuchowski`.
    """

    auroc: float
    auroc_width: float
    difference: float
    margin: float
    sensitivity: float
    specificity: float
    sensitivity_width: float
    share_of_cases: float
    images_per_patient: float
    images_per_patient_sd: float
    within_patient_correlation: float
    auroc_correlation: float
    variance: str

    def __post_init__(self) -> None:
        """Refuse what is no share, no such number, or no formula."""
        for name in _SHARES:
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 < value < 1:
                raise ValueError(
                    f"planning.{name} must lie between 0 and 1, got {value!r}; correct "
                    f"it in parameters_planning.yml."
                )
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or not value >= least:
                raise ValueError(
                    f"planning.{name} must be a number of at least {least}, got "
                    f"{value!r}; correct it in parameters_planning.yml."
                )
        check_word(
            "planning.variance",
            self.variance,
            VARIANCES,
            place="parameters_planning.yml",
        )


def expect(
    pilot: pd.DataFrame | None, columns: ScoreColumns, planning: Planning
) -> pd.DataFrame:
    """Return what is expected of the test set: `quantity`, `value` and `origin`.

    Args:
        pilot: A table of scores like those to come, of which the test part is read;
            None takes what is stated.
        columns: Which of its columns is what.
        planning: What is stated. The correlation of two AUROCs is so, too, where the
            pilot has one classifier.
    """
    stated = {
        "auroc": planning.auroc,
        "auroc_correlation": planning.auroc_correlation,
        "share_of_cases": planning.share_of_cases,
        "images_per_patient": planning.images_per_patient,
        "design_effect": design_effect(
            images_per_patient=planning.images_per_patient,
            standard_deviation=planning.images_per_patient_sd,
            correlation=planning.within_patient_correlation,
        ),
    }
    found = {} if pilot is None else _learn(pilot, columns, planning)
    rows = [
        (quantity, *found.get(quantity, (value, STATED)))
        for quantity, value in stated.items()
    ]
    return pd.DataFrame(rows, columns=["quantity", "value", "origin"])


def _learn(
    pilot: pd.DataFrame, columns: ScoreColumns, planning: Planning
) -> dict[str, tuple[float, str]]:
    test = parts_of(arrange_scores(pilot, columns)[0]).test
    learned = learn_from_pilot(
        test.is_case,
        test.scores.to_numpy(),
        cluster=test.clusters,
        variance=planning.variance,
    )
    names = list(map(str, test.scores.columns[:2]))
    of = f"pilot of {learned.n_patients} patients"
    found = {
        "auroc": (learned.auc, f"{of}, {names[0]}"),
        "share_of_cases": (learned.share_of_cases, of),
        "images_per_patient": (learned.images_per_patient, of),
        "design_effect": (learned.design_effect, f"{of}, {names[0]}"),
    }
    if len(names) > 1:
        found["auroc_correlation"] = learned.correlation, f"{of}, {' and '.join(names)}"
    return found


def plan_test_set(
    expected: pd.DataFrame,
    planning: Planning,
    level: float,
    significance: float,
    power: float,
) -> pd.DataFrame:
    """Return a row for each question, with the patients that answer it.

    `reached` is the expected width or power with so many, `sentence` one for the
    protocol.

    Args:
        expected: From `expect`.
        planning: What is asked.
        level: Of intervals.
        significance: Of the two-sided test; the one-sided has half of it.
        power: That is asked of a test.
    """
    test_set = _test_set(expected, planning)
    asked = _questions(expected, planning, level, significance, power)
    rows = []
    for name, question in asked.items():
        n_patients = fewest_patients(question, test_set)
        n_cases, n_controls = test_set.sizes(n_patients)
        row = {
            "question": name,
            "patients": n_patients,
            "images": int(np.ceil(n_cases + n_controls)),
            "cases": int(np.ceil(n_cases)),
            "reached": question.reached(test_set, n_patients),
        }
        rows.append({**row, "sentence": _sentence(question, row)})
    return pd.DataFrame(rows)


def trace_plan(
    expected: pd.DataFrame,
    planning: Planning,
    level: float,
    significance: float,
    power: float,
) -> pd.DataFrame:
    """Return what other numbers of patients reach: `question, patients, reached`.

    From a quarter to four times as many as are needed.

    Args:
        expected: From `expect`.
        planning: What is asked.
        level: Of intervals.
        significance: Of the two-sided test; the one-sided has half of it.
        power: That is asked of a test.
    """
    test_set = _test_set(expected, planning)
    asked = _questions(expected, planning, level, significance, power)
    curves = []
    for name, question in asked.items():
        needed = fewest_patients(question, test_set)
        patients = np.unique(np.geomspace(needed / 4, needed * 4, _N_CURVE).round())
        reached = [question.reached(test_set, n) for n in patients]
        curves.append(
            pd.DataFrame({"question": name, "patients": patients, "reached": reached})
        )
    return pd.concat(curves, ignore_index=True).astype({"patients": int})


def _test_set(expected: pd.DataFrame, planning: Planning) -> PlannedTestSet:
    value = _values(expected)
    return PlannedTestSet(
        share_of_cases=value["share_of_cases"],
        images_per_patient=value["images_per_patient"],
        design_effect=value["design_effect"],
        variance=planning.variance,
    )


def _questions(
    expected: pd.DataFrame,
    planning: Planning,
    level: float,
    significance: float,
    power: float,
) -> Mapping[str, Question]:
    value = _values(expected)
    auc, correlation = value["auroc"], value["auroc_correlation"]
    if not auc + planning.difference < 1:
        raise ValueError(
            f"planning.difference of {planning.difference:g} from an expected AUROC of "
            f"{auc:.3g} leads beyond 1; ask for a smaller one."
        )
    return {
        WIDTH_OF_AUROC: WidthOfAuc(auc=auc, width=planning.auroc_width, level=level),
        DIFFERENCE: PowerOfDifference(
            auc=auc,
            difference=planning.difference,
            correlation=correlation,
            significance=significance,
            power=power,
        ),
        NON_INFERIORITY: PowerOfNonInferiority(
            auc=auc,
            margin=planning.margin,
            correlation=correlation,
            significance=significance / 2,
            power=power,
        ),
        WIDTH_OF_SENSITIVITY: WidthOfSensitivity(
            sensitivity=planning.sensitivity,
            specificity=planning.specificity,
            width=planning.sensitivity_width,
            level=level,
        ),
    }


def _values(expected: pd.DataFrame) -> dict[str, float]:
    return dict(zip(expected["quantity"], expected["value"], strict=True))


def _sentence(question: Question, row: Mapping[str, object]) -> str:
    """Return what a protocol says, with everything the number follows from."""
    with_so_many = (
        f"With {row['patients']:,} patients ({row['images']:,} radiographs, "
        f"{row['cases']:,} of them with the finding)"
    )
    match question:
        case WidthOfAuc():
            return (
                f"{with_so_many}, the {100 * question.level:g} % interval of an AUROC "
                f"of {question.auc:.3g} is expected to be no wider than "
                f"{question.width:.3g}."
            )
        case WidthOfSensitivity():
            return (
                f"{with_so_many}, the {100 * question.level:g} % interval of a "
                f"sensitivity of {question.sensitivity:.3g} at the threshold with a "
                f"specificity of {question.specificity:.3g} is expected to be no wider "
                f"than {question.width:.3g}."
            )
        case PowerOfDifference():
            return (
                f"{with_so_many}, a paired two-sided test at {question.significance:g} "
                f"has a power of {100 * question.power:g} % to find that of two "
                f"classifiers with AUROCs of {question.auc:.3g} and "
                f"{question.auc + question.difference:.3g} one is better, if the two "
                f"estimates have a correlation of {question.correlation:.2g}."
            )
        case PowerOfNonInferiority():
            return (
                f"{with_so_many}, a one-sided test at {question.significance:g} has a "
                f"power of {100 * question.power:g} % to show that a classifier is not "
                f"worse than another by an AUROC of {question.margin:.3g}, if both "
                f"have {question.auc:.3g} and the two estimates a correlation of "
                f"{question.correlation:.2g}."
            )
    raise TypeError(f"There is no sentence for {question}.")
