"""How a classifier is trained: the recipe, and when the rate falls and it ends."""

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from covid_cxr.checks import check_flag, check_whole, check_word

Trainable = Literal["all", "last_block", "head"]

COUNTS = ("batch_images", "max_epochs", "plateau_epochs", "stop_epochs")
# Each number with its interval, closed below and open above.
INTERVALS = {
    "learning_rate": (0.0, math.inf),
    "momentum": (0.0, 1.0),
    "weight_decay": (0.0, math.inf),
    "plateau_factor": (0.0, 1.0),
    "rotation_degrees": (0.0, 180.0),
    "crop_share": (0.0, 1.0),
    "averaging": (0.0, 1.0),
}
POSITIVE = ("learning_rate", "plateau_factor")
_PLACE = "`recipe`, of all trainings, of the phase or of the path"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The recipe of one phase, as read from parameters_phaseN.yml (paper, Section 2).

    Attributes:
        learning_rate: Initial rate, larger than 0.
        momentum: Of stochastic gradient descent, in [0, 1).
        weight_decay: Share of a kernel that its gradient gains ("coupled_l2") or that
            it loses at a learning rate of 1 ("decoupled"); convolution and dense
            kernels only.
        decay: Whether weight decay passes through the momentum or beside it.
        batch_images: Radiographs per step and replica.
        max_epochs: Epochs after which training ends in any case.
        plateau_epochs: Epochs without improvement before the rate is multiplied.
        plateau_factor: What it is multiplied by, in (0, 1).
        stop_epochs: Epochs without improvement before training ends.
        flip: Whether half of the training images are mirrored.
        rotation_degrees: Largest rotation, either way.
        crop_share: Largest share that height and width each lose, in [0, 1).
        averaging: Share that the running mean of the epochs' weights keeps at each
            epoch, in [0, 1); 0 takes every epoch's own. Validation, and what is kept,
            are of the mean (Polyak and Juditsky 1992; Izmailov et al. 2018).
        seed: Of the head, the order of the images and their augmentation.
        trainable: What is trained; the rest stays as the parent's, its batch
            normalisation included. "last_block" is the last dense block and the head.
    """

    learning_rate: float
    momentum: float
    weight_decay: float
    decay: Literal["coupled_l2", "decoupled"]
    batch_images: int
    max_epochs: int
    plateau_epochs: int
    plateau_factor: float
    stop_epochs: int
    flip: bool
    rotation_degrees: float
    crop_share: float
    seed: int
    averaging: float = 0.0
    trainable: Trainable = "all"

    def __post_init__(self) -> None:
        """Refuse settings with which training would fail or do nothing."""
        for name in COUNTS:
            check_whole(f"recipe.{name}", getattr(self, name), least=1, place=_PLACE)
        check_whole("recipe.seed", self.seed, least=0, place=_PLACE)
        for name in INTERVALS:
            _check_number(name, getattr(self, name))
        words = {"decay": ("coupled_l2", "decoupled"), "trainable": get_args(Trainable)}
        for name, allowed in words.items():
            check_word(f"recipe.{name}", getattr(self, name), allowed, place=_PLACE)
        check_flag("recipe.flip", self.flip, place=_PLACE)


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """How long the validation loss has not improved, after some epochs.

    An epoch improves when its loss is lower than every earlier one, by however little.

    Attributes:
        best_loss: Lowest validation loss so far.
        best_epoch: Its epoch, from 1; 0 before the first.
        n_stale_epochs: Epochs since the best one.
        n_waited_epochs: Epochs since the best one or since the rate last fell.
        n_divisions: How often the rate has fallen.
    """

    best_loss: float = math.inf
    best_epoch: int = 0
    n_stale_epochs: int = 0
    n_waited_epochs: int = 0
    n_divisions: int = 0

    def after_epoch(
        self, epoch: int, validation_loss: float, recipe: Recipe
    ) -> "Plateau":
        """Return the record after `epoch` ended with `validation_loss`."""
        if validation_loss < self.best_loss:
            return replace(
                self,
                best_loss=validation_loss,
                best_epoch=epoch,
                n_stale_epochs=0,
                n_waited_epochs=0,
            )
        is_due = self.n_waited_epochs + 1 >= recipe.plateau_epochs
        return replace(
            self,
            n_stale_epochs=self.n_stale_epochs + 1,
            n_waited_epochs=0 if is_due else self.n_waited_epochs + 1,
            n_divisions=self.n_divisions + is_due,
        )

    def learning_rate(self, recipe: Recipe) -> float:
        """Return the rate of the next epoch."""
        return float(recipe.learning_rate * recipe.plateau_factor**self.n_divisions)

    def is_over(self, recipe: Recipe) -> bool:
        """Return whether training ends for want of improvement."""
        return self.n_stale_epochs >= recipe.stop_epochs


def _check_number(name: str, value: object) -> None:
    lowest, end = INTERVALS[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_allowed = (
        is_number
        and lowest <= value < end  # type: ignore[operator]
        and not (value == 0 and name in POSITIVE)
    )
    if not is_allowed:
        opening = "(" if name in POSITIVE else "["
        raise ValueError(
            f"recipe.{name} must be a number in {opening}{lowest:g}, {end:g}), got "
            f"{value!r}."
        )
