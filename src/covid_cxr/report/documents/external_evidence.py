"""What an external validation left, as its documents are filled from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.report import wording


@dataclass(frozen=True, kw_only=True)
class ExternalEvidence:
    """Everything that a document may state of an external validation.

    Attributes:
        primary: The primary result, from `state_primary`.
        reporting: For the level.
        radiographs: Of the cohort, as predicted.
        flow_results: What became of every row of the manifest.
        discrimination_results: AUROCs and differences to the internal test.
        operating_results: At the thresholds of the bundles.
        calibration_results: Of the frozen probabilities; no rows without.
        case_mix_results: Who is in both cohorts.
        standardised_results: AUROCs at the case mix of the internal test.
        membership_results: How well the cohorts are told apart.
        subgroups_results: AUROCs by site, view, sex and age band.
        shortcuts_results: What metadata and grey values alone tell.
        recalibration_results: Before and after updating; no rows without.
        hypotheses_results: What the protocol expects; no rows without.
        flags_results: What a reader must ask.
    """

    primary: Mapping[str, Any]
    reporting: Reporting
    radiographs: pd.DataFrame
    flow_results: pd.DataFrame
    discrimination_results: pd.DataFrame
    operating_results: pd.DataFrame
    calibration_results: pd.DataFrame
    case_mix_results: pd.DataFrame
    standardised_results: pd.DataFrame
    membership_results: pd.DataFrame
    subgroups_results: pd.DataFrame
    shortcuts_results: pd.DataFrame
    recalibration_results: pd.DataFrame
    hypotheses_results: pd.DataFrame
    flags_results: pd.DataFrame

    @property
    def label(self) -> Mapping[str, str]:
        """What the bundles tell: `name`, `words` and `reference`."""
        first = next(iter(self.primary["classifiers"].values()))
        label: Mapping[str, str] = first["label"]
        return label

    @property
    def is_synthetic(self) -> bool:
        """Whether a program drew any of the radiographs."""
        return bool(self.radiographs["is_synthetic"].any())

    @property
    def has_both_classes(self) -> bool:
        """Whether any classifier predicted cases and controls."""
        return bool(self.discrimination_results["auroc"].notna().any())

    def mix(self, cohort: str, variable: str) -> Iterator[Mapping[Any, Any]]:
        """Yield rows of the case mix."""
        table = self.case_mix_results
        is_asked = (table["cohort"] == cohort) & (table["variable"] == variable)
        yield from table[is_asked].to_dict("records")

    def estimate(self, row: Mapping[Any, Any], name: str = "auroc") -> str:
        """Return an estimate with its interval, in words (`wording.estimate`)."""
        return wording.estimate(row, name, level=self.reporting.level)
