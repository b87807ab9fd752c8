"""What a reader may choose about saliency maps."""

from dataclasses import dataclass

from covid_cxr.checks import check_whole
from covid_cxr.saliency.grad_cam import check_method

_COUNTS = (
    *("true_positives", "true_negatives", "false_positives", "false_negatives"),
    *("randomised_images", "seed"),
)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """How a map is made, as read from parameters_phase2.yml.

    Attributes:
        method: One of `grad_cam.METHODS`.
        layer: Name of a layer with feature maps; None for the last before pooling.
    """

    method: str
    layer: str | None

    def __post_init__(self) -> None:
        """Refuse a method that does not exist and what is no name of a layer."""
        check_method(self.method)
        is_name = isinstance(self.layer, str) and self.layer
        if self.layer is not None and not is_name:
            raise ValueError(
                "saliency.layer must be the name of a layer, or null for the last "
                f"before pooling; got {self.layer!r}."
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

    def __post_init__(self) -> None:
        """Refuse counts that are no counts and regions that are no part of an image."""
        super().__post_init__()
        place = "parameters_phase3.yml"
        for name in _COUNTS:
            check_whole(f"saliency.{name}", getattr(self, name), least=0, place=place)
        for name in ("border_share", "corner_share"):
            share = getattr(self, name)
            if not 0 < share < 0.5:
                raise ValueError(
                    f"saliency.{name} must lie between 0 and 0.5, got {share!r}."
                )
