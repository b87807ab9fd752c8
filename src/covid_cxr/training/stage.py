"""The stages of the study as Kedro nodes: one training each."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.console.channels import NOTE
from covid_cxr.devices.strategy import Compute
from covid_cxr.training.examples import (
    Examples,
    check_classifier,
    check_trainable,
)
from covid_cxr.training.loop import fit, phase_of
from covid_cxr.training.network import swap_head
from covid_cxr.training.provenance import training_provenance
from covid_cxr.training.randomness import random_stream
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score, validation_auroc
from covid_cxr.training.state import StateFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """A training of the study; its bound methods are the nodes' functions.

    Attributes:
        name: As in "phase1" or "path_b.phase2".
    """

    name: str

    def train(
        self,
        *,
        parent: Any,
        parent_provenance: dict[str, Any],
        examples: Examples,
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
            examples: What it is trained on.
            recipe: How it is trained.
            compute: What it runs on.
            states: Where its state is kept after each epoch.

        Raises:
            ValueError: If it cannot be trained with these, before the first step; or
                if the loss is no longer a number.
            OSError: If a state cannot be kept.
        """
        head_seed = random_stream(recipe.seed, f"{phase_of(self.name)} head").integers(
            2**31
        )
        classifier = swap_head(parent, len(examples.labels), seed=int(head_seed))
        check_classifier(classifier, examples)
        check_trainable(examples)
        state = fit(
            classifier,
            examples,
            recipe,
            stage=self.name,
            compute=compute,
            states=states,
        )
        classifier.set_weights(state.best_weights)
        provenance = training_provenance(
            self.name,
            parent_provenance,
            examples=examples,
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

    def score(self, classifier: Any, examples: Examples) -> pd.DataFrame:
        """Return the scores of the held-out images, and note the validation AUROC.

        Args:
            classifier: As trained.
            examples: As for `scores.score`.

        Raises:
            ValueError: As `scores.score`.
        """
        scores = score(classifier, examples)
        auroc = validation_auroc(scores, examples.labels)
        n_labels = len(examples.labels)
        of_labels = f", mean of {n_labels} findings" if n_labels > 1 else ""
        logger.log(NOTE, "%s: validation AUROC %.3f%s", self.name, auroc, of_labels)
        return scores
