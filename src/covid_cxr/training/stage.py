"""The stages of the study as Kedro nodes: one training each."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.radiographs.store import ImageStore
from covid_cxr.training.loop import fit, phase_of
from covid_cxr.training.network import swap_head
from covid_cxr.training.provenance import training_provenance
from covid_cxr.training.randomness import random_stream
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.training_set import assemble, check_classifier, check_trainable

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
        store: ImageStore,
        curated: pd.DataFrame,
        split: pd.DataFrame,
        intensity: Mapping[str, Any],
        labels: list[str],
        recipe: Recipe,
    ) -> tuple[Any, list[Mapping[str, float]], dict[str, Any]]:
        """Return the trained classifier, its history and its provenance.

        The classifier has the parent's body and a new head, is trained end to end and
        has the weights of the epoch with the lowest validation loss.

        Args:
            parent: The Keras model to start from. It stays as it is.
            parent_provenance: Where it comes from.
            store: The cohort's images.
            curated: `image_id`, `row` in the store, and a boolean column per label.
            split: `image_id`, `patient_id` and `part`.
            intensity: `mean` and `standard_deviation` on [0, 1], and `n_images`.
            labels: What the classifier is to tell, in the order of its outputs.
            recipe: How it is trained.

        Raises:
            ValueError: If it cannot be trained with these, before the first step; or
                if the loss is no longer a number.
        """
        training_set = assemble(
            store, curated, split, intensity=intensity, labels=labels
        )
        head_seed = random_stream(recipe.seed, f"{phase_of(self.name)} head").integers(
            2**31
        )
        classifier = swap_head(parent, len(labels), seed=int(head_seed))
        check_classifier(classifier, training_set)
        check_trainable(training_set)
        state = fit(classifier, training_set, recipe, stage=self.name)
        classifier.set_weights(state.best_weights)
        provenance = training_provenance(
            self.name,
            parent_provenance,
            training_set=training_set,
            recipe=recipe,
            state=state,
        )
        logger.info(
            "%s: trained %d epochs from %s, kept epoch %d (validation loss %.4f)",
            self.name,
            state.n_epochs,
            parent_provenance["stage"],
            state.plateau.best_epoch,
            state.plateau.best_loss,
        )
        return classifier, list(state.history), provenance
