"""The stages of the study as Kedro nodes: one training each."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.console.channels import NOTE
from covid_cxr.training.loop import fit, phase_of
from covid_cxr.training.network import swap_head
from covid_cxr.training.provenance import training_provenance
from covid_cxr.training.randomness import random_stream
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.state import StateFolder
from covid_cxr.training.strategy import Compute
from covid_cxr.training.training_set import (
    Images,
    assemble,
    check_classifier,
    check_trainable,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """A training of the study; its bound method `train` is the node's function.

    Attributes:
        name: As in "phase1" or "path_b.phase2".
    """

    name: str

    def train(  # noqa: PLR0913 - one argument per dataset of the catalog
        self,
        *,
        parent: Any,
        parent_provenance: dict[str, Any],
        store: Images,
        curated: pd.DataFrame,
        split: pd.DataFrame,
        intensity: Mapping[str, Any],
        labels: list[str],
        recipe: Recipe,
        compute: Compute,
        states: StateFolder,
    ) -> tuple[Any, list[Mapping[str, float]], dict[str, Any], dict[str, Any]]:
        """Return the trained classifier, its history, its provenance and its clock.

        The classifier has the parent's body and a new head, is trained as far as the
        recipe says and has the weights of the epoch with the lowest validation loss.
        A training that was interrupted goes on after the last epoch in `states`. What
        depends on the clock stands apart from what the same training gives again: the
        `seconds` that each epoch took.

        Args:
            parent: The Keras model to start from. It stays as it is.
            parent_provenance: Where it comes from.
            store: The cohort's images.
            curated: `image_id`, `row` in the store, and a boolean column per label.
            split: `image_id`, `patient_id` and `part`.
            intensity: `mean` and `standard_deviation` on [0, 1], and `n_images`.
            labels: What the classifier is to tell, in the order of its outputs.
            recipe: How it is trained.
            compute: What it runs on.
            states: Where its state is kept after each epoch.

        Raises:
            ValueError: If it cannot be trained with these, before the first step; or
                if the loss is no longer a number.
            OSError: If a state cannot be kept.
        """
        training_set = assemble(
            store,
            curated,
            split,
            intensity=intensity,
            labels=labels,
        )
        head_seed = random_stream(recipe.seed, f"{phase_of(self.name)} head").integers(
            2**31
        )
        classifier = swap_head(parent, len(labels), seed=int(head_seed))
        check_classifier(classifier, training_set)
        check_trainable(training_set)
        state = fit(
            classifier,
            training_set,
            recipe,
            stage=self.name,
            compute=compute,
            states=states,
        )
        classifier.set_weights(state.best_weights)
        provenance = training_provenance(
            self.name,
            parent_provenance,
            training_set=training_set,
            recipe=recipe,
            state=state,
        )
        logger.log(
            NOTE,
            "%s: trained %d epochs from %s in %.1f min, kept epoch %d "
            "(validation loss %.4f)",
            self.name,
            state.n_epochs,
            parent_provenance["stage"],
            sum(state.seconds) / 60,
            state.plateau.best_epoch,
            state.plateau.best_loss,
        )
        clock = {"seconds": list(state.seconds)}
        return classifier, list(state.history), provenance, clock
