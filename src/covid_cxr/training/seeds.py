"""A training repeated with other seeds: how much of a result is the luck of one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from covid_cxr.checks import check_whole
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """How often a training is run, as read from parameters_phase3.yml.

    Attributes:
        n_seeds: Trainings with the recipe's seed, the next one, and so on; 1 repeats
            nothing.
    """

    n_seeds: int

    def __post_init__(self) -> None:
        """Refuse what is no number of trainings."""
        place = "parameters_phase3.yml"
        check_whole("repetition.n_seeds", self.n_seeds, least=1, place=place)


def train_further_seeds(
    stage: Stage, *, recipe: Recipe, repetition: Repetition, **training: Any
) -> Iterator[tuple[int, Any]]:
    """Yield each seed after the recipe's own and the classifier that it gives.

    All start from the same parent; the head, the order of the images and their
    augmentation differ. Each classifier is trained when it is asked for.

    Args:
        stage: The training that is repeated.
        recipe: How it is trained, but for the seed.
        repetition: With how many seeds.
        training: What else `Stage.train` takes; `states` keeps each from being run
            twice.
    """
    for seed in range(recipe.seed + 1, recipe.seed + repetition.n_seeds):
        classifier, *_ = stage.train(recipe=replace(recipe, seed=seed), **training)
        yield seed, classifier
