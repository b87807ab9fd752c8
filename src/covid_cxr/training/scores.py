"""Scores: what a classifier says of the radiographs that it was not trained on."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.training.batches import plain_batches
from covid_cxr.training.examples import Examples, check_classifier
from covid_cxr.training.traced import traced_network

logger = logging.getLogger(__name__)

SCORED_PARTS = ("validation", "test")
BATCH_IMAGES = 32


def score(classifier: Any, examples: Examples) -> pd.DataFrame:
    """Return the scores of the validation and test images.

    Columns: `image_id`, `patient_id`, `part`, and for each label `<label>` (boolean)
    and `<label>_score` in [0, 1], computed in double precision so that two images of
    which the classifier is very sure are still told apart.

    Args:
        classifier: A Keras model with one output per label.
        examples: With the intensity of its training.

    Raises:
        ValueError: If the classifier takes other images or tells other labels, or there
            is nothing to score.
    """
    held_out = examples.part(*SCORED_PARTS)
    if held_out.radiographs.empty:
        raise ValueError(
            "The split has neither a validation nor a test part, so there is nothing "
            "to score. Enlarge them in the split's parameters."
        )
    check_classifier(classifier, held_out)
    network = traced_network(classifier)
    with network.lock:
        network.put(classifier.get_weights())
        log_odds = network.predict(plain_batches(held_out, n_images=BATCH_IMAGES))
    radiographs, columns = held_out.radiographs, {}
    for number, label in enumerate(examples.labels):
        columns[label] = radiographs[label]
        columns[f"{label}_score"] = expit(log_odds[:, number])
    logger.info("scored %d images for %d labels", len(radiographs), len(columns) // 2)
    return radiographs[["image_id", "patient_id", "part"]].assign(**columns)


def validation_auroc(scores: pd.DataFrame, labels: Sequence[str]) -> float:
    """Return the mean AUROC over labels on the validation part; NaN where none has one.

    A label that lacks cases or controls there does not count; nor does an image whose
    label is not known.

    Args:
        scores: From `score`.
        labels: Those that it tells.
    """
    validation = scores[scores["part"] == "validation"]
    known = [validation[validation[label].notna()] for label in labels]
    aurocs = [
        estimate_aucs(rows[label].to_numpy(bool), rows[f"{label}_score"]).auc[0]
        for label, rows in zip(labels, known, strict=True)
        if rows[label].nunique() == 2
    ]
    return float(np.mean(aurocs)) if aurocs else float("nan")
