"""How radiographs are predicted, as read from parameters_prediction.yml."""

from dataclasses import dataclass

from covid_cxr.checks import check_whole


@dataclass(frozen=True, kw_only=True)
class PredictionSettings:
    """How radiographs are predicted.

    Attributes:
        name: Of the folder of the results.
        prevalence: As for `Bundle.predict`.
        workers: Processes.
    """

    name: str
    prevalence: float | None
    workers: int

    def __post_init__(self) -> None:
        """Refuse no process. The prevalence is refused where it is used."""
        place = "parameters_prediction.yml"
        check_whole("prediction.workers", self.workers, least=1, place=place)
