"""From the radiographs that lists name to those that a study begins with.

What is listed, and the names that find nothing, are written before a run may stop for
them: whoever reads why it stopped finds all names in the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from covid_cxr.radiographs.unmatched import (
    UnmatchedBound,
    check_share,
    names_without_file,
    refuse_unmatched,
)

LIST = "list"  # the column that says which list names a radiograph


def parameter_of(cohort: str) -> str:
    """Return the name of the parameter that bounds a cohort's unmatched names."""
    return f"{cohort}_ingestion.max_unmatched_share"


def check_word(name: str, word: object, words: tuple[str, ...]) -> None:
    """Refuse a word that is none of those that there are.

    Args:
        name: Of the parameter, for the message.
        word: As given.
        words: Those that there are.

    Raises:
        ValueError: If it is another.
    """
    if word not in words:
        raise ValueError(
            f"{name} must be one of {', '.join(words)}, got {word!r}; correct it in "
            f"<cohort>_ingestion."
        )


def names_by_list(listed: pd.DataFrame) -> list[pd.DataFrame]:
    """Return for each list the names whose file is not in the folder.

    Args:
        listed: With the column `list`, and else as for `names_without_file`.
    """
    return [
        names_without_file(rows, of=str(name))
        for name, rows in listed.groupby(LIST, sort=False)
    ]


@dataclass(frozen=True)
class MatchedCohort:
    """A cohort whose lists are judged; `admit` is the node's function.

    Attributes:
        name: Of the cohort.
    """

    name: str

    def admit(
        self,
        listed: pd.DataFrame,
        unmatched: pd.DataFrame,
        max_unmatched_share: float,
        findings: Sequence[str],
    ) -> pd.DataFrame:
        """Return the radiograph table, unless its lists fit too badly.

        Args:
            listed: The radiograph table, perhaps with the column `list`.
            unmatched: As from `unmatched_names`, of all lists.
            max_unmatched_share: Of the names of each list, 0 to 1, that may find
                nothing.
            findings: Labels of the study, each a column.

        Raises:
            ValueError: If more of a list find nothing, or the cohort has no such label.
        """
        self._refuse_unknown_labels(listed, findings)
        parameter = parameter_of(self.name)
        check_share(max_unmatched_share, parameter)
        bound = UnmatchedBound(
            share=max_unmatched_share,
            parameter=parameter,
            kept_in=f"02_intermediate/{self.name}_lists_unmatched.parquet",
        )
        refuse_unmatched(unmatched, bound)
        return listed.drop(columns=LIST, errors="ignore")

    def _refuse_unknown_labels(
        self, listed: pd.DataFrame, findings: Sequence[str]
    ) -> None:
        known = listed.select_dtypes("boolean").columns
        unknown = [finding for finding in findings if finding not in known]
        if unknown:
            raise ValueError(
                f"The study learns {', '.join(unknown)} from the cohort {self.name}, "
                f"whose radiographs are labelled with {', '.join(known) or 'nothing'}. "
                f"Correct the labels in study.yml, or take another cohort."
            )
