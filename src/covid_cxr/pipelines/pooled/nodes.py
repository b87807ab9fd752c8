"""Adapters from the catalog: one argument per cohort or path."""

from dataclasses import replace
from typing import Any

import pandas as pd

from covid_cxr.patients.pooling import pool_radiographs, pool_splits
from covid_cxr.study.current import current
from covid_cxr.training.examples import Examples
from covid_cxr.training.kept_labels import keep_labels
from covid_cxr.training.scores import score


def pool_study(
    labels: list[str], duplicates_across: pd.DataFrame, **tables: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiographs of all cohorts with the labels of all, and one split.

    The test parts of other cohorts than the target's have no use here, and their
    patients may be trained on in a third cohort, as they are in the sequence of phases.

    Args:
        labels: Of all training sets.
        duplicates_across: Pairs of images of two cohorts.
        tables: `<cohort>_curated` and `<cohort>_split`.
    """
    study = current()
    splits = {cohort: tables[f"{cohort}_split"] for cohort in study.cohorts}
    kept = {
        cohort: split[(split["part"] != "test") | (cohort == study.target_cohort)]
        for cohort, split in splits.items()
    }
    curated = {cohort: tables[f"{cohort}_curated"] for cohort in study.cohorts}
    split, _ = pool_splits(kept, duplicates_across)
    return pool_radiographs(curated, labels=labels), split


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
