"""What a reader may choose about saliency maps."""

from dataclasses import dataclass
from typing import ClassVar

from covid_cxr.checks import check_whole, check_word
from covid_cxr.saliency.grad_cam import METHODS

_COUNTS = (
    *("true_positives", "true_negatives", "false_positives", "false_negatives"),
    *("randomised_images", "seed"),
)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """How the pointing game's maps are made, from parameters_phase1 and _phase2.yml.

    Attributes:
        method: One of `grad_cam.METHODS`.
        layer: Name of a layer with feature maps; None for the last before pooling.
    """

    method: str
    layer: str | None

    _PARAMETER: ClassVar[str] = "pointing"
    _PLACE: ClassVar[str] = "parameters_phase1.yml or parameters_phase2.yml"

    def __post_init__(self) -> None:
        """Refuse a method that does not exist and what is no name of a layer."""
        check_word(f"{self._PARAMETER}.method", self.method, METHODS, place=self._PLACE)
        is_name = isinstance(self.layer, str) and self.layer
        if self.layer is not None and not is_name:
            raise ValueError(
                f"{self._PARAMETER}.layer must be the name of a layer, or null for the "
                f"last before pooling, got {self.layer!r}; correct it in {self._PLACE}."
            )


@dataclass(frozen=True, kw_only=True)
class Saliency(Explanation):
    """How phase 3 is explained and its maps judged, from parameters_phase3.yml.

    Attributes:
        true_positives: Cases that the classifier calls cases, to be shown.
        true_negatives: Controls that it calls controls.
        false_positives: Controls that it calls cases.
        false_negatives: Cases that it calls controls.
        seed: Of the draw, and of the random weights.
        randomised_images: How many test images the randomisation test takes; 0 for no
            such test.
        border_share: Of the image's size, that the frame is wide whose energy is
            measured; above 0, below one half.
        corner_share: Of the image's size, that each corner is wide and high; likewise.
    """

    true_positives: int
    true_negatives: int
    false_positives: int
    false_negatives: int
    seed: int
    randomised_images: int
    border_share: float
    corner_share: float

    _PARAMETER: ClassVar[str] = "saliency"
    _PLACE: ClassVar[str] = "parameters_phase3.yml"

    def __post_init__(self) -> None:
        """Refuse counts that are no counts and regions that are no part of an image."""
        super().__post_init__()
        for name in _COUNTS:
            value = getattr(self, name)
            check_whole(f"saliency.{name}", value, least=0, place=self._PLACE)
        for name in ("border_share", "corner_share"):
            share = getattr(self, name)
            if not 0 < share < 0.5:
                raise ValueError(
                    f"saliency.{name} must lie between 0 and 0.5, got {share!r}."
                )
