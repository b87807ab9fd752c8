"""What a reader may choose about inference and about the evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from covid_cxr.checks import check_word
from covid_cxr.statistics.patient_aucs import MAY_BE_PRIMARY
from covid_cxr.study.current import current

_SHARES = (
    *("target_sensitivity", "max_false_positive_rate", "least_sensitivity"),
    *("specificity", "decision_threshold", "power"),
)
_COUNTS = ("bootstrap_replicates", "calibration_bins", "least_subgroup_patients")


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """The report's parameters, as read from parameters_reporting.yml.

    Attributes:
        level: Coverage of every interval, as in 0.95.
        significance: A p value below it is called significant, as in 0.05.
        seed: Of the cases that are drawn at random.
        saliency_path: Name of the path whose maps Figures 4 to 7 show, as in "path_b";
            None for the one chosen on validation.
    """

    level: float
    significance: float
    seed: int
    saliency_path: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no level, no significance or no seed."""
        for name, value in (("level", self.level), ("significance", self.significance)):
            if not 0 < value < 1:
                raise ValueError(
                    f"reporting.{name} must lie between 0 and 1, got {value}"
                )
        if self.seed < 0:
            raise ValueError(f"reporting.seed must not be negative, got {self.seed}")
        names = [path.name for path in current().paths]
        if self.saliency_path is not None and self.saliency_path not in names:
            raise ValueError(
                f"reporting.saliency_path must be one of {', '.join(names)}, or null "
                f"for the path chosen on validation; got {self.saliency_path!r}."
            )


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Settings of the evaluation, as read from parameters_reporting.yml.

    Attributes:
        target_sensitivity: Of the threshold that is chosen for it on validation.
        prevalences: Of cases, where the classifier might be used.
        max_false_positive_rate: Where the partial AUROC ends.
        least_sensitivity: From which on the other partial AUROC, of the specificity,
            counts.
        specificity: At which sensitivities are told.
        decision_threshold: Probability at which net benefits are told.
        bootstrap_replicates: Resampled sets of patients.
        calibration_bins: Of the reliability curve.
        age_edges: Years at which a new age band begins.
        least_subgroup_patients: A smaller subgroup keeps its row, without an AUROC.
        power: With which a difference is to be found, for the smallest detectable one.
        primary_auroc: The question that the AUROC is to answer, of
            `statistics.patient_aucs.MAY_BE_PRIMARY`.
        seed: Of every draw.
    """

    target_sensitivity: float
    prevalences: list[float]
    max_false_positive_rate: float
    least_sensitivity: float
    specificity: float
    decision_threshold: float
    bootstrap_replicates: int
    calibration_bins: int
    age_edges: list[float]
    least_subgroup_patients: int
    power: float
    primary_auroc: str
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
        check_word(
            "evaluation.primary_auroc",
            self.primary_auroc,
            MAY_BE_PRIMARY,
            place="parameters_reporting.yml",
        )
        if list(self.age_edges) != sorted(set(self.age_edges)):
            raise ValueError(
                f"evaluation.age_edges must rise, got {self.age_edges}; correct it "
                f"in parameters_reporting.yml."
            )


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Losses that would still be accepted, as read from parameters_reporting.yml.

    To be chosen before the test part is read, from what a loss would do to patients;
    None: there is no verdict.

    Attributes:
        auroc: Of the area.
        sensitivity: Of the share of cases that are called.
        specificity: Of the share of controls that are not.
        ppv: Of the positive predictive value.
        npv: Of the negative predictive value.
    """

    auroc: float | None
    sensitivity: float | None
    specificity: float | None
    ppv: float | None
    npv: float | None

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        stated = {name: v for name, v in vars(self).items() if v is not None}
        _check_shares(stated, "margins")


def _check_shares(shares: Mapping[str, Any], step: str = "evaluation") -> None:
    for name, value in shares.items():
        if not isinstance(value, int | float) or not 0 < value < 1:
            raise ValueError(
                f"{step}.{name} must lie between 0 and 1, got {value!r}; correct "
                f"it in parameters_reporting.yml."
            )
