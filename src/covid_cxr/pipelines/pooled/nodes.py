"""Adapters from the catalog: one argument per cohort or path."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.cohorts import pooling
from covid_cxr.radiographs.pooled_store import PooledStore
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.report import pooled as report
from covid_cxr.report.reporting import Reporting
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score
from covid_cxr.training.single_label import keep_label
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder
from covid_cxr.training.strategy import Compute

# The training set that each cohort is trained with; the stores' order in the pool.
TRAINING_SETS = {"nih": "phase1", "rsna": "phase2_rsna", "covid": "phase3"}


def pool_radiographs(
    findings: list[str], covid_labels: list[str], **inputs: Any
) -> pd.DataFrame:
    """Return the curated radiographs of all cohorts with the labels of all.

    Args:
        findings: Of phase 1.
        covid_labels: Of phase 3.
        inputs: `<cohort>_curated` and `<cohort>_store`.
    """
    return pooling.pool_radiographs(
        {cohort: inputs[f"{cohort}_curated"] for cohort in TRAINING_SETS},
        n_images={c: inputs[f"{c}_store"].n_images for c in TRAINING_SETS},
        labels=[*findings, *covid_labels],
    )


def pool_splits(**splits: pd.DataFrame) -> pd.DataFrame:
    """Return one split of all cohorts.

    Args:
        splits: By cohort.
    """
    return pooling.pool_splits(
        {cohort: splits[cohort] for cohort in TRAINING_SETS}, tested="covid"
    )


def pool_intensities(
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
    nih_store: ImageStore,
    rsna_store: ImageStore,
    covid_store: ImageStore,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity: Mapping[str, Any],
    findings: list[str],
    covid_labels: list[str],
    recipe: Recipe,
    compute: Compute,
    states: StateFolder,
) -> tuple[Any, list[Mapping[str, float]], dict[str, Any], dict[str, Any]]:
    """Return the pooled classifier, its history, its provenance and its clock.

    Labels that an image's cohort does not tell are left out of the loss.

    Args:
        parent: The Keras model to start from.
        parent_provenance: Where it comes from.
        nih_store: The cohort's images.
        rsna_store: Likewise.
        covid_store: Likewise.
        curated: The pooled radiographs, with their row in the stores taken together.
        split: The pooled one.
        intensity: Of the pooled training images.
        findings: Of phase 1, told first.
        covid_labels: Of phase 3, told after them.
        recipe: Of phase 1, which starts from the same weights.
        compute: What it runs on.
        states: Where its state is kept after each epoch.
    """
    return Stage("pooled", labels_may_be_unknown=True).train(
        parent=parent,
        parent_provenance=parent_provenance,
        store=PooledStore(stores=(nih_store, rsna_store, covid_store)),
        curated=curated,
        split=split,
        intensity=intensity,
        labels=[*findings, *covid_labels],
        recipe=recipe,
        compute=compute,
        states=states,
    )


def score_covid(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    classifier: Any,
    store: ImageStore,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity: Mapping[str, Any],
    findings: list[str],
    covid_labels: list[str],
) -> pd.DataFrame:
    """Return what the pooled classifier says of COVID-19, as phase 3 is scored.

    Args:
        classifier: The pooled one.
        store: The images of the COVID-19 cohort.
        curated: Its radiographs.
        split: Of phase 3.
        intensity: Of the pooled training images.
        findings: Of phase 1, which the classifier tells first.
        covid_labels: Of phase 3: one.
    """
    only = keep_label(classifier, len(findings))
    return score(only, store, curated, split, intensity, covid_labels)


def compare_with_paths(
    pooled: pd.DataFrame,
    labels: list[str],
    reporting: Reporting,
    **scores: pd.DataFrame,
) -> pd.DataFrame:
    """Return the AUROC of the pooled training beside that of every path.

    Args:
        pooled: Scores of the pooled classifier.
        labels: Of phase 3: one.
        reporting: For the level of the intervals.
        scores: Of phase 3, by path.
    """
    return report.compare_with_pooled(
        pooled, scores, label=labels[0], reporting=reporting
    )
