"""From the radiographs that lists name to those that a study begins with.

What is listed, and the names that find nothing, are written before a run may stop for
them: whoever reads why it stopped finds all names in the file.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pandas as pd

from covid_cxr.checks import check_share, check_word
from covid_cxr.patients.pseudonyms import check_salt
from covid_cxr.radiographs.unmatched import (
    UnmatchedBound,
    names_without_file,
    refuse_unmatched,
)

LIST = "list"  # the column that says which list names a radiograph
PLACE = "<cohort>_ingestion"  # where its parameters are


def parameter_of(cohort: str) -> str:
    """Return the name of the parameter that bounds a cohort's unmatched names."""
    return f"{cohort}_ingestion.max_unmatched_share"


@dataclass(frozen=True, kw_only=True)
class Ingestion:
    """How a cohort is listed, `<cohort>_ingestion`.

    Attributes:
        max_unmatched_share: Of the names in each list, 0 to 1, that may find nothing;
            above it the run stops.
    """

    max_unmatched_share: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        check_share(parameter_of("<cohort>"), self.max_unmatched_share)

    def _check_word(self, name: str, words: Collection[str]) -> None:
        check_word(name, getattr(self, name), words, place=PLACE)


@dataclass(frozen=True, kw_only=True)
class SaltedIngestion(Ingestion):
    """How a cohort is listed whose patients may get pseudonyms.

    Attributes:
        pseudonym_salt: If given, patient ids become pseudonyms (`pseudonyms.py`). A
            secret: it belongs into conf/local, and is never shown.
    """

    pseudonym_salt: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no share, and a salt that can be guessed."""
        super().__post_init__()
        check_salt(self.pseudonym_salt)


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
        check_share(parameter, max_unmatched_share)
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
