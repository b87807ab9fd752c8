"""What a reader may choose about the report."""

from dataclasses import dataclass

from covid_cxr.study.current import current


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
