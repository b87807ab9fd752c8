"""How a bundle is made, as read from parameters_bundle.yml."""

from dataclasses import dataclass

_SHARES = ("refused_share", "coverage", "max_difference", "tolerance")


@dataclass(frozen=True, kw_only=True)
class Bundling:
    """How a classifier becomes a bundle.

    Attributes:
        path: Letter of the path whose classifier it is, or the rule of an ensemble.
        refused_share: Of patients like those of the validation part whose image is to
            be refused as unlike them.
        coverage: Of each class by the prediction sets, by patient.
        max_distance: Bits of 256 between the fingerprints of a picture and a copy.
        max_difference: Between scores of ONNX and Keras, when the bundle is made.
        tolerance: Between scores of the self-test here and elsewhere.
        seed: Of every draw.
    """

    path: str
    refused_share: float
    coverage: float
    max_distance: int
    max_difference: float
    tolerance: float
    seed: int

    def __post_init__(self) -> None:
        """Refuse what is no share. Whether there is such a path, the study tells."""
        for name in _SHARES:
            value = getattr(self, name)
            if not 0 < value < 1:
                raise ValueError(
                    f"bundle.{name} must lie between 0 and 1, got {value!r}."
                )
