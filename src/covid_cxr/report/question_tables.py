"""What the report shows of the questions that an AUROC may answer."""

from dataclasses import dataclass

import pandas as pd

from covid_cxr.statistics.patient_aucs import (
    IMAGE,
    ONE_IMAGE,
    PATIENT_FIRST,
    PATIENT_MAX,
    PATIENT_MEAN,
)

TITLES = {
    IMAGE: "all images",
    PATIENT_MAX: "patients, by the highest score",
    PATIENT_MEAN: "patients, by the mean score",
    ONE_IMAGE: "one image of each patient",
    PATIENT_FIRST: "patients, by the first image",
}


@dataclass(frozen=True, kw_only=True)
class QuestionTables:
    """What the section shows.

    Attributes:
        question_results: From `evaluation.auroc_questions`.
        question_pair_results: Likewise.
    """

    question_results: pd.DataFrame
    question_pair_results: pd.DataFrame

    @property
    def primary(self) -> str:
        """The question that was stated as the primary one."""
        table = self.question_results
        return str(table.loc[table["is_primary"], "question"].iloc[0])

    def differ(self, significance: float) -> pd.DataFrame:
        """Return the answers that are told apart from the primary one.

        Args:
            significance: As in 0.05.
        """
        table = self.question_results
        return table[table["from_primary_p_value"] < significance]


def question_title(question: str) -> str:
    """Return whose AUROC a question asks for.

    Args:
        question: Of `statistics.patient_aucs.MAY_BE_PRIMARY`.
    """
    return TITLES[question]
