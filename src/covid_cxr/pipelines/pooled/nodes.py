"""Adapters from the catalog: one argument per cohort or path."""

from dataclasses import replace
from typing import Any

import pandas as pd

from covid_cxr.cohorts.intensity import IntensitySample
from covid_cxr.patients import pooling
from covid_cxr.radiographs.pooled_store import pooled
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.study.current import current
from covid_cxr.training.examples import Examples, assemble
from covid_cxr.training.kept_labels import keep_labels
from covid_cxr.training.scores import score


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


def assemble_pool(
    curated: pd.DataFrame,
    split: pd.DataFrame,
    sample: IntensitySample,
    **stores: ImageStore,
) -> Examples:
    """Return the examples of the pooled training.

    Args:
        curated: The pooled radiographs, with their row in the stores taken together.
        split: The pooled one.
        sample: Of training images, for their intensity.
        stores: The images, by cohort.
    """
    store = pooled([stores[cohort] for cohort in training_sets()])
    return assemble(store, curated, split, _labels(), sample)


def score_target(classifier: Any, pool: Examples, target: Examples) -> pd.DataFrame:
    """Return what the pooled classifier says of the target, as phase 3 is scored.

    Args:
        classifier: The pooled one.
        pool: What it was trained on; its intensity is that of its input.
        target: Of phase 3.
    """
    kept = [pool.labels.index(label) for label in target.labels]
    only = keep_labels(classifier, kept)
    return score(only, replace(target, intensity=pool.intensity))


def _labels() -> list[str]:
    """Return what the pooled classifier tells: the labels of all sets, each once."""
    named = (one.labels for one in current().training_sets.values())
    return list(dict.fromkeys(label for labels in named for label in labels))
