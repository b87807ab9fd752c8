"""Provenance: what a classifier was made from, through all its ancestors.

A record holds hashes, counts and settings; no place on a disk and no patient.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import covid_cxr
from covid_cxr.devices.backend import deterministic_tensorflow
from covid_cxr.devices.strategy import Compute
from covid_cxr.source_code import code_sha256
from covid_cxr.training.examples import PARTS, Examples
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.state import TrainingState


def initial_provenance(classifier: Any, network: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance of a classifier that has seen no radiograph."""
    return {
        "stage": "initial",
        "parents": [],
        "network": dict(network),
        "seed": network["seed"],
        "weights_sha256": _weights_sha256(classifier.get_weights()),
        "versions": _versions(),
    }


def training_provenance(
    stage: str,
    parent: Mapping[str, Any],
    *,
    examples: Examples,
    recipe: Recipe,
    state: TrainingState,
) -> dict[str, Any]:
    """Return the provenance of the best classifier of a training.

    Its `parents` are the records of all ancestors, the oldest first.

    Args:
        stage: The training's name, as in "path_b.phase2".
        parent: The provenance of the classifier that it started from.
        examples: What it was trained on.
        recipe: How.
        state: The training's last state.
    """
    generation = {key: parent[key] for key in parent if key != "parents"}
    counts = examples.radiographs["part"].value_counts()
    return {
        "stage": stage,
        "parents": [*parent["parents"], generation],
        "network": parent["network"],
        "labels": list(examples.labels),
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "split_sha256": split_sha256(examples.radiographs),
        "n_images": {part: int(counts.get(part, 0)) for part in PARTS},
        "intensity": asdict(examples.intensity),
        "n_epochs": state.n_epochs,
        "best_epoch": state.plateau.best_epoch,
        "best_validation_loss": state.plateau.best_loss,
        "weights_sha256": _weights_sha256(state.best_weights),
        "versions": _versions(),
    }


def training_origin(
    stage: str,
    classifier: Any,
    examples: Examples,
    recipe: Recipe,
    compute: Compute,
) -> dict[str, Any]:
    """Return all that the course of a training depends on, as JSON takes it.

    Args:
        stage: The training's name, as in "path_b.phase2".
        classifier: The Keras model that it starts from, with its new head.
        examples: What it is trained on.
        recipe: How.
        compute: On what.
    """
    radiographs = examples.radiographs  # their order is that of the batches
    return {
        "stage": stage,
        "recipe": asdict(recipe),
        "compute": asdict(compute),
        "labels": list(examples.labels),
        "architecture": _text_sha256(classifier.to_json()),
        "first weights": _weights_sha256(classifier.get_weights()),
        "split": _text_sha256(radiographs.to_csv(index=False, lineterminator="\n")),
        "images": examples.store.fingerprint,
        "intensity": asdict(examples.intensity),
        "code": code_sha256("covid_cxr.training.loop"),
        "versions": _versions(),
    }


def split_sha256(split: pd.DataFrame) -> str:
    """Return the hash of which image is in which part, in whatever order they stand.

    Args:
        split: `image_id`, `patient_id` and `part`.
    """
    table = split[["image_id", "patient_id", "part"]].sort_values("image_id")
    return _text_sha256(table.to_csv(index=False, lineterminator="\n"))


def _text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _weights_sha256(weights: Iterable[NDArray[np.float32]]) -> str:
    digest = hashlib.sha256()
    for array in weights:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    tensorflow = deterministic_tensorflow()
    import keras

    return {
        "covid_cxr": covid_cxr.__version__,
        "tensorflow": tensorflow.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }
