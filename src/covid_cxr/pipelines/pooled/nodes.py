"""Adapters from the catalog: one argument per cohort or path."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.patients import pooling
from covid_cxr.radiographs.pooled_store import PooledStore
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.study.current import current
from covid_cxr.training.kept_labels import keep_labels
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder
from covid_cxr.training.strategy import Compute


def training_sets() -> dict[str, str]:
    """Return the training set of each cohort in the pool, the stores' order in it.

    The first that the study draws from the cohort: the larger, where there are two.
    """
    first: dict[str, str] = {}
    for name, one in current().training_sets.items():
        first.setdefault(one.cohort, name)
    return first


def pool_cohorts(**inputs: Any) -> pd.DataFrame:
    """Return the curated radiographs of all cohorts with the labels of all.

    Args:
        inputs: `<cohort>_curated` and `<cohort>_store`.
    """
    cohorts = list(training_sets())
    return pooling.pool_radiographs(
        {cohort: inputs[f"{cohort}_curated"] for cohort in cohorts},
        n_images={c: inputs[f"{c}_store"].n_images for c in cohorts},
        labels=_labels(),
    )


def pool_parts(**splits: pd.DataFrame) -> pd.DataFrame:
    """Return one split of all cohorts.

    Args:
        splits: By cohort.
    """
    return pooling.pool_splits(
        {cohort: splits[cohort] for cohort in training_sets()},
        tested=current().target_cohort,
    )


def pool_moments(
    split: pd.DataFrame, **intensities: Mapping[str, Any]
) -> dict[str, float]:
    """Return the intensity of the pooled training images.

    Args:
        split: The pooled one.
        intensities: By cohort.
    """
    trained = split.loc[split["part"] == "train", "image_id"]
    counts = trained.str.partition(":")[0].value_counts()
    return pooling.pool_intensities(
        intensities, n_training_images={c: int(counts.get(c, 0)) for c in intensities}
    )


def train(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    parent: Any,
    parent_provenance: dict[str, Any],
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity: Mapping[str, Any],
    recipe: Recipe,
    compute: Compute,
    states: StateFolder,
    **stores: ImageStore,
) -> tuple[Any, list[Mapping[str, float]], dict[str, Any], dict[str, Any]]:
    """Return the pooled classifier, its history, its provenance and its clock.

    Labels that an image's cohort does not tell are left out of the loss.

    Args:
        parent: The Keras model to start from.
        parent_provenance: Where it comes from.
        curated: The pooled radiographs, with their row in the stores taken together.
        split: The pooled one.
        intensity: Of the pooled training images.
        recipe: Of the first phase, which starts from the same weights.
        compute: What it runs on.
        states: Where its state is kept after each epoch.
        stores: The images, by cohort.
    """
    return Stage("pooled").train(
        parent=parent,
        parent_provenance=parent_provenance,
        store=PooledStore(stores=tuple(stores[c] for c in training_sets())),
        curated=curated,
        split=split,
        intensity=intensity,
        labels=_labels(),
        recipe=recipe,
        compute=compute,
        states=states,
    )


def score_target(
    classifier: Any,
    store: ImageStore,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity: Mapping[str, Any],
) -> pd.DataFrame:
    """Return what the pooled classifier says of the target, as phase 3 is scored.

    Args:
        classifier: The pooled one.
        store: The images of the target's cohort.
        curated: Its radiographs.
        split: Of phase 3.
        intensity: Of the pooled training images.
    """
    labels = list(current().target_set.labels)
    only = keep_labels(classifier, [_labels().index(label) for label in labels])
    return score(only, store, curated, split, intensity, labels)


def _labels() -> list[str]:
    """Return what the pooled classifier tells: the labels of all sets, each once."""
    named = (one.labels for one in current().training_sets.values())
    return list(dict.fromkeys(label for labels in named for label in labels))
