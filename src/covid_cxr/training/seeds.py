"""A training repeated with other seeds: how much of a result is the luck of one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder
from covid_cxr.training.strategy import Compute
from covid_cxr.training.training_set import Images


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
        is_count = isinstance(self.n_seeds, int) and not isinstance(self.n_seeds, bool)
        if not is_count or self.n_seeds < 1:
            raise ValueError(
                "repetition.n_seeds must be a whole number of at least 1, got "
                f"{self.n_seeds!r}."
            )


@dataclass(frozen=True)
class RepeatedStage:
    """A training of the study with several seeds; `train_and_score` is the node's.

    Attributes:
        name: As in "path_b.phase3".
    """

    name: str

    def train_and_score(  # noqa: PLR0913 - one argument per dataset of the catalog
        self,
        *,
        scores: pd.DataFrame,
        parent: Any,
        parent_provenance: dict[str, Any],
        store: Images,
        curated: pd.DataFrame,
        split: pd.DataFrame,
        intensity: Mapping[str, Any],
        labels: list[str],
        recipe: Recipe,
        repetition: Repetition,
        compute: Compute,
        states: StateFolder,
    ) -> pd.DataFrame:
        """Return the scores of every seed, as `training.scores.score` does, and `seed`.

        All start from the same parent; the head, the order of the images and their
        augmentation differ.

        Args:
            scores: Of the training with the recipe's own seed, which is not repeated.
            parent: The Keras model to start from.
            parent_provenance: Where it comes from.
            store: The cohort's images.
            curated: `image_id`, `row` in the store, and a boolean column per label.
            split: `image_id`, `patient_id` and `part`.
            intensity: As in the training with the recipe's own seed.
            labels: What the classifier tells, in the order of its outputs.
            recipe: How it is trained, but for the seed.
            repetition: With how many seeds.
            compute: What the trainings run on.
            states: Where their states are kept, so that none is run twice.
        """
        shared: dict[str, Any] = {
            "store": store,
            "curated": curated,
            "split": split,
            "intensity": intensity,
            "labels": labels,
        }
        tables = [scores.assign(seed=recipe.seed)]
        for seed in range(recipe.seed + 1, recipe.seed + repetition.n_seeds):
            classifier, _, _ = Stage(self.name).train(
                parent=parent,
                parent_provenance=parent_provenance,
                recipe=replace(recipe, seed=seed),
                compute=compute,
                states=states,
                **shared,
            )
            tables.append(score(classifier, **shared).assign(seed=seed))
        return pd.concat(tables, ignore_index=True)
