"""What is asked of scores beyond their AUROC, and at which settings."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

_SHARES = ("target_sensitivity", "max_false_positive_rate", "power")
_COUNTS = ("bootstrap_replicates", "calibration_bins", "least_subgroup_patients")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Settings of the evaluation, as read from parameters_reporting.yml.

    Attributes:
        target_sensitivity: Of the threshold that is chosen for it on validation.
        prevalences: Of cases, where the classifier might be used.
        max_false_positive_rate: Where the partial AUROC ends.
        bootstrap_replicates: Resampled sets of patients.
        calibration_bins: Of the reliability curve.
        age_edges: Years at which a new age band begins.
        least_subgroup_patients: A smaller subgroup keeps its row, without an AUROC.
        power: With which a difference is to be found, for the smallest detectable one.
        seed: Of every draw.
    """

    target_sensitivity: float
    prevalences: list[float]
    max_false_positive_rate: float
    bootstrap_replicates: int
    calibration_bins: int
    age_edges: list[float]
    least_subgroup_patients: int
    power: float
    seed: int

    def __post_init__(self) -> None:
        """Refuse what is no share, no count or out of order."""
        shares = {name: getattr(self, name) for name in _SHARES}
        shares |= {f"prevalences[{i}]": p for i, p in enumerate(self.prevalences)}
        _check_shares(shares)
        for name in _COUNTS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"evaluation.{name} must be a whole number of at least 1, got "
                    f"{value!r}; correct it in parameters_reporting.yml."
                )
        if list(self.age_edges) != sorted(set(self.age_edges)):
            raise ValueError(
                f"evaluation.age_edges must rise, got {self.age_edges}; correct it "
                f"in parameters_reporting.yml."
            )


@dataclass(frozen=True, kw_only=True)
class EvaluationTables:
    """What a report shows beyond AUROCs, by the name of the dataset.

    A table without rows, and a figure that is a note, stand for what cannot be known.

    Attributes:
        auroc_results: From `aurocs.tabulate_aurocs`.
        operating_results: From `operating.tabulate_operating_points`.
        calibration_results: From `calibration.tabulate_calibration`.
        ensemble_results: From `ensembles.tabulate_ensembles`.
        subgroup_results: From `subgroups.tabulate_subgroups`.
        reliability_figure: PNG file.
        decision_figure: PNG file.
        forest_figure: PNG file.
    """

    auroc_results: pd.DataFrame
    operating_results: pd.DataFrame
    calibration_results: pd.DataFrame
    ensemble_results: pd.DataFrame
    subgroup_results: pd.DataFrame
    reliability_figure: bytes
    decision_figure: bytes
    forest_figure: bytes


EVALUATION_DATASETS = tuple(field.name for field in fields(EvaluationTables))


def _check_shares(shares: Mapping[str, Any]) -> None:
    for name, value in shares.items():
        if not isinstance(value, int | float) or not 0 < value < 1:
            raise ValueError(
                f"evaluation.{name} must lie between 0 and 1, got {value!r}; correct "
                f"it in parameters_reporting.yml."
            )
