"""The 14 observations of the CheXpert labeler: CheXpert and MIMIC-CXR-JPG.

Irvin et al., AAAI 2019: 1 is positive, 0 negative, -1 uncertain, blank not mentioned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from covid_cxr.checks import check_word
from covid_cxr.cohorts.radiograph_table import stated
from covid_cxr.cohorts.vocabulary import findings_of, terms_of, words_for
from covid_cxr.sources.listed import PLACE, Ingestion

ONES, ZEROS, IGNORE = "ones", "zeros", "ignore"
_MEANS: Mapping[str, Any] = {ONES: True, ZEROS: False, IGNORE: pd.NA}


@dataclass(frozen=True, kw_only=True)
class ObservationIngestion(Ingestion):
    """How observations become labels.

    Attributes:
        uncertain: What -1 becomes: "ones", "zeros" or "ignore" (not known).
        uncertain_by_finding: The same for single findings, by their names here.
        blank: What is not mentioned becomes: "zeros", as CheXpert's own baselines read
            it, or "ignore".
    """

    uncertain: str = IGNORE
    uncertain_by_finding: Mapping[str, str] = field(default_factory=dict, hash=False)
    blank: str = ZEROS

    def __post_init__(self) -> None:
        """Refuse words and findings that do not exist."""
        super().__post_init__()
        self._check_word("uncertain", (*_MEANS,))
        self._check_word("blank", (ZEROS, IGNORE))
        is_record = isinstance(self.uncertain_by_finding, Mapping)
        if not is_record:
            raise ValueError(
                f"uncertain_by_finding must be a record such as {{edema: ones}}, got "
                f"{self.uncertain_by_finding!r}; correct it in {PLACE}."
            )
        findings = findings_of("chexpert")
        for finding, word in self.uncertain_by_finding.items():
            said = "uncertain_by_finding"
            check_word(f"a finding in {said}", finding, findings, place=PLACE)
            check_word(f"{said}.{finding}", word, (*_MEANS,), place=PLACE)


def read_observations(
    table: pd.DataFrame, source: str, ingestion: ObservationIngestion
) -> tuple[pd.DataFrame, pd.Series]:
    """Return a boolean column per finding, and what is wrong with a row.

    Args:
        table: With the 14 columns, as text.
        source: Whose words the columns are.
        ingestion: What uncertain and blank become.
    """
    findings = {}
    problem = pd.Series(pd.NA, index=table.index, dtype="str")
    for finding, (column, *_) in words_for(source).items():
        cells = stated(table[column])
        values = pd.to_numeric(cells, errors="coerce")
        uncertain = ingestion.uncertain_by_finding.get(finding, ingestion.uncertain)
        findings[finding] = (
            values.eq(1)
            .astype("boolean")
            .mask(values.eq(-1), _MEANS[uncertain])
            .mask(cells.isna(), _MEANS[ingestion.blank])
        )
        is_other = cells.notna() & ~values.isin([1, 0, -1])
        problem = problem.mask(problem.isna() & is_other, f"{column} is not 1, 0 or -1")
    return pd.DataFrame(findings, index=table.index), problem


def observation_columns(source: str) -> tuple[str, ...]:
    """Return the columns of a table of observations."""
    return tuple(terms_of(source))
