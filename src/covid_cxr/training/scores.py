"""Scores: what a classifier says of the radiographs that it was not trained on."""

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd
from scipy.special import expit

from covid_cxr.training.batches import plain_batches
from covid_cxr.training.traced import traced_network
from covid_cxr.training.training_set import Images, assemble, check_classifier

logger = logging.getLogger(__name__)

SCORED_PARTS = ("validation", "test")
BATCH_IMAGES = 32


def score(
    classifier: Any,
    store: Images,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity: Mapping[str, Any],
    labels: list[str],
) -> pd.DataFrame:
    """Return the scores of the validation and test images.

    Columns: `image_id`, `patient_id`, `part`, and for each label `<label>` (boolean)
    and `<label>_score` in [0, 1], computed in double precision so that two images of
    which the classifier is very sure are still told apart.

    Args:
        classifier: A Keras model with one output per label.
        store: The cohort's images.
        curated: `image_id`, `row` in the store, and a boolean column per label.
        split: `image_id`, `patient_id` and `part`.
        intensity: `mean` and `standard_deviation` on [0, 1], as in training.
        labels: What the classifier tells, in the order of its outputs.

    Raises:
        ValueError: If an image, its label or its pixels are missing, the classifier
            takes other images or tells other labels, or there is nothing to score.
    """
    held_out = split[split["part"].isin(SCORED_PARTS)]
    if held_out.empty:
        raise ValueError(
            "The split has neither a validation nor a test part, so there is nothing "
            "to score. Enlarge them in the split's parameters."
        )
    scored = assemble(store, curated, held_out, intensity=intensity, labels=labels)
    check_classifier(classifier, scored)
    network = traced_network(classifier)
    with network.lock:
        network.put(classifier.get_weights())
        log_odds = network.predict(
            plain_batches(scored.part(*SCORED_PARTS), n_images=BATCH_IMAGES)
        )
    columns = {}
    for number, label in enumerate(labels):
        columns[label] = scored.radiographs[label]
        columns[f"{label}_score"] = expit(log_odds[:, number])
    logger.info("scored %d images for %d labels", len(held_out), len(labels))
    return scored.radiographs[["image_id", "patient_id", "part"]].assign(**columns)
